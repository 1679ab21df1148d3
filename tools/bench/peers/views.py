"""The list in plain DRF: a model serializer, a viewset, and authentication classes."""

from typing import Any

from django_cognito_jwt import JSONWebTokenAuthentication
from mozilla_django_oidc.contrib.drf import OIDCAuthentication
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from stats.models import Stat

from .settings import COGNITO_AUDIENCE, COGNITO_ISSUER
from .validator import LocalValidator


class StatSerializer(serializers.ModelSerializer[Stat]):
    value = serializers.FloatField()
    createdDate = serializers.DateTimeField(source="created_at")  # noqa: N815 (the wire's name)
    updatedDate = serializers.DateTimeField(source="updated_at")  # noqa: N815

    class Meta:
        model = Stat
        fields = ("id", "kpi", "period", "year", "month", "value", "createdDate", "updatedDate")


class CognitoJwtAuthentication(JSONWebTokenAuthentication):  # type: ignore[misc]
    def get_token_validator(self, request: Request) -> LocalValidator:
        return LocalValidator(COGNITO_ISSUER, COGNITO_AUDIENCE)


class PlainStats(ReadOnlyModelViewSet[Stat]):
    queryset = Stat.objects.order_by("period", "kpi_key")
    serializer_class = StatSerializer
    authentication_classes: Any = ()
    permission_classes: Any = (AllowAny,)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response({"data": super().list(request, *args, **kwargs).data})


class CognitoJwtStats(PlainStats):
    authentication_classes = (CognitoJwtAuthentication,)
    permission_classes = ReadOnlyModelViewSet.permission_classes


class MozillaStats(CognitoJwtStats):
    authentication_classes = (OIDCAuthentication,)
