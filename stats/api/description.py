"""The descriptions of figures in the OpenAPI document.

They are derived from the filter form, the model and the rules of `cleaning`, so that the document
accepts what the API accepts.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.utils import OpenApiParameter

from ..cleaning import DERIVED
from ..exact_numbers import (
    MAX_NUMBER_LENGTH,
    MONTH_TEXT_PATTERN,
    VALUE_TEXT_PATTERN,
    YEAR_TEXT_PATTERN,
)
from ..fields import KPI_PATTERN, MAX_VALUE
from ..filters import FigureFilter
from ..models import FIRST_YEAR, LAST_YEAR
from .pagination import DEFAULT_LIMIT, MAX_LIMIT
from .serializers import MAX_BULK_FIGURES, BulkSerializer, StatSerializer

Schema = dict[str, Any]


def _whole_number(minimum: int, maximum: int, text_pattern: str, text: str) -> Schema:
    return {
        "description": f"{text} As a number, or as a text with its digits.",
        "anyOf": [
            {"type": "integer", "minimum": minimum, "maximum": maximum},
            {"type": "string", "pattern": text_pattern, "maxLength": MAX_NUMBER_LENGTH},
        ],
    }


_WRITABLE: Schema = {
    "kpi": {
        "type": "string",
        "pattern": KPI_PATTERN,
        "description": "The name of the KPI: 1 to 64 printable characters. Spaces around it are "
        "removed. It must not begin like a formula. Names that differ only by case are one KPI.",
    },
    "year": _whole_number(FIRST_YEAR, LAST_YEAR, YEAR_TEXT_PATTERN, "The year."),
    "month": _whole_number(1, 12, MONTH_TEXT_PATTERN, "The month, from 1 to 12."),
    "value": {
        "description": "At most 15 digits, without leading and trailing zeros. A text is exact too,"
        " in languages whose numbers are rounded.",
        "anyOf": [
            {"type": "number", "minimum": -MAX_VALUE, "maximum": MAX_VALUE},
            {"type": "string", "pattern": VALUE_TEXT_PATTERN, "maxLength": MAX_NUMBER_LENGTH},
        ],
    },
}
_IGNORED: Schema = {
    name: {"description": "Ignored, so that a client can send a figure back as it received it."}
    for name in sorted(DERIVED)
}


class FigureExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """A figure as it is sent. As it is returned, drf-spectacular derives it from the serializer."""

    target_class = StatSerializer

    def map_serializer(self, auto_schema: Any, direction: str) -> Schema:
        if direction == "response":
            schema: Schema = auto_schema._map_serializer(
                self.target, direction, bypass_extensions=True
            )
            return schema
        required = {} if getattr(self.target, "partial", False) else {"required": list(_WRITABLE)}
        return {
            "type": "object",
            "description": "A figure to store.",
            "properties": {**_WRITABLE, **_IGNORED},
            **required,
            "additionalProperties": False,
        }


class BulkExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """The two forms of a bulk request."""

    target_class = BulkSerializer

    def map_serializer(self, auto_schema: Any, direction: str) -> Schema:
        figure = auto_schema.resolve_serializer(StatSerializer, direction).ref
        figures = {"type": "array", "items": figure, "maxItems": MAX_BULK_FIGURES}
        in_object = {
            "type": "object",
            "properties": {"data": figures},
            "required": ["data"],
            "additionalProperties": False,
        }
        return {"description": "Figures to add or change.", "anyOf": [in_object, figures]}


def list_parameters() -> list[OpenApiParameter]:
    """Return the parameters of a list, from the filter form."""
    fields = FigureFilter(QueryDict()).fields
    return [
        *(_parameter(name, _schema(field), str(field.help_text)) for name, field in fields.items()),
        _parameter(
            "limit",
            {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT},
            f"The size of a page. With a cursor, the default is {DEFAULT_LIMIT}. Without both, the "
            "response has all figures and no pages.",
        ),
        _parameter(
            "cursor",
            {"type": "string", "minLength": 1},
            "The start of a page. Use the URLs in `next` and `previous`.",
        ),
        _parameter(
            "format",
            {"type": "string", "enum": ["json", "csv"]},
            "`csv` for a CSV file, which has no pages. `Accept: text/csv` does the same.",
        ),
    ]


def _parameter(name: str, schema: Schema, text: str) -> OpenApiParameter:
    return OpenApiParameter(name, schema, description=text)


def _schema(field: forms.Field) -> Schema:
    if schema := getattr(field, "json_schema", None):
        return dict(schema)
    if isinstance(field, forms.IntegerField):
        return {"type": "integer", "minimum": field.min_value, "maximum": field.max_value}
    raise TypeError(f"{type(field).__name__} needs a json_schema")
