"""The headings of the browsable API."""

from typing import Any

from django.utils.text import capfirst
from rest_framework.views import get_view_name


def view_name(view: Any) -> str:
    """Return the heading of the browsable API: "Figures", or "Figure" for one of them."""
    queryset = getattr(view, "queryset", None)
    if queryset is None or getattr(view, "name", None):
        name: str = get_view_name(view)
        return name
    meta = queryset.model._meta
    is_one = getattr(view, "detail", False)
    return str(capfirst(meta.verbose_name if is_one else meta.verbose_name_plural))
