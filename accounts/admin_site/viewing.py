"""Lists of the admin show and search other models only for staff who can view those."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from .view_permission import can_look_up


class OwnModelOnly:
    """Mixin for ModelAdmin. A search by another model's column would show it letter by letter."""

    model: Any

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        fields = super().get_search_fields(request)  # type: ignore[misc]
        return [field for field in fields if can_look_up(request, self.model, field)]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Leave out filters that would list rows of another model."""
        filters = super().get_list_filter(request)  # type: ignore[misc]
        return [
            item
            for item in filters
            if not isinstance(item, str) or can_look_up(request, self.model, item)
        ]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        allowed: bool = super().lookup_allowed(lookup, value, request)  # type: ignore[misc]
        return allowed and can_look_up(request, self.model, lookup)
