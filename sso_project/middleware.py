"""The middleware of this project.

Language, HTTPS behind a proxy, host name, NUL, sessions, messages and CSP.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from csp.constants import HEADER
from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.contrib.messages.storage import default_storage
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import BadRequest, MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.request import split_domain_port
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject, empty
from whitenoise.middleware import (  # type: ignore[import-untyped]
    WhiteNoiseFileResponse,
    WhiteNoiseMiddleware,
)

from accounts.async_middleware import LocaleMiddleware, MessageMiddleware, SessionMiddleware
from accounts.cognito.errors import ConfigurationError
from accounts.cognito.safe_urls import LOOPBACK_HOSTS, is_loopback
from accounts.core.event_loop import EventLoopMiddleware
from accounts.core.request_meta import is_trusted_proxy
from accounts.provider import provider

from .error_views import is_api_request

# The attributes that csp.decorators set on a response.
_CSP_ATTRIBUTES = {
    f"_csp_{name}{kind}"
    for name in ("config", "exempt", "replace", "update")
    for kind in ("", "_ro")
}


class LanguageMiddleware(LocaleMiddleware):
    """Django's middleware, which also names the cookie of the language to caches.

    Place it before everything that returns text. The language stays active in the thread, so
    without it, a response could be in the language of the previous request. Static files are the
    same in all languages.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        is_static_file = isinstance(response, WhiteNoiseFileResponse)
        if is_static_file:
            return response
        patch_vary_headers(response, ("Cookie",))
        localized: HttpResponseBase = super().process_response(request, response)
        return localized


class ForwardedSchemeMiddleware(EventLoopMiddleware):
    """Remove X-Forwarded-Proto unless one of TRUSTED_PROXIES sent it.

    SECURE_PROXY_SSL_HEADER alone would also trust a client that bypasses the proxy.
    """

    def process_request(self, request: HttpRequest) -> None:
        if "HTTP_X_FORWARDED_PROTO" in request.META and not is_trusted_proxy(request):
            del request.META["HTTP_X_FORWARDED_PROTO"]


class StaticFilesMiddleware(EventLoopMiddleware):
    """WhiteNoise's middleware, with a thread to open a file."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        super().__init__(get_response)
        self._files = WhiteNoiseMiddleware(lambda request: None)

    def request_needs_thread(self, request: HttpRequest) -> bool:
        return self._files.autorefresh or request.path_info in self._files.files

    def process_request(self, request: HttpRequest) -> Any:
        return self._files(request)


class CanonicalHostMiddleware(EventLoopMiddleware):
    """Redirect page requests on another loopback name to the one in `PUBLIC_URL`, in development.

    A cookie belongs to the host that set it, and the callback URL has the registered host. A
    sign-in that starts on 127.0.0.1 would return to localhost without its state cookie.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not is_loopback(settings.PUBLIC_URL):
            raise MiddlewareNotUsed
        super().__init__(get_response)
        self.host, _ = split_domain_port(urlsplit(settings.PUBLIC_URL).netloc)

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        if request.method not in ("GET", "HEAD") or "HTTP_AUTHORIZATION" in request.META:
            return None
        host, port = split_domain_port(request.get_host())
        if host.strip("[]") in LOOPBACK_HOSTS and host != self.host:
            netloc = f"{self.host}:{port}" if port else self.host
            return HttpResponseRedirect(f"{request.scheme}://{netloc}{request.get_full_path()}")
        return None


class RefuseNulMiddleware(EventLoopMiddleware):
    """Reject a URL that holds a NUL character with a 400.

    PostgreSQL raises an error for a text with a NUL, which Django's admin filters do not handle.
    The API checks its queries itself and names the parameter.
    """

    def process_request(self, request: HttpRequest) -> None:
        query = "" if is_api_request(request) else request.META.get("QUERY_STRING", "")
        if "\0" in request.path_info or "%00" in query or "\0" in query:
            raise BadRequest("The URL holds a NUL character (%00). Leave it out.")


class SessionsMiddleware(SessionMiddleware):
    """Django's middleware, which returns the response of a request whose session was replaced.

    A sign-in in another tab replaces the session ID. Django would answer a slow request that
    changed the old session with 400, although its view has done its work. The change of the
    session, such as a message, is lost.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        try:
            return super().process_response(request, response)
        except SessionInterrupted:
            return response


class MessagesMiddleware(MessageMiddleware):
    """Django's middleware, which loads the messages only when they are used.

    The API never uses them.
    """

    def process_request(self, request: HttpRequest) -> None:
        request._messages = SimpleLazyObject(lambda: default_storage(request))  # type: ignore[attr-defined]

    def response_needs_thread(self, request: HttpRequest, response: HttpResponseBase) -> bool:
        return not _is_unread(request)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        return response if _is_unread(request) else super().process_response(request, response)


def _is_unread(request: HttpRequest) -> bool:
    messages = getattr(request, "_messages", None)
    return isinstance(messages, SimpleLazyObject) and messages._wrapped is empty


class ContentSecurityPolicyMiddleware(CSPMiddleware, EventLoopMiddleware):
    """The policy of settings.py, with the hosted UI added to `form-action`.

    The sign-out form redirects to the hosted UI, and Chromium applies `form-action` to the
    redirects of a form. The header is built once, except for views that change the policy.
    """

    _cached: tuple[str | None, str] | None = None  # the URL of the hosted UI, and the header

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        super().__init__(get_response)
        report_only = getattr(settings, "CONTENT_SECURITY_POLICY_REPORT_ONLY", None)
        has_only_directives = set(settings.CONTENT_SECURITY_POLICY) == {"DIRECTIVES"}
        self._can_cache = has_only_directives and not report_only

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if settings.DEBUG or not self._can_cache or _has_own_policy(request, response):
            return super().process_response(request, response)
        hosted_ui = _hosted_ui()
        if self._cached is None or self._cached[0] != hosted_ui:
            plain = super().process_response(HttpRequest(), HttpResponse())
            self._cached = hosted_ui, plain.headers[HEADER]
        response.headers[HEADER] = self._cached[1]
        return response

    def get_policy_parts(self, *args: Any, **kwargs: Any) -> PolicyParts:
        parts = super().get_policy_parts(*args, **kwargs)
        if hosted_ui := _hosted_ui():
            parts.update = {**(parts.update or {}), "form-action": hosted_ui}
        return parts


def _has_own_policy(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Return True if the view set or changed the policy, used a nonce or is exempt."""
    return (
        HEADER in response.headers
        or "_csp_nonce" in vars(request)
        or not _CSP_ATTRIBUTES.isdisjoint(vars(response))
    )


def _hosted_ui() -> str | None:
    try:
        return provider().config.domain
    except ConfigurationError:
        return None  # the system checks report it, and some pages need no provider
