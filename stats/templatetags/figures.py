"""How figures are written (1,234.5, with a real minus sign, exactly as they are stored), and the
headings by which their table is sorted."""

from decimal import Decimal
from typing import Any

from django import template

MINUS = "\N{MINUS SIGN}"

register = template.Library()


@register.filter
def figure(value: Decimal) -> str:
    """1234.5 -> "1,234.5"."""
    return f"{value:,f}".replace("-", MINUS)


@register.filter
def signed(value: Decimal) -> str:
    """1234.5 -> "+1,234.5"; nothing changed -> "0"."""
    return f"{'+' if value > 0 else ''}{figure(value)}"


@register.filter
def signed_percent(value: Decimal) -> str:
    """2.345 -> "+2.3%"."""
    return f"{signed(round(value, 1))}%"


@register.filter
def thousands(count: int) -> str:
    """100000 -> "100,000"."""
    return f"{count:,}"


@register.inclusion_tag("stats/_sort_header.html", takes_context=True)
def sort_header(
    context: template.Context, name: str, label: str, css_class: str = ""
) -> dict[str, Any]:
    """A heading that sorts by `name`, the other way round when that is how it is sorted now."""
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
