"""Tokens as the database stores them, encrypted."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ..cognito.claims import AccessClaims
from ..cognito.errors import TokenRejected
from ..cognito.secret_text import SecretText
from ..cognito.token_endpoint import TokenSet
from ..cognito.token_parsing import unverified_payload
from ..core.encryption import DecryptionError
from ..core.times import from_timestamp
from ..models import SignIn
from ..provider import provider

RENEW_BEFORE = 60  # seconds before it expires, or a fifth of its life, an access token is renewed


@dataclass(frozen=True)
class StoredTokens:
    """The tokens of one sign-in. Its repr does not show them."""

    access_token: str = field(repr=False)
    id_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


def seal_tokens(tokens: StoredTokens) -> str:
    """Return the tokens encrypted, as `SignIn.sealed_tokens` holds them."""
    # Version 0.2 raises an error for any further member, and may run at the same time.
    return provider().cipher.seal(asdict(tokens))


def open_tokens(sign_in: SignIn) -> StoredTokens:
    """Return the tokens of a sign-in. Raises encryption.DecryptionError if no key decrypts them.

    Members that a later version has added are ignored, because both may run at the same time.
    """
    content = provider().cipher.open(sign_in.sealed_tokens)
    names = (member.name for member in fields(StoredTokens))
    return StoredTokens(**{name: SecretText(content[name]) for name in names})


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
