"""Detect a session that does not reach the next request, although the sign-ins succeed.

The browser would be redirected in a circle, with a sign-in in each round.
"""

from __future__ import annotations

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.http import HttpRequest
from django.http.request import split_domain_port

from ..models import SignIn
from ..problems.errors import SessionLost
from ..sessions import browser_session
from . import attempts

MAX_LOST = 3  # sign-ins without a session, in WINDOW
WINDOW = 300  # seconds


def require_session(request: HttpRequest) -> None:
    """Raise SessionLost if this browser has signed in MAX_LOST times and has no session.

    The sign-ins are those of its own attempts, and still live. So a user who signs out, or whose
    session an operator ends, can sign in again as often as needed.
    """
    if browser_session.has_sign_in(request):
        return
    keys = attempts.recent_sign_in_keys(request, seconds=WINDOW)
    if len(keys) >= MAX_LOST and SignIn.objects.live().filter(key__in=keys).count() >= MAX_LOST:
        raise _error(request)


def _error(request: HttpRequest) -> SessionLost:
    """Return the error that names the cause, as far as the settings and this request show it."""
    name = settings.SESSION_COOKIE_NAME
    if name in request.COOKIES or _is_store_private():
        return SessionLost(
            "the session store has lost the session of each of the browser's sign-ins",
            setting_names="SESSION_ENGINE SESSION_CACHE_ALIAS CACHES",
        )
    return SessionLost(
        f"the browser does not return the cookie {name}, which each of its sign-ins set",
        setting_names=_cookie_setting(request),
    )


def _is_store_private() -> bool:
    """Return True if each process has a session store of its own, or none."""
    if not settings.SESSION_ENGINE.endswith(".cache"):
        return False
    return isinstance(caches[settings.SESSION_CACHE_ALIAS], LocMemCache | DummyCache)


def _cookie_setting(request: HttpRequest) -> str:
    """Return the setting because of which a browser does not send the session cookie, or ""."""
    host = split_domain_port(request.get_host())[0]
    domain = (settings.SESSION_COOKIE_DOMAIN or host).lstrip(".").lower()
    if str(settings.SESSION_COOKIE_SAMESITE).lower() == "strict":
        return "SESSION_COOKIE_SAMESITE"
    if host != domain and not host.endswith(f".{domain}"):
        return "SESSION_COOKIE_DOMAIN"
    if settings.SESSION_COOKIE_PATH != "/":
        return "SESSION_COOKIE_PATH"
    if settings.SESSION_COOKIE_SECURE and not request.is_secure():
        return "SESSION_COOKIE_SECURE"
    return ""
