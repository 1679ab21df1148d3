"""Format figures: 1,234.5, with a minus sign, without rounding."""

from decimal import Decimal
from functools import cache

from django import template
from django.utils.formats import get_format
from django.utils.translation import get_language

MINUS = "\N{MINUS SIGN}"

register = template.Library()


@register.filter
def figure(value: Decimal) -> str:
    """Return 1234.5 as "1,234.5", with the separators of the active language."""
    return f"{value:,f}".translate(signs())


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
    return f"{count:,}".translate(signs())


def signs() -> dict[int, str]:
    """Return the separators of the active language and the minus sign, for `str.translate`."""
    return _signs(get_language())


@cache
def _signs(language: str | None) -> dict[int, str]:
    separators = {",": "THOUSAND_SEPARATOR", ".": "DECIMAL_SEPARATOR"}
    texts = {sign: str(get_format(name, language)) for sign, name in separators.items()}
    return str.maketrans({**texts, "-": MINUS})
