"""Middleware that renews tokens, signs out browsers whose sign-in ended, and forbids caching."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import auth
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.functional import SimpleLazyObject, empty

from .audit.attempt_log import log_step
from .cognito.errors import CognitoError
from .core import navigation
from .core.request_context import CurrentRequest
from .models import SignIn
from .problems import unauthenticated
from .problems.catalog import error_body, problem_for, retry_after
from .problems.page import render_problem
from .provider import provider
from .sessions import browser_session, cognito_sessions, ending, limits, renewal

LAST_SEEN_INTERVAL = timedelta(minutes=1)  # one write a minute at most
ResponseT = Callable[..., HttpResponseBase]


class PrivateResponseMiddleware:
    """Middleware that adds `Cache-Control: no-store, private` to responses with a user's data.

    These are responses that set a cookie or may hold a form token, responses in a session, and
    responses to an authenticated API call (RFC 9111 section 3: a shared cache may store them
    otherwise). It replaces the view's own header, except for `no-store` and `private, no-cache`.
    Place it before SessionMiddleware, so that it sees all cookies.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        declared = response.headers.get("Cache-Control", "").lower().split(",")
        directives = {directive.strip() for directive in declared}
        if "no-store" in directives:
            return response
        if _sets_cookie(request, response) or (
            _is_of_user(request) and not {"no-cache", "private"} <= directives
        ):
            response.headers["Cache-Control"] = "no-store, private"
        return response


def _sets_cookie(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Return True if the response sets a cookie or may hold a form token, which belongs to one."""
    # `get_token` adds this member. Django sets the cookie then, or keeps the token in the session.
    has_token = "CSRF_COOKIE_NEEDS_UPDATE" in request.META
    return has_token or bool(response.cookies) or "Set-Cookie" in response.headers


def _is_of_user(request: HttpRequest) -> bool:
    """Return True in a session and for an authenticated API call. This makes no query."""
    session = getattr(request, "session", None)
    if session is not None and not session.is_empty():
        return True
    user = getattr(request, "user", None)
    if isinstance(user, SimpleLazyObject) and user._wrapped is empty:
        return False  # not read, so the response cannot depend on it
    return bool(getattr(user, "is_authenticated", False))


class SignInMiddleware:
    """Middleware that sets `request.sign_in` to the live `SignIn` of this browser, or None.

    Place it after AuthenticationMiddleware. If the sign-in of a session has ended, the session is
    emptied and the request continues as anonymous.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with CurrentRequest(request):
            sign_in = end_if_expired(browser_session.current_sign_in(request))
            ended = sign_in is None and browser_session.has_sign_in(request)
            if sign_in is not None:
                browser_session.rehash_session(request, sign_in)
            _set(request, sign_in, ended=ended)
            return unauthenticated.challenge(request, self.get_response(request))

    def process_view(
        self, request: HttpRequest, view: ResponseT, args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        sign_in: SignIn | None = request.sign_in  # type: ignore[attr-defined]
        if sign_in is None or getattr(view, "renewal_exempt", False):
            return None
        try:
            fresh = renewal.renew_if_due(sign_in)
        except CognitoError as error:
            return _retry_response(request, error, sign_in)
        _set(request, fresh, ended=fresh is None)
        if fresh is None:
            cognito_sessions.explain_end(request, sign_in)
        return None


def _set(request: HttpRequest, sign_in: SignIn | None, *, ended: bool) -> None:
    if ended:
        auth.logout(request)
    request.sign_in = sign_in  # type: ignore[attr-defined]
    request.session_ended = ended  # type: ignore[attr-defined]


def end_if_expired(sign_in: SignIn | None) -> SignIn | None:
    """Return the sign-in and update its last use, or end it and return None if it is expired."""
    if sign_in is None:
        return None
    if reason := limits.limit_reached(sign_in):
        ending.end_sign_in(sign_in, reason=reason)
        return None
    now, idle = timezone.now(), timedelta(seconds=provider().limits.session_idle)
    if now - sign_in.last_seen_at >= min(LAST_SEEN_INTERVAL, idle / 5):
        SignIn.objects.live().filter(pk=sign_in.pk).update(last_seen_at=now)
        sign_in.last_seen_at = now
    return sign_in


def _retry_response(request: HttpRequest, error: CognitoError, sign_in: SignIn) -> HttpResponseBase:
    """Return a 503: the sign-in cannot be renewed now. It stays as it is."""
    problem = problem_for(error)
    if navigation.is_page_request(request):
        return render_problem(
            request, error, reference=sign_in.reference, retry_url=navigation.page_path(request)
        )
    log_step(sign_in.reference, "could not be renewed", level=logging.WARNING, reason=error.code)
    body = error_body(problem.sentence, problem.code)
    headers = {"Retry-After": str(retry_after(error))}
    return unauthenticated.json_response(body, problem.status, headers)
