"""The serializers of figures, with the camelCase names of the original stack."""

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers
from rest_framework.settings import api_settings

from ..cleaning import clean_values
from ..models import Stat

MAX_BULK_FIGURES = 10_000

# The members of a figure in their order, with their columns.
FIELD_SOURCES = {
    "id": "id",
    "kpi": "kpi",
    "period": "period",
    "year": "year",
    "month": "month",
    "value": "value",
    "createdDate": "created_at",
    "updatedDate": "updated_at",
}


EXAMPLES = [
    OpenApiExample(
        "A figure",
        {"kpi": "revenue", "year": 2026, "month": 1, "value": 1250.5},
        request_only=True,
    ),
    OpenApiExample(
        "A stored figure",
        {
            "id": 17,
            "kpi": "revenue",
            "period": "202601",
            "year": 2026,
            "month": 1,
            "value": 1250.5,
            "createdDate": "2026-02-01T08:30:00.000Z",
            "updatedDate": "2026-02-01T08:30:00.000Z",
        },
        response_only=True,
    ),
]


def to_json_value(value: Any) -> Any:
    """Return the JSON value of a column: decimals are numbers, times are UTC with milliseconds."""
    if isinstance(value, Decimal):
        return float(value)  # exact, because there are at most 15 digits
    if isinstance(value, datetime.datetime):
        utc = value.astimezone(datetime.UTC)
        return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value


class MillisecondField(serializers.DateTimeField):
    """A time in UTC with milliseconds."""

    def to_representation(self, value: Any) -> Any:
        return to_json_value(value)


@extend_schema_serializer(component_name="Figure", examples=EXAMPLES)
class StatSerializer(serializers.ModelSerializer[Stat]):
    """A figure. `value` is a JSON number, and `period` is a string of the form `YYYYMM`.

    Clients can send the members that only the server writes back; they are ignored.
    """

    period = serializers.RegexField(r"^[0-9]{6}$", read_only=True)
    value = serializers.FloatField(help_text="At most 15 digits.")
    createdDate = MillisecondField(source="created_at", read_only=True)  # noqa: N815 (JSON name)
    updatedDate = MillisecondField(source="updated_at", read_only=True)  # noqa: N815

    class Meta:
        model = Stat
        fields = tuple(FIELD_SOURCES)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        # `description.FigureExtension` documents what this method accepts.
        if not isinstance(data, Mapping):
            message = "Send an object with kpi, year, month and value."
            raise serializers.ValidationError({api_settings.NON_FIELD_ERRORS_KEY: [message]})
        try:
            return clean_values(data, partial=self.partial)
        except DjangoValidationError as error:
            raise serializers.ValidationError(error.message_dict) from error


@extend_schema_serializer(component_name="FigureList", many=False)
class StatListSerializer(serializers.Serializer[object]):
    """Figures. Only pages have `next` and `previous`: the URL of that page, or null."""

    data = StatSerializer(many=True)  # type: ignore[assignment] # the JSON name
    next = serializers.URLField(required=False, allow_null=True)
    previous = serializers.URLField(required=False, allow_null=True)


@extend_schema_serializer(component_name="Bulk")
class BulkSerializer(serializers.Serializer[object]):
    """Figures to add or change, alone or as the member `data` of an object."""

    data = StatSerializer(many=True)  # type: ignore[assignment] # the JSON name


@extend_schema_serializer(component_name="BulkResult")
class BulkAnswerSerializer(serializers.Serializer[object]):
    """The numbers of figures that were added, changed, and already up to date."""

    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
