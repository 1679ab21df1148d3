"""How a browser's session leads to its sign-in: the only code that knows the session's key and
how a `SignIn` row keeps its tokens encrypted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth import SESSION_KEY as USER_KEY
from django.db import models
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from ..core.db import CompiledQuery, Given
from ..models import SignIn

_SESSION_KEY = "sign_in"
_LIVE = CompiledQuery(SignIn.objects.live().filter(key=Given("key", models.CharField())))


def bind(request: HttpRequest, row: SignIn) -> None:
    """Make `row` the sign-in of this browser's session."""
    request.session[_SESSION_KEY] = row.key


def is_bound(request: HttpRequest) -> bool:
    """Whether this session came about by a sign-in."""
    return _SESSION_KEY in request.session


def key_in(content: Mapping[str, Any]) -> str:
    """The key of the sign-in that a stored session leads to; empty when it leads to none."""
    return str(content.get(_SESSION_KEY, ""))


def without_key(content: Mapping[str, Any]) -> dict[str, Any]:
    """What a stored session holds besides."""
    return {name: value for name, value in content.items() if name != _SESSION_KEY}


def current_sign_in(request: HttpRequest) -> SignIn | None:
    """The live sign-in of this browser, or None when there is none or it has ended."""
    key = request.session.get(_SESSION_KEY)
    if not key:
        return None
    user_id = request.session.get(USER_KEY)
    return next((row for row in _LIVE.instances(key=key) if str(row.user_id) == user_id), None)


def follow_secret_key(request: HttpRequest, row: SignIn) -> None:
    """Sign a session of an earlier SECRET_KEY anew, before Django does it when it reads `user`.

    Django would change the session's id as well, and a request under way with the earlier id would
    be nobody's, its answer delete the browser's cookie: signed out by the change of a key.
    """
    if not settings.SECRET_KEY_FALLBACKS:
        return
    signed = request.session.get(HASH_SESSION_KEY, "")
    earlier = row.user.get_session_auth_fallback_hash()
    if any(constant_time_compare(signed, each) for each in earlier):
        request.session[HASH_SESSION_KEY] = row.user.get_session_auth_hash()
