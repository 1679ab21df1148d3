"""The API's documentation: `/openapi.json` (OpenAPI 3.1) and Swagger UI at `/docs`.

"Authorize" opens the hosted UI in a new window and signs in with the public app client and PKCE.
That window passes the authorization code to the page that opened it. So the two pages have no
Cross-Origin-Opener-Policy, and their `connect-src` includes the token endpoint.
"""

from __future__ import annotations

from functools import lru_cache
from threading import Lock
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import get_script_prefix, reverse
from django.utils import translation
from django.views.generic import TemplateView
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.provider import provider

_COMPAT = """

This server has `SPA_COMPAT` on: `/user`, `/stats`, `/info/server` and `/auth/get-tokens` respond
like the same paths below `/api`, and `x-access-token` replaces the `Authorization` header. Both are
deprecated."""


def api_endpoints_only(endpoints: list[Any], **kwargs: Any) -> list[Any]:
    """Return the endpoints below /api/, each once, without its optional trailing slash."""
    unique: dict[tuple[str, str], Any] = {}
    for path, path_regex, method, callback in endpoints:
        if path.startswith("/api/") and method != "OPTIONS":
            endpoint = (path.rstrip("/"), path_regex, method, callback)
            unique.setdefault((path.rstrip("/"), method), endpoint)
    return list(unique.values())


def describe_server(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Add the path of the site below its host, such as the stage of an API Gateway."""
    result["servers"] = [{"url": get_script_prefix().rstrip("/") or "/"}]
    if settings.SPA_COMPAT:
        result["info"]["description"] += _COMPAT
    return result


class SchemaView(SpectacularJSONAPIView):
    """The OpenAPI document, in English. It is public, because it holds no data."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        # drf-spectacular's own method takes `?lang=`, and Django keeps the catalog of any name.
        with _generating, translation.override(None):
            document = _document(
                settings.ROOT_URLCONF,
                settings.SPA_COMPAT,
                settings.SESSION_COOKIE_NAME,
                get_script_prefix(),
                provider().config,
            )
        name = self._get_filename(request, "")  # type: ignore[no-untyped-call]
        return Response(document, headers={"Content-Disposition": f'inline; filename="{name}"'})


_generating = Lock()  # drf-spectacular loads its extensions without one


@lru_cache(maxsize=4)
def _document(*source: object) -> Any:
    """Generate the document, which takes half a second. `source` is what can change it."""
    return SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]


class _OpenerPage(TemplateView):
    """A page that exchanges messages with the window that opened it, or that it opened."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().get(request, *args, **kwargs)
        response["Cross-Origin-Opener-Policy"] = "unsafe-none"  # else `window.opener` is null
        # The middleware adds this to the policy of settings.py.
        response._csp_update = {"connect-src": provider().config.domain}  # type: ignore[attr-defined]
        return response


class DocsView(_OpenerPage):
    """Swagger UI. Without COGNITO_PUBLIC_CLIENT_ID it explains that it cannot sign users in."""

    template_name = "docs/swagger_ui.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        current = provider()
        swagger = {
            "schema": reverse("openapi"),
            "redirect": current.public_url + reverse("docs-redirect"),
            "clientId": current.public_client_id,
            "scopes": list(current.config.scopes),
        }
        return super().get_context_data(**kwargs, swagger=swagger, has_own_main=True)


class OAuthRedirectView(_OpenerPage):
    """The callback URL of "Authorize", to be registered at the public app client."""

    template_name = "docs/oauth2_redirect.html"
