"""The current request, for audit events that are recorded far below the view.

The middleware sets it. Only the audit log reads it; permissions are decided in the view.
"""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any

from django.http import HttpRequest

_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


class CurrentRequest:
    """A context manager that makes `request` the current request."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def __enter__(self) -> None:
        self._before: Token[HttpRequest | None] = _request.set(self._request)

    def __exit__(self, *error: object) -> None:
        _request.reset(self._before)


def current_request() -> HttpRequest | None:
    """Return the current request, or None in commands and background work."""
    return _request.get()


def acting_user(*, exclude: Any = None) -> Any:
    """Return the signed-in user of the current request, or None. `besides` counts as None, too."""
    user = getattr(current_request(), "user", None)
    if user is None or not user.is_authenticated or user == exclude:
        return None
    return user


def change_origin() -> str:
    """Return where a change comes from: "admin", "site" (any other page), or "command"."""
    if (request := current_request()) is None:
        return "command"
    match = getattr(request, "resolver_match", None)
    return "admin" if match is not None and "admin" in match.app_names else "site"
