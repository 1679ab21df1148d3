"""The description of a host project's views, and the check of responses in this test run."""

import pytest
from django.db import models
from django.http import HttpResponse
from django.urls import include, path
from drf_spectacular.generators import SchemaGenerator
from rest_framework import serializers, viewsets
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from accounts.permissions import HasScope, InGroup, IsUser
from stats.models import Stat
from tests import api_document


class NoteSerializer(serializers.ModelSerializer):
    class Meta:
        model = Stat
        fields = ("id", "kpi")


class NoteViewSet(viewsets.ModelViewSet):
    """Notes of a host project."""

    queryset: "models.QuerySet[Stat]" = Stat.objects.all()
    serializer_class = NoteSerializer
    permission_classes = [HasScope("notes/write") | (IsUser & InGroup("editors"))]
    throttle_classes = [ScopedRateThrottle]


class OpenView(APIView):
    """A view that anyone can read, and that describes users."""

    permission_classes = [AllowAny]
    serializer_class = NoteSerializer

    def get(self, request):
        return Response({"id": 1, "kpi": "a", "secret": "b"})


class DeniedView(APIView):
    permission_classes = [IsAuthenticated]
    serializer_class = NoteSerializer

    def get(self, request):
        return HttpResponse("teapot", status=418)


router = SimpleRouter(trailing_slash=False)
router.register("notes", NoteViewSet)
api = [
    path("", include(router.urls)),
    path("open", OpenView.as_view()),
    path("denied", DeniedView.as_view()),
]
urlpatterns = [path("api/", include((api, "api"))), path("", include("accounts.urls"))]


@pytest.fixture(scope="module")
def paths():
    return SchemaGenerator(urlconf=__name__).get_schema(public=True)["paths"]


@pytest.mark.parametrize(
    ("path", "method", "statuses"),
    [
        ("/api/notes", "get", {"200", "401", "403", "406", "429", "500", "503"}),
        ("/api/notes", "post", {"201", "400", "401", "403", "413", "415", "429", "503"}),
        ("/api/notes/{id}", "delete", {"204", "401", "403", "404", "429", "503"}),
        ("/api/open", "get", {"200", "400", "401", "406", "500", "503"}),
    ],
)
def test_statuses_are_derived_from_the_classes_of_a_view(paths, path, method, statuses):
    operation = paths[path][method]
    assert statuses <= set(operation["responses"])
    if path == "/api/open":
        assert not {"404", "412"} & set(operation["responses"])


def test_error_responses_name_their_codes_and_headers(paths):
    responses = paths["/api/notes"]["post"]["responses"]
    assert {"insufficient_scope", "csrf_failed"} <= set(responses["403"]["x-error-codes"])
    assert "the scope notes/write" in responses["403"]["description"]
    assert "the group editors" in responses["403"]["description"]
    assert "csrf_failed" not in paths["/api/notes"]["get"]["responses"]["403"]["x-error-codes"]
    assert "WWW-Authenticate" in responses["401"]["headers"]
    assert "Retry-After" in responses["429"]["headers"]
    assert paths["/api/notes"]["post"]["security"][-1] == {"Machine": ["notes/write"]}
    assert paths["/api/open"]["get"]["security"][-1] == {}
    assert paths["/api/notes"]["post"]["summary"] == "Add one figure"


@pytest.mark.urls(__name__)
@pytest.mark.undocumented_responses
@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("/api/open", "GET /api/open 200: $: Additional properties are not allowed ('secret'"),
        ("/api/denied", "GET /api/denied 418: the document has only the statuses 200, "),
    ],
)
def test_undocumented_response_is_a_fault(cognito_client, path, fault):
    cognito_client("ada", session=False).get(path, HTTP_ACCEPT="application/json")
    assert [message[: len(fault)] for message in api_document.faults] == [fault]
