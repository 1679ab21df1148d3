"""The ways to authenticate, as security schemes of an OpenAPI document.

drf-spectacular finds the extensions by the authentication classes of a view.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent

from ..provider import provider
from .authentication import CognitoAuthentication, SessionAuthentication

# Swagger UI sorts them by name.
SIGN_IN, ACCESS_TOKEN, SESSION = "Cognito", "PastedAccessToken", "Session"
MACHINE, COMPAT_HEADER = "Machine", "XAccessToken"

Schema = dict[str, Any]

_SCOPES = {"openid": "who you are", "email": "your email address", "profile": "your name"}


class CognitoScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The ways to send an access token: from the hosted UI, or one that the caller has."""

    target_class = CognitoAuthentication
    match_subclasses = True

    @property
    def _accepts_header(self) -> bool:
        return bool(getattr(settings, "SPA_COMPAT", False))

    @property
    def name(self) -> list[str]:  # type: ignore[override]
        return [SIGN_IN, ACCESS_TOKEN, *([COMPAT_HEADER] if self._accepts_header else [])]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[Schema]:
        config = provider().config
        flow = {
            "authorizationUrl": config.authorize_endpoint,
            "tokenUrl": config.token_endpoint,
            "scopes": {scope: _SCOPES.get(scope, scope) for scope in config.scopes},
        }
        header = {
            "type": "apiKey",
            "in": "header",
            "name": "x-access-token",
            "description": "Deprecated: the header of the original stack, with SPA_COMPAT.",
        }
        return [
            {
                "type": "oauth2",
                "description": "Sign in at the hosted UI.",
                "flows": {"authorizationCode": flow},
            },
            {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "An access token of an accepted app client.",
            },
            *([header] if self._accepts_header else []),
        ]


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The session of a browser that signed in on this site."""

    target_class = SessionAuthentication
    name = SESSION

    def get_security_definition(self, auto_schema: Any) -> Schema:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "The session of a browser that is signed in on this site. A method that "
            "writes also requires Django's CSRF header.",
        }


def register_machine_scheme(registry: ComponentRegistry, scopes: list[str]) -> None:
    """Add the scheme of machines to the document, and `scopes` to the scheme."""
    component = ResolvedComponent(  # type: ignore[no-untyped-call]
        name=MACHINE, type=ResolvedComponent.SECURITY_SCHEMA, object=MACHINE
    )
    if component not in registry:
        flow: Schema = {"tokenUrl": provider().config.token_endpoint, "scopes": {}}
        component.schema = {
            "type": "oauth2",
            "description": "An app client that acts for itself. Its scopes are its rights.",
            "flows": {"clientCredentials": flow},
        }
        registry.register(component)
    flows = registry[component].schema["flows"]
    flows["clientCredentials"]["scopes"] |= {scope: scope for scope in scopes}
