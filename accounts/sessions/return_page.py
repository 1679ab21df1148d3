"""The page to return to after signing out (`next` of the sign-out form).

Cognito's `/logout` does not pass a parameter through, so a signed cookie holds the page for ten
minutes.
"""

from __future__ import annotations

from typing import TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from ..core.app_label import cookie_name

MAX_AGE = 600  # seconds
_COOKIE = "after_sign_out"

ResponseT = TypeVar("ResponseT", bound=HttpResponse)


def store(response: HttpResponse, page: str) -> None:
    """Store `page`, a result of `safe_next_url`. Store nothing if it is empty."""
    if page:
        response.set_signed_cookie(
            cookie_name(_COOKIE),
            page,
            max_age=MAX_AGE,
            httponly=True,
            secure=bool(settings.SESSION_COOKIE_SECURE),
            samesite="Lax",
        )


def load(request: HttpRequest) -> str:
    """Return the stored page, or ""."""
    return request.get_signed_cookie(cookie_name(_COOKIE), default="", max_age=MAX_AGE) or ""


def clear(response: ResponseT) -> ResponseT:
    """Delete the stored page with `response`, and return the response."""
    response.delete_cookie(cookie_name(_COOKIE), samesite="Lax")
    return response
