"""A figure as the API says and takes it, in the original stack's camelCase."""

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import serializers
from rest_framework.settings import api_settings

from ..cleaning import clean_values
from ..models import Stat

# The members of a figure in their order, and the columns that they come from.
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


def member(value: Any) -> Any:
    """A column's value as JSON has it: decimals as numbers, times in UTC to the millisecond."""
    if isinstance(value, Decimal):
        return float(value)  # at most 15 digits: nothing is lost
    if isinstance(value, datetime.datetime):
        utc = value.astimezone(datetime.UTC)
        return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value


class MomentField(serializers.DateTimeField):
    """A time in UTC, to the millisecond."""

    def to_representation(self, value: Any) -> Any:
        return member(value)


class StatSerializer(serializers.ModelSerializer[Stat]):
    """`value` is a JSON number, `period` is `YYYYMM` as text.

    Taken are `kpi`, `year`, `month` and `value`; what else an answer holds may be sent back and is
    left alone. The rules are those of `rows.clean_values`.
    """

    value = serializers.FloatField(help_text="At most 15 digits.")
    createdDate = MomentField(source="created_at", read_only=True)  # noqa: N815 (the wire's name)
    updatedDate = MomentField(source="updated_at", read_only=True)  # noqa: N815

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
    """The list's answer; `next` and `previous` come with pages alone."""

    data = StatSerializer(many=True)  # type: ignore[assignment] # the wire's name
    next = serializers.URLField(required=False, allow_null=True)
    previous = serializers.URLField(required=False, allow_null=True)


class BulkSerializer(serializers.Serializer[object]):
    """Figures to add or change, at most 10,000."""

    data = StatSerializer(many=True)  # type: ignore[assignment] # the wire's name


class BulkAnswerSerializer(serializers.Serializer[object]):
    """How many rows were added, changed, or found as they should be."""

    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
