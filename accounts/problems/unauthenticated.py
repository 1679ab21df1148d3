"""Responses for users who must sign in: a redirect for a page visit, a 401 for a script.

A script cannot follow a redirect to the hosted UI's origin, and its attempt would return the user
to a URL that is not a page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import resolve_url
from django.urls import Resolver404, resolve
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.translation import gettext

from ..core import navigation
from ..core.translation import gettext_noop as _
from .catalog import error_body

ResponseT = TypeVar("ResponseT", bound=HttpResponseBase)
ViewT = TypeVar("ViewT", bound=Callable[..., Any])

NOT_AUTHENTICATED = "not_authenticated"
SESSION_ENDED = "session_ended"
NOT_SIGNED_IN = _("You are not signed in. Sign in and try again.")
_RETURN = _("Sign in to return to this page.")
_MESSAGES = {
    NOT_AUTHENTICATED: NOT_SIGNED_IN,
    SESSION_ENDED: _("Your session ended. Sign in to return to this page."),
}


def is_challenge(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Return True for a redirect to LOGIN_URL, or to another page that is to return here.

    Django's own admin, and views with a `login_url`, have a sign-in page of their own.
    """
    query = urlsplit(response.headers.get("Location", "")).query
    returns_here = parse_qs(query).get(REDIRECT_FIELD_NAME) == [request.get_full_path()]
    return _redirects_to_sign_in(response) or (response.status_code == 302 and returns_here)


def begins_sign_in(view: ViewT) -> ViewT:
    """Mark a view as one that begins a sign-in, under whatever URL a host project has it."""
    view.begins_sign_in = True  # type: ignore[attr-defined]
    return view


def challenge(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Return `response`, or a 401 if it would redirect a script to the sign-in page.

    For a form, make the redirect return to the page that holds the form. Raise PermissionDenied if
    the user is signed in: the sign-in page would redirect back, in a circle. Django's
    `permission_required` redirects users without the permission.
    """
    if not _redirects_to_sign_in(response):
        return _for_htmx(request, response) if navigation.is_htmx(request) else response
    patch_vary_headers(response, navigation.VARY)
    if _returns_here(request, response) and request.user.is_authenticated:
        raise PermissionDenied("The page redirects a signed-in user to the sign-in page.")
    if not navigation.is_page_request(request):
        return unauthenticated(request)
    if request.method not in ("GET", "HEAD"):
        url, _, text = response["Location"].partition("?")
        query = dict(parse_qsl(text)) | {REDIRECT_FIELD_NAME: navigation.page_path(request)}
        response["Location"] = f"{url}?{urlencode(query)}"
    return response


def refuse_prefetch() -> HttpResponse:
    """Return a response that browsers discard, so that they load the page when it is opened."""
    text = gettext("This page is loaded when you open it.")
    response = HttpResponse(text, "text/plain; charset=utf-8", status=403)
    patch_cache_control(response, no_store=True)
    patch_vary_headers(response, ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"))
    return response


def unauthenticated(request: HttpRequest) -> JsonResponse:
    """Return a 401 for a script, with `challenge_body`. htmx goes to the sign-in page."""
    response = json_response(challenge_body(request), 401, {"WWW-Authenticate": "Cookie"})
    return _for_htmx(request, response) if navigation.is_htmx(request) else response


def challenge_body(request: HttpRequest) -> dict[str, str]:
    """Return an error body with `login_url`, the URL to sign in at."""
    ended = getattr(request, "session_ended", False)
    code = SESSION_ENDED if ended else NOT_AUTHENTICATED
    login_url = sign_in_url(navigation.page_path(request))
    reason = getattr(request, "session_end_message", "")
    message = gettext(_MESSAGES[code])
    if reason:
        message = f"{reason} {gettext(_RETURN)}"
    return error_body(message, code) | {"login_url": login_url}


def json_response(body: dict[str, str], status: int, headers: dict[str, str]) -> JsonResponse:
    """Return a JSON response for a URL that returns a page to browsers, with headers for caches."""
    response = JsonResponse(body, status=status, headers=headers)
    patch_cache_control(response, no_store=True)
    patch_vary_headers(response, navigation.VARY)
    return response


def sign_in_url(next_url: str) -> str:
    """Return the URL that starts a sign-in and returns to `next_url`, if it is not empty."""
    url = resolve_url(settings.LOGIN_URL)
    return f"{url}?{urlencode({REDIRECT_FIELD_NAME: next_url})}" if next_url else url


def _for_htmx(request: HttpRequest, response: ResponseT) -> ResponseT:
    """Make htmx go to another page, with HX-Redirect (https://htmx.org/headers/hx-redirect/).

    It does so after a 401, and if the response redirects to another site, which the browser does
    not let it follow: to the hosted UI, when a user signs in or out.
    """
    if response.status_code == 401 and "Authorization" not in request.headers:
        # A view that requires a stronger sign-in has set its own.
        response.headers.setdefault("HX-Redirect", sign_in_url(navigation.page_path(request)))
    location = response.headers.get("Location", "")
    if urlsplit(location).netloc not in ("", request.get_host()):
        response.status_code = 200  # htmx reads no headers of a redirect
        response["HX-Redirect"] = location
        del response["Location"]
    patch_vary_headers(response, navigation.VARY)
    return response


def _redirects_to_sign_in(response: HttpResponseBase) -> bool:
    if response.status_code != 302:
        return False
    path = urlsplit(response["Location"]).path
    return path == resolve_url(settings.LOGIN_URL) or _is_marked(path)


def _is_marked(path: str) -> bool:
    try:
        return bool(getattr(resolve(path).func, "begins_sign_in", False))
    except Resolver404:
        return False


def _returns_here(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Return True if a user who is signed in would only be redirected back to this page."""
    query = parse_qs(urlsplit(response["Location"]).query)
    if set(query) - {REDIRECT_FIELD_NAME}:
        return False  # the page asks for more than a session, such as for another account
    wanted = urlsplit(navigation.redirect_target(query.get(REDIRECT_FIELD_NAME, [""])[0]))
    return urlunsplit(("", "", wanted.path, wanted.query, "")) == request.get_full_path()
