"""The view that receives the callback of the hosted UI.

It subclasses mozilla-django-oidc's view and replaces its `get`: upstream reads attempts from the
session, where parallel tabs overwrite each other, and signs users out on any callback with
`?error=`.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView

from ..audit.attempt_log import log_step
from ..cognito.authorization import Callback, parse_callback
from ..cognito.errors import CognitoError, InvalidCallback, StateMismatch
from ..core import metrics, navigation
from ..core.app_label import cookie_name, page_url
from ..core.navigation import redirect_target
from ..core.request_meta import subnet_of
from ..models import SignIn
from ..problems import unauthenticated
from ..problems.catalog import may_start_again
from ..problems.errors import SessionLost, SignedOutEverywhere, TooManyFailures
from ..problems.page import render_problem
from ..provider import provider
from ..sessions.decorators import renewal_exempt
from ..tokens.call_budget import call_budget
from . import attempts, flow, form_secret, lost_session, repeated_callback
from .attempts import SignInAttempt
from .destination import Destination
from .flow import record_refusal
from .hosted_ui import begin_attempt, path_of, redirect_to_hosted_ui
from .oidc_settings import oidc_setting

_BEGIN = "begin"  # a parameter of the callback's URL


@method_decorator((never_cache, renewal_exempt), name="dispatch")
class CallbackView(OIDCAuthenticationCallbackView):  # type: ignore[misc]
    """The callback of the hosted UI (the registered redirect_uri).

    A subclass may override `login_success()` and `login_failure()`. They return the response, and
    read what they need from `self`.
    """

    get_settings = staticmethod(oidc_setting)
    http_method_names = ("get", "head", "options")

    attempt: SignInAttempt | None = None  # None if this browser did not begin it
    error: CognitoError  # for login_failure()
    user: Any  # for login_success(), as `sign_in`
    sign_in: SignIn

    def get(self, request: HttpRequest) -> HttpResponse:
        if navigation.is_prefetch(request):
            return unauthenticated.refuse_prefetch()
        try:
            callback = parse_callback(dict(request.GET.lists()), issuers=provider().pool.issuers)
        except InvalidCallback as error:
            states = request.GET.getlist("state")
            self.attempt = attempts.load(request, states[0]) if len(states) == 1 else None
            return self._refuse(error)
        self.attempt = attempt = attempts.load(request, callback.state)
        if attempt is None:
            return self._without_attempt(callback)
        if attempts.is_used(attempt):
            return self._repeat(attempt)
        if request.method == "HEAD":
            return HttpResponseRedirect(redirect_target(attempt.next_url))
        if _BEGIN in request.GET:
            return redirect_to_hosted_ui(request, attempt)
        return self._use(attempt, callback)

    def _use(self, attempt: SignInAttempt, callback: Callback) -> HttpResponse:
        """Handle the first callback of an attempt."""
        try:
            lost_session.require_session(self.request)
            with call_budget(subnet_of(self.request)):
                if not attempts.use(attempt):
                    return self._repeat(attempt)
                try:
                    self.sign_in = self._complete(attempt, callback)
                finally:
                    repeated_callback.finish(attempt)
        except TooManyFailures as error:
            return self._throttled(error, attempt)
        except SessionLost as error:
            return self._without_session(error, attempt)
        except CognitoError as error:
            if attempt.restarted or not may_start_again(error):
                response = self._refuse(error)
            else:
                response = self._try_again(error, attempt)
        else:
            return self._signed_in(attempt)
        attempts.save(attempt.marked_used(), self.request, response)
        return response

    def _signed_in(self, attempt: SignInAttempt) -> HttpResponse:
        self.user = self.sign_in.user
        response = self.login_success()
        attempts.save(attempt.marked_used(signed_in=True), self.request, response)
        form_secret.bind(self.request, response, self.user)
        return response

    def _complete(self, attempt: SignInAttempt, callback: Callback) -> SignIn:
        """Sign the user in. Raises CognitoError leaves, as `flow.complete_sign_in` does."""
        began = datetime.fromtimestamp(attempt.started_at, UTC).isoformat()
        metrics.count("sign_ins_returned")
        log_step(attempt.reference, "callback", began=began, next=path_of(attempt))
        code = flow.accepted_code(attempt, callback)
        return flow.complete_sign_in(self.request, attempt=attempt, code=code)

    def login_success(self) -> HttpResponse:
        """Return the response to a user who has just been signed in."""
        response = HttpResponseRedirect(redirect_target(self._next_url))
        # For the page's script, which may refill a form after a return from the hosted UI. The
        # value differs for each sign-in, so that each tab recognizes one that followed its form.
        response.set_cookie(
            cookie_name("signed_in_again"),
            self.sign_in.reference or "1",
            max_age=60,
            secure=bool(settings.SESSION_COOKIE_SECURE),
            samesite="Lax",
        )
        return response

    def login_failure(self) -> HttpResponse:
        """Return the page for `error`, which has been recorded."""
        return render_problem(
            self.request,
            self.error,
            reference=self._reference,
            next_url=self._next_url,
            parameters=dict(self.attempt.parameters) if self.attempt else {},
        )

    def _refuse(self, error: CognitoError) -> HttpResponse:
        self.error = error
        if self.request.method != "HEAD":  # it has no effect
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

    def _without_session(self, error: SessionLost, attempt: SignInAttempt) -> HttpResponse:
        """Return the page that names the cause. Its button opens the requested page.

        With a SameSite=Strict cookie, that navigation from our own page is signed in.
        """
        record_refusal(self.request, error, reference=attempt.reference)
        return render_problem(
            self.request,
            error,
            reference=attempt.reference,
            retry_url=redirect_target(attempt.next_url),
        )

    def _repeat(self, attempt: SignInAttempt) -> HttpResponse:
        """Handle a callback that was handled before, or is being handled by another request."""
        if self.request.method == "HEAD" or self.request.user.is_authenticated:
            return HttpResponseRedirect(redirect_target(attempt.next_url))
        sign_in = repeated_callback.resume_sign_in(self.request, attempt)
        if sign_in is None:
            return self._start_again(self._destination(attempt))
        self.sign_in = sign_in
        return self._signed_in(attempt)

    def _without_attempt(self, callback: Callback) -> HttpResponse:
        """Handle an attempt that another browser began, or that is too old. Do not sign out."""
        destination = attempts.destination_of(callback.state)
        if self.request.user.is_authenticated and not destination.another:
            return HttpResponseRedirect(redirect_target(destination.next_url))
        if attempts.was_restarted(callback.state):
            return self._refuse(StateMismatch("no attempt of this browser has this state"))
        if callback.state or self.request.method == "HEAD":
            return self._start_again(destination._replace(another=False))  # chosen at the hosted UI
        if attempts.has_open_restart(self.request):
            return self._refuse(StateMismatch("the callback of a second try has no state either"))
        return self._begin_here()

    def _start_again(self, destination: Destination) -> HttpResponse:
        """Begin another attempt for the same page. Its state shows that it is the second one."""
        parameters = dict(destination.parameters)
        attempt = begin_attempt(
            self.request,
            destination.next_url,
            restarted=True,
            another=destination.another,
            parameters=parameters,
        )
        # A user who chose another account must not become the one that Cognito remembers.
        prompt = "login" if destination.another else ""
        return redirect_to_hosted_ui(self.request, attempt, prompt=prompt, extra=parameters)

    def _destination(self, attempt: SignInAttempt) -> Destination:
        """Return the destination of this browser's attempt. The cookie has all its parameters."""
        destination = attempts.destination_of(attempt.state)
        return destination._replace(next_url=attempt.next_url, parameters=attempt.parameters)

    def _try_again(self, error: CognitoError, attempt: SignInAttempt) -> HttpResponse:
        """Begin once more after an error that a second attempt does not have."""
        log_step(attempt.reference, "started again", level=logging.WARNING, reason=error.code)
        destination = self._destination(attempt)
        if isinstance(error, SignedOutEverywhere):
            destination = destination._replace(another=True)
        return self._start_again(destination)

    def _begin_here(self) -> HttpResponse:
        """Begin an attempt after a callback without a state, such as one that Cognito began.

        The browser is redirected to this view first. Only its cookie shows that it is the second
        try, if the next callback has no state either, so the cookie has to arrive.
        """
        attempt = begin_attempt(self.request, "", restarted=True)
        query = urlencode({"state": attempt.state, _BEGIN: 1})
        response = HttpResponseRedirect(f"{page_url('callback')}?{query}")
        attempts.save(attempt, self.request, response)
        return response
