"""Middleware that renews tokens, signs out browsers whose sign-in ended, and forbids caching."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.functional import SimpleLazyObject, empty

from .audit.attempt_log import log_step
from .cognito.errors import CognitoError
from .core import navigation
from .core.db import is_atomic_view
from .core.event_loop import EventLoopMiddleware
from .core.request_context import CurrentRequest
from .models import SignIn
from .problems import unauthenticated
from .problems.catalog import error_body, problem_for, retry_after
from .problems.page import render_problem
from .provider import provider
from .sessions import browser_session, ending, limits, renewal, request_user

LAST_SEEN_INTERVAL = timedelta(minutes=1)  # one write a minute at most


class PrivateResponseMiddleware(EventLoopMiddleware):
    """Middleware that adds `Cache-Control: no-store, private` to responses with a user's data.

    These are responses that set a cookie or may hold a form token, responses in a session, and
    responses to an authenticated API call (RFC 9111 section 3: a shared cache may store them
    otherwise). It replaces the view's own header, except for `no-store` and `private, no-cache`.
    Place it before SessionMiddleware, so that it sees all cookies.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
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


class SignInMiddleware(EventLoopMiddleware):
    """Middleware that sets `request.sign_in` to the live `SignIn` of this browser, or None.

    Place it after AuthenticationMiddleware. If the sign-in of a session has ended, the session is
    emptied and the request continues as anonymous. Reading `request.user` renews the tokens (see
    sessions/request_user.py). If that fails for now, `request.renewal_error` is set, and a response
    that requires a user becomes a 503.

    In an asynchronous stack, a thread reads the session and the sign-in, and no thread waits for
    the view. A request without a session needs none.
    """

    def __call__(self, request: Any) -> Any:
        if self.async_mode:
            return self.__acall__(request)
        with CurrentRequest(request):
            _prepare(request)
            sign_in = _begin(request)
            return _finish(request, sign_in, self.get_response(request))

    async def __acall__(self, request: Any) -> Any:
        with CurrentRequest(request):
            _prepare(request)
            sign_in = None
            if request.session.session_key:
                sign_in = await sync_to_async(_begin)(request)
            response = await self.get_response(request)
            if request.renewal_error is None and response.status_code != 302:
                return unauthenticated.challenge(request, response)  # it reads no user then
            return await sync_to_async(_finish)(request, sign_in, response)

    def process_view(self, request: Any, view: Callable[..., Any], *args: Any) -> None:
        request.is_view_reached = True  # a failed CSRF check ends before
        if request.sign_in is not None and is_atomic_view(view, SignIn):
            # Renewed before the view's transaction begins. Cognito accepts each refresh token
            # once, so the new one must stay even if the view fails.
            bool(request.user.is_authenticated)

    def view_needs_thread(self, request: Any, view: Callable[..., Any]) -> bool:
        return request.sign_in is not None and is_atomic_view(view, SignIn)


def _prepare(request: Any) -> None:
    request.sign_in = request.renewal_error = None
    request.session_ended = request.is_view_reached = False


def _begin(request: Any) -> SignIn | None:
    """Set the live sign-in and its user, or empty the session of a sign-in that has ended."""
    sign_in = end_if_expired(browser_session.current_sign_in(request))
    if sign_in is not None:
        browser_session.rehash_session(request, sign_in)
        request_user.attach(request, sign_in)
    elif browser_session.has_sign_in(request):
        request_user.end_session(request)
    return sign_in


def _finish(request: Any, sign_in: SignIn | None, response: HttpResponseBase) -> HttpResponseBase:
    error: CognitoError | None = request.renewal_error
    if error is not None and sign_in is not None and _requires_user(request, response):
        return _retry_response(request, error, sign_in)
    return unauthenticated.challenge(request, response)


def end_if_expired(sign_in: SignIn | None) -> SignIn | None:
    """Return the sign-in and update its last use, or end it and return None if it is expired.

    A request that needs a renewal does not count as use before the renewal, which updates it.
    """
    if sign_in is None:
        return None
    if reason := limits.limit_reached(sign_in):
        ending.end_sign_in(sign_in, reason=reason)
        return None
    now, idle = timezone.now(), timedelta(seconds=provider().limits.session_idle)
    is_old = now - sign_in.last_seen_at >= min(LAST_SEEN_INTERVAL, idle / 5)
    if is_old and renewal.is_usable(sign_in):
        SignIn.objects.live().filter(pk=sign_in.pk).update(last_seen_at=now)
        sign_in.last_seen_at = now
    return sign_in


def _requires_user(request: Any, response: HttpResponseBase) -> bool:
    """Return True if the view refused the request because it has no user."""
    if response.status_code in (401, 403):
        return bool(request.is_view_reached)
    view = request.resolver_match and request.resolver_match.func
    is_public = not getattr(view, "login_required", True)  # Django's login_not_required
    return not is_public and unauthenticated.is_challenge(request, response)


def _retry_response(request: HttpRequest, error: CognitoError, sign_in: SignIn) -> HttpResponseBase:
    """Return a 503: the sign-in cannot be renewed now. It stays as it is."""
    problem = problem_for(error)
    if navigation.is_page_request(request):
        return render_problem(
            request, error, reference=sign_in.reference, retry_url=navigation.page_path(request)
        )
    log_step(sign_in.reference, "could not be renewed", level=logging.WARNING, reason=error.code)
    body = error_body(problem.sentence, problem.code)
    seconds = retry_after(error)
    headers = {"Retry-After": str(seconds)} if seconds else {}
    return unauthenticated.json_response(body, problem.status, headers)
