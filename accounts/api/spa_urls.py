"""URL patterns of the original stack."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ..core.db import without_transactions


def root_urlpatterns(api: list[URLPattern | URLResolver]) -> list[URLPattern | URLResolver]:
    """Return the URL patterns of `api` at the root, and the exchange of codes by GET."""
    # Not at the top: importing DRF's views makes DRF import this package's authentication.
    from .documented_errors import raises
    from .serializers import CodeSerializer, TokensSerializer
    from .views import TokensView

    class CompatTokensView(TokensView):
        """The exchange by GET, with the code in the query, as the original UI does it."""

        http_method_names = ("get", "post", "options")

        @extend_schema(
            operation_id="get_tokens_by_query",
            summary="Exchange a code in the query",
            description="The exchange of the original stack, with SPA_COMPAT. The code appears in "
            "logs and browser histories, so use POST.",
            parameters=[CodeSerializer],
            responses=TokensSerializer,
            deprecated=True,
        )
        @raises(TokensView.errors)
        def get(self, request: Request) -> Response:
            return self.exchange(request, lambda: request.query_params)

    tokens = CompatTokensView.as_view()
    return [
        *without_transactions(
            [
                re_path(r"^auth/get-tokens/?$", tokens),
                re_path(r"^api/auth/get-tokens/?$", tokens),
            ]
        ),
        path("", include((api, "api"), namespace="root-api")),
    ]
