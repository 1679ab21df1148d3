"""Content negotiation of the API, and the browsable API under our Content-Security-Policy."""

from collections.abc import Iterable
from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer
from rest_framework.request import Request


class FastNegotiation(DefaultContentNegotiation):
    """The default negotiation, with a shortcut for a client that accepts the first renderer.

    An unknown `?format=` is a 406, like an unknown media type in `Accept`.
    """

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers), None)
        has_format = format_suffix or self.settings.URL_FORMAT_OVERRIDE in request.query_params
        if (
            first
            and not has_format
            and request.META.get("HTTP_ACCEPT", "*/*") in ("*/*", first.media_type)
        ):
            return first, str(first.media_type)
        selected: tuple[BaseRenderer, str]
        selected = super().select_renderer(request, renderers, format_suffix)
        return selected

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
