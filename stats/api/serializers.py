"""The serializers of figures, with the camelCase names of the original stack."""

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import serializers
from rest_framework.settings import api_settings

from ..cleaning import clean_values
from ..models import Stat

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


class StatSerializer(serializers.ModelSerializer[Stat]):
    """A figure. `value` is a JSON number, and `period` is a string of the form `YYYYMM`.

    Input is `kpi`, `year`, `month` and `value`, with the rules of `cleaning.clean_values`. Clients
    can send the other members back; they are ignored.
    """

    value = serializers.FloatField(help_text="At most 15 digits.")
    createdDate = MillisecondField(source="created_at", read_only=True)  # noqa: N815 (JSON name)
    updatedDate = MillisecondField(source="updated_at", read_only=True)  # noqa: N815

    class Meta:
        model = Stat
        fields = tuple(FIELD_SOURCES)
        read_only_fields = ("period",)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            message = "Send an object with kpi, year, month and value."
            raise serializers.ValidationError({api_settings.NON_FIELD_ERRORS_KEY: [message]})
        try:
            return clean_values(data, partial=self.partial)
        except DjangoValidationError as error:
            raise serializers.ValidationError(error.message_dict) from error


class StatListSerializer(serializers.Serializer[object]):
    """The response to a list request. Only pages have `next` and `previous`."""

    data = StatSerializer(many=True)  # type: ignore[assignment] # the JSON name
    next = serializers.URLField(required=False, allow_null=True)
    previous = serializers.URLField(required=False, allow_null=True)


class BulkSerializer(serializers.Serializer[object]):
    """Figures to add or change, at most 10,000."""

    data = StatSerializer(many=True)  # type: ignore[assignment] # the JSON name


class BulkAnswerSerializer(serializers.Serializer[object]):
    """The numbers of figures that were added, changed, and already up to date."""

    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
