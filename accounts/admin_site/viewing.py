"""Admin lists that search and filter by another model only if staff can view that model."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from .view_permission import can_look_up


class OwnModelOnly:
    """Mixin for ModelAdmin that removes searches and filters by models that staff cannot view.

    Otherwise, a search by such a column would reveal its values letter by letter.
    """

    model: Any

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        fields = super().get_search_fields(request)  # type: ignore[misc]
        return [field for field in fields if can_look_up(request, self.model, field)]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        filters = super().get_list_filter(request)  # type: ignore[misc]
        return [
            item
            for item in filters
            if not isinstance(item, str) or can_look_up(request, self.model, item)
        ]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        allowed: bool = super().lookup_allowed(lookup, value, request)  # type: ignore[misc]
        return allowed and can_look_up(request, self.model, lookup)
