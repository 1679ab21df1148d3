"""Break-glass: staff sign in with a password of this site while Cognito is unavailable.

It is off unless BREAK_GLASS_LOGIN is set. The session has a `SignIn`, so it is listed and ended
like any other. It lasts one hour at most, and ends immediately when the setting is removed.
"""

from __future__ import annotations

import time
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.forms import UsernameField
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from ..core import request_meta
from ..core.app_label import PACKAGE
from ..models import rate_limit

WINDOW = 900  # seconds
MAX_ATTEMPTS_PER_IP = 10  # per window, including successful attempts
MAX_ATTEMPTS_PER_USERNAME = 5
BACKEND = f"{PACKAGE}.backends.BreakGlassBackend"


def normalize_username(username: str) -> str:
    """Return `username` normalized as Django's login form does it, or "" if it is not valid.

    Normalized variants of a name share one count. A name with a zero byte is not valid, because
    PostgreSQL refuses it, nor is one so long that normalizing it would take hours.
    """
    model: Any = get_user_model()
    max_length = model._meta.get_field(model.USERNAME_FIELD).max_length or 254
    try:
        return str(UsernameField(max_length=max_length).clean(username))
    except ValidationError:
        return ""


def count_attempt(request: HttpRequest, username: str) -> int:
    """Count one more attempt of this subnet and with this name.

    Return 0 within the limits, 1 for the first attempt beyond one of them, 2 for later ones. The
    attempt is counted before the password is checked, so parallel attempts do not help. Beyond the
    limit of the subnet, the name is not counted, so it costs no query.
    """
    return _beyond(request_meta.subnet_of(request), MAX_ATTEMPTS_PER_IP) or _beyond(
        _name_key(username),
        MAX_ATTEMPTS_PER_USERNAME,
    )


def _name_key(username: str) -> str:
    name = normalize_username(username).lower()
    return salted_hmac("break-glass", name, algorithm="sha256").hexdigest()


def _beyond(name: str, limit: int) -> int:
    key = f"break-glass:{time.time() // WINDOW:.0f}:{name}"
    if rate_limit.take(key, limit=limit, seconds=WINDOW):
        return 0
    return 1 if rate_limit.is_first_refusal(key, limit=limit) else 2
