"""The metadata of this API as a protected resource (RFC 9728), for clients that know only its URL.

The document names the user pool as the authorization server. A 401 of the API leads to it. It is
public, and scripts of any origin can read it. This module does not import REST framework.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import get_script_prefix
from django.views import View

from ..cognito.resources import canonical, covering
from ..core.app_label import page_url
from ..provider import provider

MAX_AGE_SECONDS = 3600


def metadata_url(path: str) -> str:
    """Return the URL of the document of the resource that contains this path of the site.

    RFC 9728 section 3.1 inserts the well-known path between the host and the path of the resource.
    If the site is below a path of the host, so is its document.
    """
    site, below = _site()
    resource = covering(site + path, provider().pool.rules.resources) or site
    suffix = canonical(resource).removeprefix(site)
    if f"{suffix}/".startswith(f"{below}/"):
        suffix = suffix.removeprefix(below)
    return site + page_url("protected_resource") + ("" if suffix == "/" else suffix)


def _site() -> tuple[str, str]:
    """Return the URL of the host, and the path of the site below it, both without a slash."""
    return canonical(provider().public_url).rstrip("/"), get_script_prefix().rstrip("/")


class ProtectedResourceView(View):
    """The metadata of the resource of this site with the path `suffix`."""

    http_method_names = ("get", "head", "options")

    def get(self, request: HttpRequest, suffix: str = "") -> HttpResponse:
        rules, (site, below) = provider().pool.rules, _site()
        resources = {canonical(resource): resource for resource in rules.resources}
        names = (canonical(f"{site}{path}{suffix}") for path in (below, ""))
        resource = next((resources[name] for name in names if name in resources), None)
        if resource is None:
            raise Http404
        document: dict[str, Any] = {
            "resource": resource,
            "authorization_servers": [provider().config.issuer],
            # openid is in every sign-in. A client that asks for no scope would get all of its own.
            "scopes_supported": ["openid", *sorted(rules.unlisted_scopes)],
            "bearer_methods_supported": ["header"],
        }
        if name := getattr(settings, "SITE_NAME", ""):
            document["resource_name"] = name
        response = JsonResponse(document)
        response["Cache-Control"] = f"public, max-age={MAX_AGE_SECONDS}"
        return response

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = super().dispatch(request, *args, **kwargs)
        response["Access-Control-Allow-Origin"] = "*"
        # A preflight: clients send headers of their own protocol.
        response["Access-Control-Allow-Headers"] = "*"
        return response
