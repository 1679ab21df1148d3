"""Format figures (1,234.5, with a minus sign, without rounding), and sort their table."""

from decimal import Decimal
from functools import cache
from typing import Any

from django import template
from django.utils.formats import get_format
from django.utils.translation import get_language

MINUS = "\N{MINUS SIGN}"

register = template.Library()


@register.filter
def figure(value: Decimal) -> str:
    """Return 1234.5 as "1,234.5", with the separators of the active language."""
    return _localized(f"{value:,f}").replace("-", MINUS)


@register.filter
def signed(value: Decimal) -> str:
    """Return 1234.5 as "+1,234.5", and 0 as "0"."""
    return f"{'+' if value > 0 else ''}{figure(value)}"


@register.filter
def signed_percent(value: Decimal) -> str:
    """Return 2.345 as "+2.3%"."""
    return f"{signed(round(value, 1))}%"


@register.filter
def thousands(count: int) -> str:
    """Return 100000 as "100,000", with the separator of the active language."""
    return _localized(f"{count:,}")


def _localized(text: str) -> str:
    return text.translate(_separators(get_language()))


@cache
def _separators(language: str | None) -> dict[int, str]:
    separators = {",": "THOUSAND_SEPARATOR", ".": "DECIMAL_SEPARATOR"}
    return {ord(sign): str(get_format(name, language)) for sign, name in separators.items()}


@register.inclusion_tag("stats/_sort_header.html", takes_context=True)
def sort_header(
    context: template.Context, name: str, label: str, css_class: str = ""
) -> dict[str, Any]:
    """Render a heading that sorts by `name`, or reverses the order if it is sorted by `name`."""
    view, request = context.get("view"), context["request"]
    sort = view.sort if view else ""
    query = request.GET.copy()
    query["ordering"] = f"-{name}" if sort == name else name
    query.pop("page", None)
    directions = {name: "ascending", f"-{name}": "descending"}
    return {
        "address": f"?{query.urlencode()}",
        "label": label,
        "css_class": css_class,
        "direction": directions.get(sort, ""),
    }
