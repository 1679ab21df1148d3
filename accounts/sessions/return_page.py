"""The page to come back to after signing out.

Cognito's `/logout` carries nothing there and back, so a cookie does.

Signed, for ten minutes, and only for those who asked (`next` of the sign-out form).
"""

from __future__ import annotations

from typing import TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from ..core.app_label import cookie_name

MAX_AGE = 600  # seconds
_COOKIE = "after_sign_out"

Answer = TypeVar("Answer", bound=HttpResponse)


def remember(response: HttpResponse, page: str) -> None:
    """Keep `page`, an address that `safe_next_url` let through; nothing when it is empty."""
    if page:
        response.set_signed_cookie(
            cookie_name(_COOKIE),
            page,
            max_age=MAX_AGE,
            httponly=True,
            secure=bool(settings.SESSION_COOKIE_SECURE),
            samesite="Lax",
        )


def remembered(request: HttpRequest) -> str:
    """The page that was kept, or an empty string."""
    return request.get_signed_cookie(cookie_name(_COOKIE), default="", max_age=MAX_AGE) or ""


def forget(response: Answer) -> Answer:
    """The same answer, with the page taken back."""
    response.delete_cookie(cookie_name(_COOKIE), samesite="Lax")
    return response
