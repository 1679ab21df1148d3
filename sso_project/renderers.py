"""The browsable API under our Content-Security-Policy."""

from typing import Any

from rest_framework.renderers import BrowsableAPIRenderer


class SafeBrowsableAPIRenderer(BrowsableAPIRenderer):
    """Without the two parts that Django REST framework draws with inline styles: the list of extra
    actions and the filter dialog. /docs has both."""

    def get_extra_actions(self, view: Any, status_code: int) -> None:
        return None

    def get_filter_form(self, data: Any, view: Any, request: Any) -> None:
        return None
