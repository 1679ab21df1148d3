"""The link from a browser's session to its sign-in. Only this module uses the session's key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth import SESSION_KEY as USER_KEY
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from ..models import SignIn

_SESSION_KEY = "sign_in"


def attach_sign_in(request: HttpRequest, sign_in: SignIn) -> None:
    """Make `sign_in` the sign-in of this browser's session."""
    request.session[_SESSION_KEY] = sign_in.key


def has_sign_in(request: HttpRequest) -> bool:
    """Return True if this session belongs to a sign-in, live or ended."""
    return _SESSION_KEY in request.session


def sign_in_key(content: Mapping[str, Any]) -> str:
    """Return the key of the sign-in that a stored session belongs to, or ""."""
    return str(content.get(_SESSION_KEY, ""))


def current_sign_in(request: HttpRequest) -> SignIn | None:
    """Return the live sign-in of this browser, or None."""
    key = request.session.get(_SESSION_KEY)
    if not key:
        return None
    sign_in = next(iter(SignIn.objects.filter(key=key)), None)  # unique, so without an order
    if sign_in is None or sign_in.ended_at is not None:
        return None
    return sign_in if str(sign_in.user_id) == request.session.get(USER_KEY) else None


def rehash_session(request: HttpRequest, sign_in: SignIn) -> None:
    """Rehash a session of an earlier SECRET_KEY before Django does so when it reads `user`.

    Django would also change the session ID. A parallel request with the earlier ID would then be
    anonymous, and its response would delete the browser's cookie.
    """
    if not settings.SECRET_KEY_FALLBACKS:
        return
    stored_hash = request.session.get(HASH_SESSION_KEY, "")
    earlier_hashes = sign_in.user.get_session_auth_fallback_hash()
    if any(constant_time_compare(stored_hash, earlier) for earlier in earlier_hashes):
        request.session[HASH_SESSION_KEY] = sign_in.user.get_session_auth_hash()
