"""How somebody who must sign in is told: a page visit is led there, a program gets a 401.

A script cannot follow a redirect to the hosted UI's origin, and an attempt begun by one would lead
the person back to an address that is no page.
"""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import resolve_url
from django.utils.cache import patch_cache_control, patch_vary_headers

from ..core import navigation
from .catalog import error_body

NOT_AUTHENTICATED = "not_authenticated"
SESSION_ENDED = "session_ended"
NOT_SIGNED_IN = "You are not signed in. Sign in and try again."
_SENTENCES = {
    NOT_AUTHENTICATED: NOT_SIGNED_IN,
    SESSION_ENDED: "Your session ended. Sign in and you'll return to this page.",
}


def answer(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """`response`, unless it sends a script away to sign in, or a form's sender to the form's
    address afterwards."""
    if not _leads_to_sign_in(response):
        return response
    if not navigation.page(request):
        return unauthenticated(request)
    if request.method not in ("GET", "HEAD"):
        response["Location"] = sign_in_address(navigation.current_page(request))
    return response


def unauthenticated(request: HttpRequest) -> JsonResponse:
    """401 for a program, with `body`."""
    return program_answer(body(request), 401, {"WWW-Authenticate": "Cookie"})


def body(request: HttpRequest) -> dict[str, str]:
    """Return an error body with `login_url`, the URL to sign in at."""
    ended = getattr(request, "session_ended", False)
    code = SESSION_ENDED if ended else NOT_AUTHENTICATED
    login_url = sign_in_address(navigation.current_page(request))
    return error_body(_SENTENCES[code], code) | {"login_url": login_url}


def program_answer(body: dict[str, str], status: int, headers: dict[str, str]) -> JsonResponse:
    """A JSON answer where a page visit would have got something else: no cache may mix them up."""
    response = JsonResponse(body, status=status, headers=headers)
    patch_cache_control(response, no_store=True)
    patch_vary_headers(response, ("Accept", "Sec-Fetch-Mode", "X-Requested-With"))
    return response


def sign_in_address(next_url: str) -> str:
    """Where to begin to sign in, so that it leads back to `next_url`."""
    address = resolve_url(settings.LOGIN_URL)
    return f"{address}?{urlencode({'next': next_url})}" if next_url else address


def _leads_to_sign_in(response: HttpResponseBase) -> bool:
    if response.status_code != 302:
        return False
    return urlsplit(response["Location"]).path == resolve_url(settings.LOGIN_URL)
