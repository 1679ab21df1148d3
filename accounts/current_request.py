"""The request that is being answered, for what happens far below the view and is worth recording.

Set by the middleware. Only the record reads it; what a request may do is decided where it comes in.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.http import HttpRequest

_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


@contextmanager
def answering(request: HttpRequest) -> Iterator[None]:
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


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
