"""Validate figures from the API, files and commands.

The rules are those of the model's fields, which forms use too. This module adds rules for JSON and
texts that the fields would accept: `true` is not a month, 3.7 is not a year, and "1_000" and "٣"
are not numbers.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from .exact_numbers import exact_decimal, whole_number
from .fields import kpi_key
from .models import Stat

FIELDS = ("kpi", "year", "month", "value")
# A client may send back the other members of a response; they are ignored.
DERIVED = frozenset({"id", "period", "createdDate", "updatedDate"})
MAX_UNKNOWN_FIELDS = 20  # in one error; a body of 1 MB can hold a hundred thousand

Errors = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Figure:
    """Clean values of one figure that is not stored yet."""

    kpi: str
    year: int
    month: int
    value: Decimal

    @property
    def key(self) -> tuple[str, int, int]:
        """The unique key of a figure."""
        return kpi_key(self.kpi), self.year, self.month


class UnreadableFile(Exception):
    """A file that cannot be read. The message says why and what to do next."""


class RowErrors(Exception):
    """The errors of all invalid rows, by row number and field. Nothing was written."""

    def __init__(self, errors_by_row: dict[int, Errors]) -> None:
        super().__init__(f"{len(errors_by_row)} rows are invalid")
        self.errors_by_row = errors_by_row

    def sentences(self) -> Iterator[str]:
        """Yield one line per error: `Row 3, month: Enter a month from 1 to 12.`"""
        for number, errors in self.errors_by_row.items():
            for field, messages in errors.items():
                for message in messages:
                    row = _("Row %(number)d") % {"number": number}
                    yield f"{row}, {field}: {message}"


def clean_values(raw: Mapping[str, Any], *, partial: bool = False) -> dict[str, Any]:
    """Return the clean values of the fields in `raw`. It needs all four unless `partial`.

    Raises:
        ValidationError: a field is missing, unknown or invalid. There is a message for each, but
            for MAX_UNKNOWN_FIELDS unknown fields at most.
    """
    unknown = (name for name in raw if name not in FIELDS and name not in DERIVED)
    errors: dict[str, Any] = {
        _encodable(str(name)[:64]): [_("There is no such field.")]
        for name in islice(unknown, MAX_UNKNOWN_FIELDS)
    }
    values = {}
    for name in FIELDS:
        if name not in raw:
            if not partial:
                errors[name] = [_("This field is missing.")]
            continue
        try:
            values[name] = _clean(name, raw[name])
        except ValidationError as error:
            errors[name] = error.messages
    if errors:
        raise ValidationError(errors)
    return values


def clean_figures(rows: Iterable[tuple[int, Any]]) -> list[Figure]:
    """Return the figures of numbered rows.

    Raises:
        RowErrors: a row is invalid, or has the KPI and month of another. It holds all errors.
    """
    numbers: dict[tuple[str, int, int], int] = {}
    figures: list[Figure] = []
    errors: dict[int, Errors] = {}
    for number, raw in rows:
        try:
            if not isinstance(raw, Mapping):
                raise ValidationError({"row": [_("This is not an object with fields.")]})
            figure = Figure(**clean_values(raw))
        except ValidationError as error:
            errors[number] = error.message_dict
            continue
        first = numbers.setdefault(figure.key, number)
        if first != number:
            errors[number] = {"month": [duplicate_message(first)]}
        figures.append(figure)
    if errors:
        raise RowErrors(errors)
    return figures


def duplicate_message(first: int) -> str:
    """Return the message for a figure of the same KPI and month as that of row `first`."""
    message = _("Row %(number)d already has a figure of this KPI for this month.")
    return message % {"number": first}


def _encodable(name: str) -> str:
    """Return `name` without lone surrogates, which JSON can hold but UTF-8 cannot."""
    return name.encode(errors="replace").decode()


def _clean(name: str, raw: Any) -> Any:
    if name == "kpi":
        if not isinstance(raw, str):
            raise ValidationError(_("Enter a text."))
        raw = raw.strip()
    elif name == "value":
        raw = exact_decimal(raw)
    else:
        raw = whole_number(raw)
    return Stat._meta.get_field(name).clean(raw, None)  # type: ignore[union-attr]
