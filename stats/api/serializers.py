"""A figure as the API says it, in the original stack's camelCase."""

from rest_framework import serializers

from ..models import Stat


class StatSerializer(serializers.ModelSerializer[Stat]):
    """`value` is a JSON number, `period` is `YYYYMM` as text."""

    value = serializers.FloatField()
    createdDate = serializers.DateTimeField(source="created_at", read_only=True)  # noqa: N815
    updatedDate = serializers.DateTimeField(source="updated_at", read_only=True)  # noqa: N815

    class Meta:
        model = Stat
        fields = ("id", "kpi", "period", "year", "month", "value", "createdDate", "updatedDate")
        read_only_fields = ("period",)


class StatListSerializer(serializers.Serializer[object]):
    """The list's answer."""

    data = StatSerializer(many=True)  # type: ignore[assignment] # the wire's name
