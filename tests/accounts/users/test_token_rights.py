"""The groups and scopes of users and machines, of our own pool and of trusted pools."""

import json

import pytest
from django.http import HttpResponse
from django.urls import include, path
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Identity, SignIn
from accounts.permissions import HasScope, InGroup, group_required
from accounts.testing import mint_access_token, mint_machine_token
from accounts.testing.tokens import FOREIGN_ISSUER
from stats.models import Stat

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

PARTNER = "3examplepartner12345"
FOREIGN_POOL = FOREIGN_ISSUER.rpartition("/")[2]
RULES = {"readers": "proofreaders", "bosses": {"groups": ["admins"], "staff": True}}


class EmptyView(APIView):
    def get(self, request):
        return Response({})


@group_required("proofreaders")
def page(request):
    return HttpResponse("in")


urlpatterns = [
    path("page", page),
    path("readers", EmptyView.as_view(permission_classes=[InGroup("readers")])),
    path("proofreaders", EmptyView.as_view(permission_classes=[InGroup("proofreaders")])),
    path("scope", EmptyView.as_view(permission_classes=[HasScope("stats/read")])),
    path("users", EmptyView.as_view(permission_classes=[HasScope("stats/read", users=True)])),
    path("", include("sso_project.urls")),
]


@pytest.fixture
def caller(settings, cognito_client):
    """A function that returns a client with a token of `kind` from one of the pools."""

    def make(kind, pool):
        members = {"groups": RULES, "scopes": ["stats/read"]} if pool == "listed" else {}
        trusted = {FOREIGN_POOL: {"clients": [PARTNER], **members}}
        settings.COGNITO = {**settings.COGNITO, "TRUSTED_POOLS": trusted}
        foreign = pool != "own"
        scopes = ["stats/read", "stats/write"]
        if kind == "machine":
            client_id = PARTNER if foreign else None
            token = mint_machine_token(client_id=client_id, scopes=scopes, foreign=foreign)
        else:
            claims = {"client_id": PARTNER} if foreign else {}
            token = mint_access_token(
                groups=["readers"], scopes=scopes, foreign=foreign, claims=claims
            )
        client = cognito_client.anonymous()
        client.bear(token)
        return client

    return make


@pytest.mark.parametrize(
    ("kind", "pool", "allowed"),
    [
        ("user", "own", {"readers", "users"}),
        ("user", "trusted", set()),
        ("user", "listed", {"proofreaders", "users"}),
        ("machine", "own", {"scope", "users"}),
        ("machine", "trusted", set()),
        ("machine", "listed", {"scope", "users"}),
    ],
)
def test_groups_and_scopes_of_our_pool_and_listed_ones_grant_access(caller, kind, pool, allowed):
    client = caller(kind, pool)
    names = ("readers", "proofreaders", "scope", "users")
    statuses = {name: client.get(f"/{name}").status_code for name in names}
    assert statuses == {name: 200 if name in allowed else 403 for name in names}


@pytest.mark.parametrize(
    ("kind", "pool", "groups", "scopes"),
    [
        ("user", "own", ["readers"], ["stats/read", "stats/write"]),
        ("user", "trusted", [], []),
        ("user", "listed", ["proofreaders"], ["stats/read"]),
        ("machine", "trusted", [], []),
        ("machine", "listed", [], ["stats/read"]),
    ],
)
def test_api_shows_only_effective_groups_and_scopes(caller, kind, pool, groups, scopes):
    data = caller(kind, pool).get("/api/user").json()["data"]
    assert (data["groups"], data["scopes"]) == (groups, scopes)


@pytest.mark.parametrize("pool", ["trusted", "listed"])
def test_machine_of_a_trusted_pool_cannot_write_figures(caller, pool):
    client = caller("machine", pool)
    figure = json.dumps({"kpi": "cost", "year": 2020, "month": 1, "value": 1})
    for method, url in (("post", "/api/stats"), ("delete", "/api/stats/1")):
        response = getattr(client, method)(url, figure, content_type="application/json")
        assert response.status_code == 403
    assert not Stat.objects.exists()
    assert client.get("/api/stats").status_code == (200 if pool == "listed" else 403)


def test_session_of_a_trusted_pool_has_only_the_groups_of_its_rules(caller, cognito_client):
    caller("user", "listed")  # trusts the pool
    client = cognito_client("ada", groups=["proofreaders"], bearer=False)
    assert client.get("/page").status_code == 200
    Identity.objects.update(pool_id=FOREIGN_POOL, issuer=FOREIGN_ISSUER)
    SignIn.objects.update(pool_id=FOREIGN_POOL)
    assert client.get("/page").status_code == 403
    assert "proofreaders" not in client.get("/profile/").content.decode()
    Identity.objects.update(groups=["readers"])
    assert client.get("/page").status_code == 200
    assert "proofreaders" in client.get("/profile/").content.decode()


def test_identity_of_a_pool_no_longer_trusted_is_in_no_group(cognito_client):
    client = cognito_client("ada", groups=["proofreaders"], bearer=False)
    Identity.objects.update(pool_id=FOREIGN_POOL, issuer=FOREIGN_ISSUER)
    SignIn.objects.update(pool_id=FOREIGN_POOL)
    assert client.get("/page").status_code == 403
