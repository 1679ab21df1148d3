"""Figures from outside, one by one: what the API, files and commands are given -> clean values.

The rules are those of the model's fields; here stands only what a field is too lenient about when
it is given JSON (true is no month, 3.7 no year) or a text ("1_000", "٣"). Forms go the same way
through the model's fields.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from django.core.exceptions import ValidationError

from .fields import kpi_key
from .models import Stat
from .numbers import exact_decimal, whole_number

FIELDS = ("kpi", "year", "month", "value")
# What an answer of the API holds beside them; sent back, they are not taken for mistakes.
DERIVED = frozenset({"id", "period", "createdDate", "updatedDate"})
MAX_UNKNOWN_FIELDS = 20  # named in one error: a body of 1 MB can hold a hundred thousand

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
        """By which two figures are the same one."""
        return kpi_key(self.kpi), self.year, self.month


class UnreadableFile(Exception):
    """A file cannot be read as a whole; the message says why and what to do."""


class RowErrors(Exception):
    """Rows that cannot be taken: row number -> field -> what is wrong. Nothing was written."""

    def __init__(self, rows: dict[int, Errors]) -> None:
        super().__init__(f"{len(rows)} rows are wrong")
        self.rows = rows

    def sentences(self) -> Iterator[str]:
        """One line for each mistake: `Row 3, month: Enter a month from 1 to 12.`"""
        for number, errors in self.rows.items():
            for field, messages in errors.items():
                for message in messages:
                    yield f"Row {number}, {field}: {message}"


def clean_values(raw: Mapping[str, Any], *, partial: bool = False) -> dict[str, Any]:
    """Clean values of the fields that `raw` has; of all four unless `partial`.

    Raises:
        ValidationError: with a message for each field that is missing, unknown or wrong; at most
            MAX_UNKNOWN_FIELDS of them unknown.
    """
    unknown = (name for name in raw if name not in FIELDS and name not in DERIVED)
    errors: dict[str, Any] = {
        _encodable(str(name)[:64]): ["There is no such field."]
        for name in islice(unknown, MAX_UNKNOWN_FIELDS)
    }
    values = {}
    for name in FIELDS:
        if name not in raw:
            if not partial:
                errors[name] = ["This field is missing."]
            continue
        try:
            values[name] = _clean(name, raw[name])
        except ValidationError as error:
            errors[name] = error.messages
    if errors:
        raise ValidationError(errors)
    return values


def clean_figures(rows: Iterable[tuple[int, Any]]) -> list[Figure]:
    """Figures of numbered rows, no two of them the same.

    Raises:
        RowErrors: for all rows that are wrong, not for the first alone.
    """
    figures: dict[tuple[str, int, int], int] = {}
    clean: list[Figure] = []
    wrong: dict[int, Errors] = {}
    for number, raw in rows:
        try:
            if not isinstance(raw, Mapping):
                raise ValidationError({"row": ["This is not an object with fields."]})
            figure = Figure(**clean_values(raw))
        except ValidationError as error:
            wrong[number] = error.message_dict
            continue
        first = figures.setdefault(figure.key, number)
        if first != number:
            wrong[number] = {"month": [duplicate_message(first)]}
        clean.append(figure)
    if wrong:
        raise RowErrors(wrong)
    return clean


def duplicate_message(first: int) -> str:
    """Return the message for a second figure of one KPI and month; `first` is the other's row."""
    return f"Row {first} has a figure of this KPI for this month already."


def _encodable(name: str) -> str:
    """Return `name` without half surrogate pairs, which JSON can hold and UTF-8 cannot."""
    return name.encode(errors="replace").decode()


def _clean(name: str, raw: Any) -> Any:
    if name == "kpi":
        if not isinstance(raw, str):
            raise ValidationError("Enter a text.")
        raw = raw.strip()
    elif name == "value":
        raw = exact_decimal(raw)
    else:
        raw = whole_number(raw)
    return Stat._meta.get_field(name).clean(raw, None)  # type: ignore[union-attr]
