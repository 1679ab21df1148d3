"""Tokens as the database stores them, encrypted."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from ..models import SignIn
from ..provider import provider


@dataclass(frozen=True)
class StoredTokens:
    """The tokens of one signed-in browser. Its repr does not show them."""

    access_token: str = field(repr=False)
    id_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


def seal_tokens(tokens: StoredTokens) -> str:
    """Return the tokens encrypted, as `SignIn.sealed_tokens` holds them."""
    return provider().cipher.seal(asdict(tokens))


def open_tokens(sign_in: SignIn) -> StoredTokens:
    """Return the tokens of a sign-in. Raises encryption.DecryptionError if no key decrypts them."""
    return StoredTokens(**provider().cipher.open(sign_in.sealed_tokens))
