"""Parse the numbers of a figure from JSON, files and forms, in linear time."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

MAX_VALUE_DIGITS = 15  # a JSON number (an IEEE double) can represent them exactly
MAX_NUMBER_LENGTH = 64  # characters

# At each position only one alternative can match, so a failed match takes linear time.
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_NUMBER = re.compile(
    r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]{1,9})?", re.ASCII | re.IGNORECASE
)

# JSON Schema's descriptions of a number in a text, for whole numbers in a range and for values.
VALUE_TEXT_PATTERN = r"^\s*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?\s*$"
YEAR_TEXT_PATTERN = r"^\s*\+?0{0,14}[1-9][0-9]{3}\s*$"
MONTH_TEXT_PATTERN = r"^\s*\+?0{0,16}(?:[1-9]|1[0-2])\s*$"


def whole_number(raw: Any) -> int:
    """Return a whole number of at most 18 digits. In JSON, 3.0 is the same number as 3.

    Raises:
        ValidationError: `raw` is not a whole number, such as `true` in JSON or a text "3.0".
    """
    # The exponent first: arithmetic with 1e999999999 would take too long.
    if isinstance(raw, Decimal) and raw.is_finite() and abs(raw.adjusted()) < 18:
        raw = int(raw) if raw == raw.to_integral_value() else raw
    if isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) < 10**18:
        return raw
    if isinstance(raw, str) and len(raw) <= MAX_NUMBER_LENGTH and _WHOLE.fullmatch(raw.strip()):
        return int(raw)
    raise ValidationError(_("Enter a whole number."))


def exact_decimal(raw: Any) -> Decimal:
    """Return a decimal number without rounding it.

    Raises:
        ValidationError: `raw` is not a number, is too long, or has more than 15 digits before
            the point.
    """
    if isinstance(raw, bool) or not isinstance(raw, str | int | float | Decimal):
        raise _not_a_number()
    if isinstance(raw, int) and abs(raw) >= 10**MAX_VALUE_DIGITS:
        raise too_many_digits()  # before a huge number is converted to a text
    text = str(raw)
    if len(text) > MAX_NUMBER_LENGTH:
        raise too_many_digits()
    if not _NUMBER.fullmatch(text.strip()):
        raise _not_a_number()
    number = Decimal(text.strip())
    # Checked before any arithmetic: 1e999999999 has a billion digits.
    if number and not -MAX_VALUE_DIGITS <= number.adjusted() < MAX_VALUE_DIGITS:
        raise too_many_digits()
    return number


def _not_a_number() -> ValidationError:
    return ValidationError(_("Enter a number, with a point as the decimal separator."))


def too_many_digits() -> ValidationError:
    """Return the error for a number that has more digits than a JSON number can represent."""
    message = _("Enter a number of at most %(digits)d digits.") % {"digits": MAX_VALUE_DIGITS}
    return ValidationError(message, code="max_digits")


def json_whole_number(text: str) -> int | Decimal:
    """Return the value of a JSON integer, as a Decimal if it has more digits than is allowed."""
    return int(text) if len(text) <= MAX_NUMBER_LENGTH else json_decimal(text)


def json_decimal(text: str) -> Decimal:
    """Return the exact value of a JSON number, or infinity if its exponent is out of range."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("Infinity")
