"""The caller at /api/user, with what it can do with the figures."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request

from accounts.api import views
from accounts.api.serializers import CallerDataSerializer, CallerSerializer
from stats.api.permissions import figure_rights


class FigureRightsSerializer(serializers.Serializer[Any]):
    """What the caller can do with figures."""

    read = serializers.BooleanField()
    add = serializers.BooleanField()
    change = serializers.BooleanField()
    delete = serializers.BooleanField()


@extend_schema_serializer(component_name="CallerData")
class SiteCallerDataSerializer(CallerDataSerializer):
    figures = FigureRightsSerializer()


@extend_schema_serializer(component_name="Caller")
class SiteCallerSerializer(CallerSerializer):
    """The caller: its identity, and what a client needs to know about it."""

    data = SiteCallerDataSerializer()


class CallerView(views.CallerView):
    """Describe the caller, with its rights to the figures."""

    serializer_class = SiteCallerSerializer

    def describe(self, request: Request) -> dict[str, Any]:
        caller = super().describe(request)
        caller["data"]["figures"] = figure_rights(request)
        return caller
