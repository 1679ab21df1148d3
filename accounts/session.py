"""How a browser's session leads to its sign-in: the only code that knows the session's key and
how a `SignIn` row keeps its tokens encrypted."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.contrib.auth import SESSION_KEY as USER_KEY
from django.http import HttpRequest

from .cognito.token_endpoint import TokenSet
from .models import SignIn
from .provider import provider

_SESSION_KEY = "sign_in"


@dataclass(frozen=True)
class StoredTokens:
    """The tokens of one signed-in browser; its repr shows none of them."""

    access_token: str = field(repr=False)
    id_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


def seal_tokens(tokens: TokenSet, *, refresh_token: str = "") -> str:
    """Tokens for `SignIn.sealed_tokens`; `refresh_token` is kept when no new one came."""
    return provider().cipher.seal(
        {
            "access_token": tokens.access_token,
            "id_token": tokens.id_token,
            "refresh_token": tokens.refresh_token or refresh_token,
        }
    )


def open_tokens(row: SignIn) -> StoredTokens:
    """The row's tokens. Raises encryption.Unreadable when no listed key opens them."""
    return StoredTokens(**provider().cipher.open(row.sealed_tokens))


def bind(request: HttpRequest, row: SignIn) -> None:
    """Make `row` the sign-in of this browser's session."""
    request.session[_SESSION_KEY] = row.key


def is_bound(request: HttpRequest) -> bool:
    """Whether this session came about by a sign-in at the provider."""
    return _SESSION_KEY in request.session


def current_sign_in(request: HttpRequest) -> SignIn | None:
    """The live sign-in of this browser, or None when there is none or it has ended."""
    key = request.session.get(_SESSION_KEY)
    if not key:
        return None
    row = SignIn.objects.live().select_related("user").filter(key=key).first()
    if row is None or str(row.user_id) != request.session.get(USER_KEY):
        return None
    return row
