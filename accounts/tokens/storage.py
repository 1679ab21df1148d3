"""Tokens as the database stores them, encrypted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ..cognito.claims import AccessClaims
from ..cognito.errors import TokenRejected
from ..cognito.token_endpoint import TokenSet
from ..cognito.token_parsing import unverified_payload
from ..core.encryption import DecryptionError
from ..core.times import from_timestamp
from ..models import SignIn
from ..provider import provider

RENEW_BEFORE = 60  # seconds before it expires, or a fifth of its life, an access token is renewed


@dataclass(frozen=True)
class StoredTokens:
    """The tokens of one sign-in. Its repr does not show them.

    `earlier` are keyed hashes of the refresh tokens that Cognito rotated, for an app only.
    """

    access_token: str = field(repr=False)
    id_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    earlier: Sequence[str] = field(default=(), repr=False)


def seal_tokens(tokens: StoredTokens) -> str:
    """Return the tokens encrypted, as `SignIn.sealed_tokens` holds them."""
    content = asdict(tokens)
    if not tokens.earlier:  # an earlier version does not know it
        del content["earlier"]
    return provider().cipher.seal(content)


def open_tokens(sign_in: SignIn) -> StoredTokens:
    """Return the tokens of a sign-in. Raises encryption.DecryptionError if no key decrypts them."""
    return StoredTokens(**provider().cipher.open(sign_in.sealed_tokens))


def acr_of(sign_in: SignIn) -> str | None:
    """Return the level of authentication of a sign-in, from its ID token, or None if unknown.

    The token was verified before it was stored. Its expiry does not matter.
    """
    try:
        acr = unverified_payload(open_tokens(sign_in).id_token).get("acr")
    except (DecryptionError, TokenRejected):
        return None
    return acr if isinstance(acr, str) else None


def token_columns(
    tokens: TokenSet, claims: AccessClaims, *, refresh_token: str = ""
) -> dict[str, Any]:
    """Return the columns of a `SignIn` for its tokens. `refresh_token` is the earlier one."""
    life = claims.expires_at - claims.issued_at
    renew_at = claims.expires_at - min(RENEW_BEFORE, life / 5)
    stored = StoredTokens(
        tokens.access_token, tokens.id_token, tokens.refresh_token or refresh_token
    )
    return {
        "sealed_tokens": seal_tokens(stored),
        "access_expires_at": from_timestamp(claims.expires_at),
        "renew_at": from_timestamp(renew_at),
        # Without `origin_jti` (revocation is off at the app client) a token is known by its own id.
        "origin_jti": claims.origin_jti or claims.jti or "",
    }
