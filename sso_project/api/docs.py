"""The API's documentation: `/openapi.json` (OpenAPI 3.1) and Swagger UI at `/docs`.

"Authorize" opens the hosted UI in a new window and signs in with the public app client and PKCE.
That window passes the authorization code to the page that opened it. So the two pages have no
Cross-Origin-Opener-Policy, and their `connect-src` includes the token endpoint.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.generic import TemplateView
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.permissions import AllowAny

from accounts.provider import provider

SIGN_IN, ACCESS_TOKEN = "Cognito", "PastedAccessToken"  # Swagger UI sorts them by name


def api_endpoints_only(endpoints: list[Any], **kwargs: Any) -> list[Any]:
    """Return the endpoints below /api/, each once, without its optional trailing slash."""
    return [
        (path.rstrip("/"), path_regex, method, callback)
        for path, path_regex, method, callback in endpoints
        if path.startswith("/api/") and method != "OPTIONS"
    ]


class CognitoScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The two ways to authorize in Swagger UI: the hosted UI, or a pasted access token."""

    target_class = "accounts.authentication.CognitoAuthentication"
    match_subclasses = True
    name = [SIGN_IN, ACCESS_TOKEN]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        config = provider().config
        flow = {
            "authorizationUrl": config.authorize_endpoint,
            "tokenUrl": config.token_endpoint,
            "scopes": {scope: _SCOPES.get(scope, scope) for scope in config.scopes},
        }
        return [
            {"type": "oauth2", "flows": {"authorizationCode": flow}},
            {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        ]


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The session of a browser that signed in on this site."""

    target_class = "accounts.authentication.SessionAuthentication"
    name = "Session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


_SCOPES = {"openid": "who you are", "email": "your email address", "profile": "your name"}


class SchemaView(SpectacularJSONAPIView):
    """The OpenAPI document. It is public, because it holds no data."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


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
        return super().get_context_data(**kwargs, swagger=swagger)


class OAuthRedirectView(_OpenerPage):
    """The callback URL of "Authorize", to be registered at the public app client."""

    template_name = "docs/oauth2_redirect.html"
