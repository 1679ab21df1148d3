"""Django's middleware for asynchronous stacks, which uses a thread only for I/O.

`without_threads` puts them in place of Django's classes of the same names. MIDDLEWARE in the
settings has Django's own, because Django's system checks require them by their paths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware import clickjacking, common, csrf, locale, security

from .core.event_loop import EventLoopMiddleware


class SecurityMiddleware(security.SecurityMiddleware, EventLoopMiddleware):
    """Django's middleware, without threads."""


class CommonMiddleware(common.CommonMiddleware, EventLoopMiddleware):
    """Django's middleware, without threads."""


class XFrameOptionsMiddleware(clickjacking.XFrameOptionsMiddleware, EventLoopMiddleware):
    """Django's middleware, without threads."""


class LocaleMiddleware(locale.LocaleMiddleware, EventLoopMiddleware):
    """Django's middleware, without threads."""


class AuthenticationMiddleware(auth.AuthenticationMiddleware, EventLoopMiddleware):
    """Django's middleware, without threads: the view reads the user."""


class SessionMiddleware(sessions.SessionMiddleware, EventLoopMiddleware):
    """Django's middleware, with a thread to save a session."""

    def response_needs_thread(self, request: HttpRequest, response: HttpResponseBase) -> bool:
        is_modified = getattr(getattr(request, "session", None), "modified", False)
        return is_modified or settings.SESSION_SAVE_EVERY_REQUEST


class MessageMiddleware(messages.MessageMiddleware, EventLoopMiddleware):
    """Django's middleware, with a thread if there are messages to store or to delete."""

    def response_needs_thread(self, request: HttpRequest, response: HttpResponseBase) -> bool:
        storage = getattr(request, "_messages", None)
        return storage is not None and (storage.used or storage.added_new)


class CsrfViewMiddleware(csrf.CsrfViewMiddleware, EventLoopMiddleware):
    """Django's middleware, with a thread to check a form, and for tokens in the session."""

    def request_needs_thread(self, request: HttpRequest) -> bool:
        return settings.CSRF_USE_SESSIONS

    def view_needs_thread(self, request: HttpRequest, view: Callable[..., Any]) -> bool:
        # The page that refuses a form may read the user.
        is_safe = request.method in ("GET", "HEAD", "OPTIONS", "TRACE")
        return not is_safe and not getattr(view, "csrf_exempt", False)

    def response_needs_thread(self, request: HttpRequest, response: HttpResponseBase) -> bool:
        return settings.CSRF_USE_SESSIONS


def without_threads(middleware: Iterable[str]) -> list[str]:
    """Return `middleware`, a list of paths, with the classes of this module."""
    paths = []
    for path in middleware:
        module, _, name = path.rpartition(".")
        is_replaced = module.startswith("django.") and name in globals()
        paths.append(f"{__name__}.{name}" if is_replaced else path)
    return paths
