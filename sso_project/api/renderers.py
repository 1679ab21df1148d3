"""What the API answers in: the choice, and the browsable API under our Content-Security-Policy."""

from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer
from rest_framework.request import Request


class QuickNegotiation(DefaultContentNegotiation):
    """The usual one. Whoever takes anything, or asks for what comes first anyway, gets that at
    once: comparing media types took 3% of a list."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers), None)
        named = format_suffix or self.settings.URL_FORMAT_OVERRIDE in request.query_params
        if (
            first
            and not named
            and request.META.get("HTTP_ACCEPT", "*/*") in ("*/*", first.media_type)
        ):
            return first, str(first.media_type)
        chosen: tuple[BaseRenderer, str]
        chosen = super().select_renderer(request, renderers, format_suffix)
        return chosen


class SafeBrowsableAPIRenderer(BrowsableAPIRenderer):
    """Without the two parts that Django REST framework draws with inline styles: the list of extra
    actions and the filter dialog. /docs has both."""

    def get_extra_actions(self, view: Any, status_code: int) -> None:
        return None

    def get_filter_form(self, data: Any, view: Any, request: Any) -> None:
        return None
