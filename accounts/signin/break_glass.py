"""The way in when Cognito lets nobody in: a password of this site, for staff, switched on by hand.

Off unless BREAK_GLASS_LOGIN is set. The session has a row of `SignIn` like any other, so that it
is seen and ended like any other. It lives an hour at most and ends at once when break-glass is
switched off again: the backend then knows nobody.
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
MOST_OF_ADDRESS = 10  # wrong or right, in a window
MOST_OF_NAME = 5
BACKEND = f"{PACKAGE}.backends.BreakGlassBackend"


def as_typed(username: str) -> str:
    """The name as Django's sign-in form reads it: look-alikes of one name are one name, so that
    they don't each get a count of their own. Empty for what can be nobody's name: a zero byte,
    which PostgreSQL refuses, or a text so long that normalising it would take hours."""
    model: Any = get_user_model()
    longest = model._meta.get_field(model.USERNAME_FIELD).max_length or 254
    try:
        return str(UsernameField(max_length=longest).clean(username))
    except ValidationError:
        return ""


def attempts_too_many(request: HttpRequest, username: str) -> int:
    """Count one more attempt of this subnet and at this name.

    Return 0 within the limits, 1 for the first attempt beyond one of them, 2 for later ones. It is
    counted before the password is checked, so that it is no use to try many at once. Beyond the
    limit of a subnet the name is not even read: it costs no row and no normalizing.
    """
    return _beyond(request_meta.subnet_of(request), MOST_OF_ADDRESS) or _beyond(
        salted_hmac("break-glass", as_typed(username).lower()).hexdigest(), MOST_OF_NAME
    )


def _beyond(counted: str, limit: int) -> int:
    key = f"break-glass:{time.time() // WINDOW:.0f}:{counted}"
    if rate_limit.take(key, limit=limit, seconds=WINDOW):
        return 0
    return 1 if rate_limit.is_first_refusal(key, limit=limit) else 2
