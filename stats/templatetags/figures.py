"""How figures are written: 1,234.5, with a real minus sign, exactly as they are stored."""

from decimal import Decimal

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
