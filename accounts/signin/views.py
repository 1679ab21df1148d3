"""The views that begin a sign-in: they redirect to the hosted UI.

They subclass mozilla-django-oidc's view and replace its `get`: upstream stores attempts in the
session, where parallel tabs overwrite each other. `CallbackView` receives what they began.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from mozilla_django_oidc.views import OIDCAuthenticationRequestView

from ..audit.attempt_log import log_step
from ..cognito.hosted_ui_parameters import accepted_parameters
from ..cognito.step_up import SignInRequirement
from ..core import navigation
from ..core.navigation import redirect_target, safe_next_url
from ..problems import unauthenticated
from ..provider import provider
from ..sessions import step_up
from .attempts import SignInAttempt
from .callback_view import CallbackView as CallbackView
from .hosted_ui import begin_attempt, redirect_to_hosted_ui
from .oidc_settings import oidc_setting


@method_decorator((never_cache, unauthenticated.begins_sign_in), name="dispatch")
class SignInView(OIDCAuthenticationRequestView):  # type: ignore[misc]
    """The redirect to the hosted UI.

    `?next=` is the page to return to. `?another=1` asks for credentials even if the user is signed
    in. The parameters of `accepted_parameters` are passed on to the hosted UI. With `max_age` and
    `acr_values`, a sign-in that meets them already is enough.

    A subclass may override `get_extra_params(request)`. Its parameters are added to the hosted UI's
    URL, and never replace those of the protocol.
    """

    get_settings = staticmethod(oidc_setting)
    http_method_names = ("get", "head", "options")
    sign_up = False
    parameter_names = frozenset(
        ("identity_provider", "idp_identifier", "login_hint", "lang", "max_age", "acr_values")
    )

    def get(self, request: HttpRequest) -> HttpResponse:
        next_url = safe_next_url(request)
        another = "another" in request.GET
        if navigation.is_prefetch(request):
            return unauthenticated.refuse_prefetch()
        # The redirect to the hosted UI becomes one of the page if htmx follows a link to this view.
        if not (navigation.is_page_request(request) or navigation.is_htmx(request)):
            return unauthenticated.unauthenticated(request)
        parameters = self._parameters(request)
        requirement = SignInRequirement.from_parameters(parameters)
        if not another and step_up.is_met(request, requirement):
            return HttpResponseRedirect(redirect_target(next_url))
        attempt = begin_attempt(request, next_url, another=another, parameters=parameters)
        self._log_dropped(request, attempt, parameters)
        return redirect_to_hosted_ui(
            request,
            attempt,
            sign_up=self.sign_up,
            prompt="login" if another else "",
            extra={**parameters, **self.get_extra_params(request)},
        )

    def _parameters(self, request: HttpRequest) -> dict[str, str]:
        options = provider().sign_in_options
        accepted = accepted_parameters(
            dict(request.GET.lists()),
            providers=options.identity_providers,
            acr_names=options.acr_values,
        )
        return {name: text for name, text in accepted.items() if name in self.parameter_names}

    def _log_dropped(
        self, request: HttpRequest, attempt: SignInAttempt, parameters: Mapping[str, str]
    ) -> None:
        """Log the names of the parameters that are not passed on, never their values."""
        dropped = sorted(self.parameter_names & set(request.GET) - set(parameters))
        if dropped:
            log_step(attempt.reference, "dropped", parameters=" ".join(dropped))


class SignUpView(SignInView):
    """The redirect to the hosted UI's page for creating an account."""

    sign_up = True
    parameter_names = frozenset(("login_hint", "lang"))  # a provider has a sign-up of its own
