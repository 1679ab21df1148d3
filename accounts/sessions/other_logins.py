"""Sign-outs and sign-ins by other code of a host project, such as Django's or allauth's views.

They change the browser's session without `sign_out`. Its sign-in would stay in the list of the
user's sessions, and its refresh token would stay valid.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import user_logged_in, user_logged_out
from django.http import HttpRequest

from ..models import SignIn
from . import browser_session
from .sign_out import end_sign_in


def connect_signals() -> None:
    """Connect to the signals of `django.contrib.auth`."""
    user_logged_out.connect(_end_current, dispatch_uid=f"{__name__}.sign_out")
    user_logged_in.connect(_end_of_another_user, dispatch_uid=f"{__name__}.sign_in")


def _end_current(request: HttpRequest | None, **kwargs: Any) -> None:
    if request is None or not hasattr(request, "session"):
        return
    if sign_in := browser_session.current_sign_in(request):
        end_sign_in(sign_in, reason=SignIn.EndReason.SIGNED_OUT, request=request)


def _end_of_another_user(request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    """End the sign-in of the previous user. Django has emptied their session already."""
    sign_in: SignIn | None = getattr(request, "sign_in", None)
    if sign_in is not None and sign_in.user_id != user.pk:
        end_sign_in(sign_in, reason=SignIn.EndReason.REPLACED, request=request)
