"""The request that is being answered, for what happens far below the view and is worth recording.

Set by the middleware. Only the record reads it; what a request may do is decided where it comes in.
"""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any

from django.http import HttpRequest

_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


class Answering:
    """While it lasts, `request` is the one that is being answered."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def __enter__(self) -> None:
        self._before: Token[HttpRequest | None] = _request.set(self._request)

    def __exit__(self, *error: object) -> None:
        _request.reset(self._before)


def current_request() -> HttpRequest | None:
    """None in commands and background work."""
    return _request.get()


def acting_user(*, besides: Any = None) -> Any:
    """Who is signed in where this request comes from; None for nobody, and for `besides`."""
    user = getattr(current_request(), "user", None)
    if user is None or not user.is_authenticated or user == besides:
        return None
    return user


def in_the_admin() -> bool:
    match = getattr(current_request(), "resolver_match", None)
    return match is not None and "admin" in match.app_names
