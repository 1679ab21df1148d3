"""The CSRF secret, which stays the same when the same user signs in again.

Django replaces it at each sign-in, because another user or an attacker may know it. A form that was
open in another tab would then be refused, and its text be lost. A cookie proves that the secret was
this user's before: only this site can make it, and only in the user's own browser. Signing out
deletes the cookie.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

from ..core.app_label import cookie_name

_COOKIE = "csrf_user"  # sessions/views.py deletes it
_SECRET = "CSRF_COOKIE"  # noqa: S105 (the name under which Django's middleware passes the secret)


def load(request: HttpRequest, user: Any) -> str:
    """Return this browser's secret if it is bound to `user`, or "". Call it before `login()`."""
    secret = str(request.META.get(_SECRET) or "")
    proof = request.COOKIES.get(cookie_name(_COOKIE), "")
    return secret if secret and constant_time_compare(proof, _proof(user, secret)) else ""


def restore(request: HttpRequest, secret: str) -> None:
    """Replace the secret that `login()` has made, unless `secret` is ""."""
    if secret:
        request.META[_SECRET] = secret


def bind(request: HttpRequest, response: HttpResponse, user: Any) -> None:
    """Set the cookie that binds the secret of this browser to `user`."""
    if secret := request.META.get(_SECRET):
        response.set_cookie(
            cookie_name(_COOKIE),
            _proof(user, secret),
            max_age=settings.CSRF_COOKIE_AGE,
            httponly=True,
            secure=bool(settings.SESSION_COOKIE_SECURE),
            samesite="Lax",
        )


def _proof(user: Any, secret: str) -> str:
    return salted_hmac(
        "CSRF secret of a user", f"{user.pk}:{secret}", algorithm="sha256"
    ).hexdigest()
