"""What the project itself does to every request: whom it believes about HTTPS, one host name,
messages, one content security policy."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from csp.constants import HEADER
from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.messages.storage import default_storage
from django.core.exceptions import BadRequest, MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.request import split_domain_port
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject, empty

from accounts.cognito.errors import ConfigurationError
from accounts.cognito.safe_urls import LOOPBACK_HOSTS, is_loopback
from accounts.core.request_meta import is_trusted_proxy
from accounts.provider import provider

from .error_views import is_api_request

# What csp.decorators put on a response.
_VIEWS_SAY = {
    f"_csp_{name}{kind}"
    for name in ("config", "exempt", "replace", "update")
    for kind in ("", "_ro")
}


class ForwardedSchemeMiddleware:
    """Takes X-Forwarded-Proto away unless one of TRUSTED_PROXIES sent it: SECURE_PROXY_SSL_HEADER
    alone believes whoever reaches the server past the proxy."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "HTTP_X_FORWARDED_PROTO" in request.META and not is_trusted_proxy(request):
            del request.META["HTTP_X_FORWARDED_PROTO"]
        return self.get_response(request)


class CanonicalHostMiddleware:
    """In development, page visits on another loopback name go to the one in `PUBLIC_URL`.

    A browser keeps a sign-in's cookie for the host it began on, and the callback comes back to the
    registered one: begun on 127.0.0.1, a sign-in would return to localhost without its state.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not is_loopback(settings.PUBLIC_URL):
            raise MiddlewareNotUsed
        self.get_response = get_response
        self.host, _ = split_domain_port(urlsplit(settings.PUBLIC_URL).netloc)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD") or "HTTP_AUTHORIZATION" in request.META:
            return self.get_response(request)  # no page visit
        host, port = split_domain_port(request.get_host())
        if host.strip("[]") in LOOPBACK_HOSTS and host != self.host:
            address = f"{self.host}:{port}" if port else self.host
            return HttpResponseRedirect(f"{request.scheme}://{address}{request.get_full_path()}")
        return self.get_response(request)


class RefuseNulMiddleware:
    """Refuse a URL that holds a NUL character, with a 400.

    PostgreSQL raises an error for a text that holds one, and neither Django's admin filters nor
    most other code expects that. The API checks its queries itself and names the parameter.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        query = "" if is_api_request(request) else request.META.get("QUERY_STRING", "")
        if "\0" in request.path_info or "%00" in query or "\0" in query:
            raise BadRequest("The URL holds a NUL character (%00). Leave it out.")
        return self.get_response(request)


class MessagesMiddleware(MessageMiddleware):
    """Django's, opening a visitor's messages when somebody asks for them: an API never does."""

    def process_request(self, request: HttpRequest) -> None:
        request._messages = SimpleLazyObject(lambda: default_storage(request))  # type: ignore[attr-defined]

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        messages = getattr(request, "_messages", None)
        if isinstance(messages, SimpleLazyObject) and messages._wrapped is empty:
            return response
        return super().process_response(request, response)


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """The policy of settings.py, and forms may also lead to the hosted UI.

    Sign-out is a form whose answer redirects there, and Chromium holds the redirects of a form
    against `form-action`: without this, signing out would stop half-way. The text is made once, but
    for views that change it: making it took a tenth of a small request.
    """

    _usual: tuple[str | None, str] | None = None  # for which hosted UI, and the policy

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        super().__init__(get_response)
        reporting = getattr(settings, "CONTENT_SECURITY_POLICY_REPORT_ONLY", None)
        self._is_one = set(settings.CONTENT_SECURITY_POLICY) == {"DIRECTIVES"} and not reporting

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if settings.DEBUG or not self._is_one or _is_special(request, response):
            return super().process_response(request, response)
        hosted_ui = _hosted_ui()
        if self._usual is None or self._usual[0] != hosted_ui:
            plain = super().process_response(HttpRequest(), HttpResponse())
            self._usual = hosted_ui, plain.headers[HEADER]
        response.headers[HEADER] = self._usual[1]
        return response

    def get_policy_parts(self, *args: Any, **kwargs: Any) -> PolicyParts:
        parts = super().get_policy_parts(*args, **kwargs)
        if hosted_ui := _hosted_ui():
            parts.update = {**(parts.update or {}), "form-action": hosted_ui}
        return parts


def _is_special(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether a view had its say: a policy or a nonce of its own, an exemption, an update."""
    return (
        HEADER in response.headers
        or "_csp_nonce" in vars(request)
        or not _VIEWS_SAY.isdisjoint(vars(response))
    )


def _hosted_ui() -> str | None:
    try:
        return provider().config.domain
    except ConfigurationError:
        return None  # the checks name it; pages that need no provider still work
