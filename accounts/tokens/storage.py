"""Tokens as the database stores them, encrypted."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from ..models import SignIn
from ..provider import provider


@dataclass(frozen=True)
class StoredTokens:
    """The tokens of one signed-in browser; its repr shows none of them."""

    access_token: str = field(repr=False)
    id_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


def seal_tokens(tokens: StoredTokens) -> str:
    """Tokens for `SignIn.sealed_tokens`."""
    return provider().cipher.seal(asdict(tokens))


def open_tokens(row: SignIn) -> StoredTokens:
    """The row's tokens. Raises encryption.Unreadable when no listed key opens them."""
    return StoredTokens(**provider().cipher.open(row.sealed_tokens))
