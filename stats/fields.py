"""Two columns that keep their own rule, so that forms, the API and bulk loads cannot forget it.

Django calls `pre_save` for `save()` and for `bulk_create()` (not for `bulk_update()` or
`QuerySet.update()`, exactly as with `auto_now`).
"""

import unicodedata
from decimal import Context, Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

from accounts.core.csv_cells import FORMULA_SIGNS

from .numbers import MAX_VALUE_DIGITS, exact_decimal

LARGEST_VALUE = 10**MAX_VALUE_DIGITS - 1
MAX_KEY_LENGTH = 255
_EXACT = Context(prec=2 * MAX_VALUE_DIGITS)  # Python's usual 28 digits would round


def kpi_key(name: str) -> str:
    """The name by which two spellings are one KPI: trimmed, case-folded, composed.

    This is Unicode's canonical caseless match (The Unicode Standard, section 3.13, D145), stored
    as NFC. A text that is too long to be a name is returned unchanged, because normalizing takes
    quadratic time.
    """
    if len(name) > MAX_KEY_LENGTH:
        return name
    folded = unicodedata.normalize("NFD", name.strip()).casefold()
    return unicodedata.normalize("NFC", folded)


def validate_kpi(name: str) -> None:
    """Refuse a name that a spreadsheet would run, or that cannot be shown.

    Raises:
        ValidationError: it begins like a formula, or holds control characters.
    """
    if name.lstrip().startswith(FORMULA_SIGNS):
        raise ValidationError(
            "Begin the name with something else than =, +, - or @: a spreadsheet would take it "
            "for a formula.",
            code="formula",
        )
    if not name.strip().isprintable():
        raise ValidationError("Leave control characters out of the name.", code="unprintable")


class KpiKeyField(models.CharField):  # type: ignore[type-arg] # no [] at run time
    """`kpi_key` of the row's `kpi`, written whenever the row is."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        key = kpi_key(str(model_instance.kpi))  # type: ignore[attr-defined]
        setattr(model_instance, self.attname, key)
        return key


def validate_value_digits(value: Decimal) -> None:
    """Refuse what a JSON number could not carry exactly.

    Raises:
        ValidationError: `value` has more than 15 digits, zeros at either end not counted.
    """
    if len(value.normalize(_EXACT).as_tuple().digits) > MAX_VALUE_DIGITS:
        raise ValidationError(
            f"Enter a number of at most {MAX_VALUE_DIGITS} digits.", code="max_digits"
        )


def plain(value: Decimal) -> Decimal:
    """The same number without zeros at its end: 12.500 is 12.5, and 100 stays 100 (not 1E+2)."""
    whole = value == value.to_integral_value()
    return value.quantize(Decimal(1), context=_EXACT) if whole else value.normalize(_EXACT)


class ValueFormField(forms.DecimalField):
    """A form's number, with the rules that the API and files have."""

    def to_python(self, value: Any) -> Any:
        return None if value in self.empty_values else exact_decimal(value)


class ValueField(models.DecimalField):  # type: ignore[type-arg] # no [] at run time
    """An exact decimal of at most 15 digits, on either side of the point, read without padding."""

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
        """Return the number; any zero as a plain 0, without a sign or an exponent."""
        number = super().to_python(value)
        return Decimal(0) if number is not None and not number else number

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": ValueFormField, **kwargs})

    def from_db_value(self, value: Decimal | None, expression: Any, connection: Any) -> Any:
        return None if value is None else plain(value)
