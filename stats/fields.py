"""Model fields that enforce the rules of names and values, for forms, the API and bulk loads.

As with `auto_now`, Django calls `pre_save` for `save()` and `bulk_create()`, but not for
`bulk_update()` or `QuerySet.update()`.
"""

import unicodedata
from decimal import Context, Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from accounts.core.csv_cells import FORMULA_SIGNS

from .exact_numbers import MAX_VALUE_DIGITS, exact_decimal, too_many_digits

MAX_VALUE = 10**MAX_VALUE_DIGITS - 1
MAX_KEY_LENGTH = 255
_EXACT = Context(prec=2 * MAX_VALUE_DIGITS)  # the default of 28 digits would round


def kpi_key(name: str) -> str:
    """Return `name` stripped, case-folded and composed: the same key for all spellings of a KPI.

    This is Unicode's canonical caseless match (The Unicode Standard, section 3.13, D145), stored
    as NFC. A text that is too long for a name is returned unchanged, because normalizing takes
    quadratic time.
    """
    if len(name) > MAX_KEY_LENGTH:
        return name
    folded = unicodedata.normalize("NFD", name.strip()).casefold()
    return unicodedata.normalize("NFC", folded)


def validate_kpi(name: str) -> None:
    """Check that a spreadsheet would not run `name` as a formula, and that it is printable.

    Raises:
        ValidationError: it begins like a formula, or holds control characters.
    """
    if name.lstrip().startswith(FORMULA_SIGNS):
        raise ValidationError(
            _(
                "The name must not begin with =, +, - or @, because a spreadsheet would run it as a"
                " formula."
            ),
            code="formula",
        )
    if not name.strip().isprintable():
        message = _("The name must not contain control characters.")
        raise ValidationError(message, code="unprintable")


# JSON Schema's description of `validate_kpi` and of the length. No pattern that works in every
# language lists all characters that are not printable: these are common ones.
_UNPRINTABLE = (
    r"\u0000-\u001f\u007f-\u00a0\u00ad\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
)
_SIGNS = "".join(sorted(filter(str.isprintable, FORMULA_SIGNS), key="-".__eq__))  # - is last
KPI_PATTERN = (
    rf"^\s*(?![{_SIGNS}])[^\s{_UNPRINTABLE}](?:[^{_UNPRINTABLE}]{{0,62}}[^\s{_UNPRINTABLE}])?\s*$"
)


class KpiKeyField(models.CharField):  # type: ignore[type-arg] # no [] at run time
    """A column with the key of `kpi`, updated at each save."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        key = kpi_key(str(model_instance.kpi))  # type: ignore[attr-defined]
        setattr(model_instance, self.attname, key)
        return key


def validate_value_digits(value: Decimal) -> None:
    """Check that a JSON number can represent `value` exactly.

    Raises:
        ValidationError: `value` has more than 15 digits, without leading and trailing zeros.
    """
    if len(value.normalize(_EXACT).as_tuple().digits) > MAX_VALUE_DIGITS:
        raise too_many_digits()


def plain(value: Decimal) -> Decimal:
    """Return `value` without trailing zeros after the point: 12.500 is 12.5, and 100 is 100."""
    whole = value == value.to_integral_value()
    return value.quantize(Decimal(1), context=_EXACT) if whole else value.normalize(_EXACT)


class ValueFormField(forms.DecimalField):
    """A form field for a number, with the same rules as the API and files."""

    def to_python(self, value: Any) -> Any:
        return None if value in self.empty_values else exact_decimal(value)


class ValueField(models.DecimalField):  # type: ignore[type-arg] # no [] at run time
    """A decimal of at most 15 digits before and after the point, loaded without trailing zeros."""

    default_validators = [validate_value_digits]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_digits"] = 2 * MAX_VALUE_DIGITS
        kwargs["decimal_places"] = MAX_VALUE_DIGITS
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        return name, path, args, kwargs

    def to_python(self, value: Any) -> Decimal | None:
        """Return the number, and every zero as 0 without a sign or an exponent."""
        number = super().to_python(value)
        return Decimal(0) if number is not None and not number else number

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": ValueFormField, **kwargs})

    def from_db_value(self, value: Decimal | None, expression: Any, connection: Any) -> Any:
        return None if value is None else plain(value)
