"""URL patterns of the original stack."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path
from rest_framework.request import Request
from rest_framework.response import Response


def addresses(api: list[URLPattern | URLResolver]) -> list[URLPattern | URLResolver]:
    """The URL patterns of `api` at the root as well, and codes by GET in both places."""
    # Not at the top: whoever imports DRF's views makes DRF import this module's authentication.
    from .views import TokensView

    class CompatTokensView(TokensView):
        """Also by GET, with the code in the query: the original UI knows no other way."""

        http_method_names = ("get", "post", "options")

        def get(self, request: Request) -> Response:
            return self.exchange(request, lambda: request.query_params)

    return [
        re_path(r"^(?:api/)?auth/get-tokens/?$", CompatTokensView.as_view()),
        path("", include((api, "api"), namespace="root-api")),
    ]
