"""Tokens that are bound to a resource, of app clients that no setting lists, or with an actor."""

import json

import pytest
from django.contrib.auth.models import Group
from django.urls import include, path
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.bearer import authenticate_token
from accounts.audit.events import record_event
from accounts.cognito.errors import WrongClient
from accounts.models import EventKind, Identity, SignInEvent
from accounts.permissions import HasScope, InGroup
from accounts.provider import provider
from accounts.testing import mint_access_token, mint_id_token, mint_machine_token
from accounts.testing.tokens import FOREIGN_ISSUER
from stats.history import Change

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

AGENT = "https://agent.example.com/client.json"
OTHER = "https://other.example.com"
SITE = "http://localhost:8000"


class MembersView(APIView):
    def get(self, request):
        Group.objects.get_or_create(name="new")[0].user_set.add(request.user)
        return Response({"actors": request.auth.actors, "staff": request.user.is_staff})

    post = get


class EventView(APIView):
    def get(self, request):
        record_event(EventKind.EXPORTED, user=request.user)
        return Response({})


class EmptyView(APIView):
    def get(self, request):
        return Response({})


urlpatterns = [
    path("members", MembersView.as_view()),
    path("event", EventView.as_view()),
    path("staff", EmptyView.as_view(permission_classes=[InGroup("admins")])),
    path("read", EmptyView.as_view(permission_classes=[HasScope("reports/read", users=True)])),
    path("write", EmptyView.as_view(permission_classes=[HasScope("reports/write", users=True)])),
    path("", include("sso_project.urls")),
]


@pytest.fixture
def use(settings):
    def use(**members):
        settings.COGNITO = {**settings.COGNITO, **members}

    return use


@pytest.fixture
def call(cognito_client):
    """A function that sends a request with a token, to /api/user by default."""

    def call(token, url="/api/user", method="get", body=None):
        client = cognito_client.anonymous()
        client.bear(token)
        content = {} if body is None else {"data": json.dumps(body)}
        return client.generic(method.upper(), url, content_type="application/json", **content)

    return call


@pytest.mark.parametrize("mint", [mint_access_token, mint_machine_token])
def test_token_is_accepted_for_the_site_and_further_resources_only(use, call, mint):
    assert call(mint(claims={"aud": SITE})).status_code == 200
    assert call(mint(claims={"aud": [f"{SITE}/"]})).status_code == 200
    response = call(mint(claims={"aud": OTHER}))
    assert (response.status_code, response.json()["code"]) == (401, "wrong_resource")
    assert OTHER in response.json()["detail"]
    assert OTHER in response.headers["WWW-Authenticate"]
    use(RESOURCES=[OTHER])
    assert call(mint(claims={"aud": OTHER})).status_code == 200


def test_token_of_a_trusted_pool_can_be_bound_to_this_site(use, call):
    trusted = {FOREIGN_ISSUER.rpartition("/")[2]: {"clients": ["3examplepartner12345"]}}
    use(TRUSTED_POOLS=trusted, UNLISTED_CLIENT_SCOPES=["reports/read"], ACTORS=["worker"])
    claims = {"client_id": "3examplepartner12345", "aud": SITE}
    assert call(mint_access_token(foreign=True, claims=claims)).status_code == 200
    for change in ({"aud": OTHER}, {"client_id": "other"}, {"act": {"sub": "worker"}}):
        token = mint_access_token(foreign=True, scopes=["reports/read"], claims=claims | change)
        assert call(token).status_code == 401


@pytest.mark.parametrize("client_id", [AGENT, "5selfregistered"])
def test_client_that_is_not_listed_is_refused_by_default(call, client_id):
    claims = {"client_id": client_id, "aud": SITE}
    response = call(mint_access_token(scopes=["reports/read"], claims=claims))
    assert (response.status_code, response.json()["code"]) == (401, "wrong_client")


@pytest.mark.parametrize("client_id", [AGENT, "5selfregistered"])
def test_client_that_is_not_listed_has_the_least_rights(use, call, client_id):
    use(UNLISTED_CLIENT_SCOPES=["reports/read"])
    claims = {"client_id": client_id, "aud": SITE}
    token = mint_access_token(
        groups=["admins"], scopes=["reports/read", "reports/write"], claims=claims
    )
    caller = call(token).json()
    assert caller["identity"]["clientId"] == client_id
    assert caller["data"]["scopes"] == ["reports/read"]
    assert caller["data"]["groups"] == []
    assert Identity.objects.get().user.is_superuser  # of which the client has nothing
    statuses = {url: call(token, url).status_code for url in ("/staff", "/read", "/write")}
    assert statuses == {"/staff": 403, "/read": 200, "/write": 403}
    assert not call(token, "/members").json()["staff"]
    response = call(token, "/members", "post")
    assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")


@pytest.mark.parametrize(
    "change",
    [{"aud": None}, {"aud": OTHER}, {"aud": AGENT}, {"scope": "openid"}, {"token_use": "id"}],
    ids=str,
)
def test_client_that_is_not_listed_needs_a_resource_and_a_scope(use, call, change):
    use(UNLISTED_CLIENT_SCOPES=["reports/read"])
    claims = {"client_id": AGENT, "aud": SITE, "scope": "reports/read"}
    assert call(mint_access_token(claims=claims)).status_code == 200
    assert call(mint_access_token(claims=claims | change)).status_code == 401


def test_site_can_let_unlisted_clients_write(use, call):
    rights = {"*": "write", "5readonly": "read"}
    use(UNLISTED_CLIENT_SCOPES=["reports/read"], CLIENT_RIGHTS=rights)
    for client_id, status in ((AGENT, 200), ("5readonly", 403)):
        claims = {"client_id": client_id, "aud": SITE}
        token = mint_access_token(groups=["admins"], scopes=["reports/read"], claims=claims)
        assert call(token, "/members", "post").status_code == status
        assert call(token, "/staff").status_code == 403


def test_machine_that_is_not_listed_has_the_named_scopes_only(use, call):
    use(UNLISTED_CLIENT_SCOPES=["reports/read"])
    token = mint_machine_token(
        client_id="5selfregistered",
        scopes=["reports/read", "reports/write", "stats/write"],
        claims={"aud": SITE},
    )
    assert call(token).json()["data"]["scopes"] == ["reports/read"]
    assert call(token, "/write").status_code == 403
    assert call(token, "/api/stats").status_code == 403


def test_unlisted_client_cannot_sign_a_browser_in(use, cognito_client):
    use(UNLISTED_CLIENT_SCOPES=["reports/read"], ACTORS=["worker"])
    verifier = provider().sign_in_verifier
    claims = {"client_id": AGENT, "aud": SITE}
    with pytest.raises(WrongClient):
        verifier.access_claims(mint_access_token(scopes=["reports/read"], claims=claims))
    with pytest.raises(WrongClient):
        verifier.id_claims(mint_id_token(claims={"aud": SITE}), nonce=None)


def test_exchanged_token_with_an_actor_is_refused_by_default(call):
    response = call(mint_access_token(claims={"act": {"sub": "worker"}}))
    assert (response.status_code, response.json()["code"]) == (401, "actor_rejected")
    assert "worker acts for its subject" in response.json()["detail"]


def test_allowed_actor_is_in_the_claims_and_in_the_audit_log(use, call):
    use(ACTORS=["worker"])
    act = {"sub": "worker", "act": {"sub": "earlier"}}
    token = mint_access_token(groups=["admins"], claims={"act": act})
    response = call(token, "/members")
    # No token with an actor gives staff rights, not even through our own app client.
    assert response.json() == {"actors": ["worker", "earlier"], "staff": False}
    event = SignInEvent.objects.filter(kind="rights_changed", reason="site").get()
    assert event.details["actor"] == "worker"
    assert event.details["by_id"] == str(event.user.pk)
    call(token, "/event")
    assert SignInEvent.objects.get(kind="exported").details == {"actor": "worker"}


def test_event_of_the_user_has_no_actor(call):
    call(mint_access_token(), "/event")
    assert "actor" not in SignInEvent.objects.get(kind="exported").details


def test_figure_written_for_a_user_names_the_actor(use, call):
    use(ACTORS=["worker"])
    figure = {"kpi": "cost", "year": 2020, "month": 1, "value": 1}
    ways = {"API": {}, "API, by worker": {"act": {"sub": "worker"}}}
    for number, (way, claims) in enumerate(ways.items(), start=1):
        token = mint_access_token(groups=["editors"], claims=claims)
        response = call(token, "/api/stats", "post", figure | {"month": number})
        assert response.status_code == 201, response.json()
        assert Change.objects.get(figure_id=response.json()["id"]).through == way


def test_cached_token_keeps_its_audience_and_actor(use, cognito):
    use(ACTORS=["worker"])
    token = mint_access_token(claims={"aud": SITE, "act": {"sub": "worker"}})
    for _ in range(2):
        _, claims = authenticate_token(token)
        assert (claims.audience, claims.actor) == ((SITE,), "worker")
