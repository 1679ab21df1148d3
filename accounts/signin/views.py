"""The views that begin a sign-in and that receive its callback.

They subclass mozilla-django-oidc's views and replace their `get`: upstream stores attempts in the
session, where parallel tabs overwrite each other, and signs users out on any callback with
`?error=`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from mozilla_django_oidc.views import (
    OIDCAuthenticationCallbackView,
    OIDCAuthenticationRequestView,
)

from ..audit.attempt_log import log_step
from ..cognito.authorization import (
    Callback,
    authorize_url,
    code_challenge,
    parse_callback,
)
from ..cognito.errors import CognitoError, InvalidCallback, StateMismatch
from ..core import metrics, navigation
from ..core.app_label import cookie_name
from ..core.navigation import redirect_target, safe_next_url
from ..core.request_meta import subnet_of
from ..models import SignIn
from ..problems import unauthenticated
from ..problems.errors import TooManyFailures
from ..problems.page import render_problem
from ..provider import provider
from ..sessions.decorators import renewal_exempt
from ..tokens.call_budget import call_budget
from . import attempts, flow
from .attempts import SignInAttempt
from .flow import record_refusal
from .oidc_settings import oidc_setting


def redirect_to_hosted_ui(
    request: HttpRequest,
    attempt: SignInAttempt,
    *,
    sign_up: bool = False,
    prompt: str = "",
    extra: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Redirect to the hosted UI, with the attempt's cookie and `extra` parameters."""
    config = provider().config
    url = authorize_url(
        config,
        redirect_uri=provider().callback_url,
        state=attempt.state,
        nonce=attempt.nonce,
        code_challenge=code_challenge(attempt.code_verifier),
        prompt=prompt,
        endpoint=config.signup_endpoint if sign_up else "",
        extra=extra,
    )
    response = HttpResponseRedirect(url)
    attempts.save(attempt, request, response)
    # The path alone: a query may contain personal data.
    metrics.count("sign_ins_started")
    log_step(attempt.reference, "authorize", next=attempt.next_url.partition("?")[0])
    return response


@method_decorator(never_cache, name="dispatch")
class SignInView(OIDCAuthenticationRequestView):  # type: ignore[misc]
    """The redirect to the hosted UI.

    `?next=` is the page to return to. `?another=1` asks for credentials even if the user is signed
    in.

    A subclass may override `get_extra_params(request)`. Its parameters are added to the hosted UI's
    URL, and never replace ours.
    """

    get_settings = staticmethod(oidc_setting)
    sign_up = False

    def get(self, request: HttpRequest) -> HttpResponse:
        next_url = safe_next_url(request)
        another = "another" in request.GET
        if not navigation.is_page_request(request):
            return unauthenticated.unauthenticated(request)
        if not another and request.user.is_authenticated:
            return _already_signed_in(request, next_url)
        attempt = attempts.begin(next_url)
        return redirect_to_hosted_ui(
            request,
            attempt,
            sign_up=self.sign_up,
            prompt="login" if another else "",
            extra=self.get_extra_params(request),
        )


class SignUpView(SignInView):
    """The redirect to the hosted UI's page for creating an account."""

    sign_up = True


def _already_signed_in(request: HttpRequest, next_url: str) -> HttpResponse:
    """Redirect to the page, or raise a 403 if that page has just redirected here.

    Django's `permission_required` sends signed-in users without the permission to the sign-in page.
    Redirecting them back would be a circle.
    """
    key = "forbidden_page"
    if next_url and request.session.pop(key, None) == next_url:
        raise PermissionDenied
    if next_url:
        request.session[key] = next_url
    return HttpResponseRedirect(redirect_target(next_url))


@method_decorator((never_cache, renewal_exempt), name="dispatch")
class CallbackView(OIDCAuthenticationCallbackView):  # type: ignore[misc]
    """The callback of the hosted UI (the registered redirect_uri).

    A subclass may override `login_success()` and `login_failure()`. They return the response, and
    read what they need from `self`.
    """

    get_settings = staticmethod(oidc_setting)

    attempt: SignInAttempt | None = None  # None if this browser did not begin it
    error: CognitoError  # for login_failure()
    user: Any  # for login_success(), as `sign_in`
    sign_in: SignIn

    def get(self, request: HttpRequest) -> HttpResponse:
        try:
            callback = parse_callback(dict(request.GET.lists()), issuers=provider().pool.issuers)
        except InvalidCallback as error:
            return self._refuse(error)
        self.attempt = attempt = attempts.load(request, callback.state)
        if attempt is None:
            return self._without_attempt(callback)
        if attempts.is_used(attempt):
            return self._retry(attempt)
        try:
            with call_budget(subnet_of(request)):
                if not attempts.use(attempt):
                    return self._retry(attempt)
                self.sign_in = self._complete(attempt, callback)
        except TooManyFailures as error:
            return self._throttled(error, attempt)
        except CognitoError as error:
            response = self._refuse(error)
        else:
            self.user = self.sign_in.user
            response = self.login_success()
        attempts.save(attempt.marked_used(), request, response)
        return response

    def _complete(self, attempt: SignInAttempt, callback: Callback) -> SignIn:
        """Sign the user in. Raises CognitoError leaves, as `flow.complete_sign_in` does."""
        began = datetime.fromtimestamp(attempt.started_at, UTC).isoformat()
        metrics.count("sign_ins_returned")
        log_step(
            attempt.reference, "callback", began=began, next=attempt.next_url.partition("?")[0]
        )
        code = callback.accepted_code()
        return flow.complete_sign_in(self.request, attempt=attempt, code=code)

    def login_success(self) -> HttpResponse:
        """Return the response to a user who has just been signed in."""
        response = HttpResponseRedirect(redirect_target(self._next_url))
        # For the page's script, which may refill a form after a return from the hosted UI.
        response.set_cookie(
            cookie_name("signed_in_again"),
            "1",
            max_age=60,
            secure=bool(settings.SESSION_COOKIE_SECURE),
            samesite="Lax",
        )
        return response

    def login_failure(self) -> HttpResponse:
        """Return the page for `error`, which has been recorded."""
        return render_problem(
            self.request, self.error, reference=self._reference, next_url=self._next_url
        )

    def _refuse(self, error: CognitoError) -> HttpResponse:
        self.error = error
        record_refusal(self.request, error, reference=self._reference)
        return self.login_failure()

    @property
    def _reference(self) -> str:
        return self.attempt.reference if self.attempt else ""

    @property
    def _next_url(self) -> str:
        return self.attempt.next_url if self.attempt else ""

    def _throttled(self, error: TooManyFailures, attempt: SignInAttempt) -> HttpResponse:
        """Return a 429 that leaves the attempt unused: after the wait, a reload completes it.

        The audit log gets no event, or a flood would fill it.
        """
        metrics.count("sign_ins", result=error.code)
        log_step(attempt.reference, "refused", level=logging.WARNING, reason=error.code)
        return render_problem(
            self.request, error, reference=attempt.reference, next_url=attempt.next_url
        )

    def _retry(self, attempt: SignInAttempt) -> HttpResponse:
        """Handle a callback that was handled before, after a reload or the back button."""
        if self.request.user.is_authenticated:
            return HttpResponseRedirect(redirect_target(attempt.next_url))
        return self._start_once_more(attempt.next_url)

    def _without_attempt(self, callback: Callback) -> HttpResponse:
        """Handle an attempt that another browser began, or that is too old. Do not sign out."""
        if self.request.user.is_authenticated:
            return HttpResponseRedirect(redirect_target(""))
        if attempts.was_restarted(callback.state):
            return self._refuse(StateMismatch("no attempt of this browser has this state"))
        return self._start_once_more("")

    def _start_once_more(self, next_url: str) -> HttpResponse:
        return redirect_to_hosted_ui(self.request, attempts.begin(next_url, restarted=True))
