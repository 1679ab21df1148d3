"""Figures for those who may read them: people who are signed in, machines with `stats/read`."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts.permissions import HasScope, IsPerson

from ..models import Stat
from .serializers import StatListSerializer, StatSerializer


class StatViewSet(ReadOnlyModelViewSet[Stat]):
    """The figures, by month and KPI."""

    queryset = Stat.objects.order_by("period", "kpi_key")
    serializer_class = StatSerializer
    permission_classes = (IsPerson | HasScope("stats/read"),)
    lookup_value_regex = "[0-9]{1,18}"
    pagination_class = None

    @extend_schema(responses=StatListSerializer)
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = self.get_serializer(self.get_queryset(), many=True)
        return Response({"data": serializer.data})
