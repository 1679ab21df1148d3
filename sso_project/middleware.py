"""What the project itself does to every request: one host name, one content security policy."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from accounts.cognito.errors import ConfigurationError
from accounts.provider import provider

_LOOPBACK = {"localhost", "127.0.0.1", "[::1]", "::1"}


class CanonicalHostMiddleware:
    """In development, page visits on another loopback name go to the one in `PUBLIC_URL`.

    A browser keeps a sign-in's cookie for the host it began on, and the callback comes back to the
    registered one: begun on 127.0.0.1, a sign-in would return to localhost without its state.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        public_url = urlsplit(settings.PUBLIC_URL)
        if public_url.hostname not in _LOOPBACK:
            raise MiddlewareNotUsed
        self.get_response = get_response
        self.host = public_url.hostname

    def __call__(self, request: HttpRequest) -> HttpResponse:
        name, separator, port = request.get_host().rpartition(":")
        if not separator or not port.isdigit():
            name, port = request.get_host(), ""
        page_visit = request.method in ("GET", "HEAD") and "Authorization" not in request.headers
        if page_visit and name in _LOOPBACK and name != self.host:
            address = f"{self.host}:{port}" if port else self.host
            return HttpResponseRedirect(f"{request.scheme}://{address}{request.get_full_path()}")
        return self.get_response(request)


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """The policy of settings.py, and forms may also lead to the hosted UI.

    Sign-out is a form whose answer redirects there, and Chromium holds the redirects of a form
    against `form-action`: without this, signing out would stop half-way.
    """

    def get_policy_parts(self, *args: Any, **kwargs: Any) -> PolicyParts:
        parts = super().get_policy_parts(*args, **kwargs)
        try:
            hosted_ui = provider().config.domain
        except ConfigurationError:
            return parts  # the checks name it; pages that need no provider still work
        parts.update = {**(parts.update or {}), "form-action": hosted_ui}
        return parts
