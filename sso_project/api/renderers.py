"""Content negotiation of the API, and the browsable API under our Content-Security-Policy."""

from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer


class ContentNegotiation(DefaultContentNegotiation):
    """The default negotiation, but an unknown `?format=` is a 406, as an unknown `Accept` is."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        # Most API clients accept everything, which the default negotiation parses each time.
        is_any = request.META.get("HTTP_ACCEPT", "*/*") == "*/*"
        if is_any and not format_suffix and "format" not in request.query_params:
            return renderers[0], renderers[0].media_type
        return super().select_renderer(request, renderers, format_suffix)

    def filter_renderers(self, renderers: Any, format: str) -> list[BaseRenderer]:  # noqa: A002
        matching = [renderer for renderer in renderers if renderer.format == format]
        if not matching:
            names = ", ".join(str(renderer.format) for renderer in renderers)
            raise NotAcceptable(f"This URL has no format {format[:32]!r}. Use one of {names}.")
        return matching


class SafeBrowsableAPIRenderer(BrowsableAPIRenderer):
    """The browsable API without extra actions and the filter dialog, which use inline styles.

    Both are in Swagger UI at /docs.
    """

    def get_extra_actions(self, view: Any, status_code: int) -> None:
        return None

    def get_filter_form(self, data: Any, view: Any, request: Any) -> None:
        return None
