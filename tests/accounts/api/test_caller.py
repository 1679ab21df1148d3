from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission

from accounts.provider import provider
from accounts.testing import subject_of
from sso_project.api.caller import SiteCallerSerializer

pytestmark = pytest.mark.django_db


def test_caller_with_a_token(cognito_client):
    client = cognito_client("ada", groups=["admins"], scopes=["openid", "email"], name="Ada L.")
    response = client.get("/api/user")
    body = response.json()
    assert body["identity"] == {
        "sub": subject_of("ada"),
        "userName": "ada",
        "clientId": provider().config.client_id,
    }
    data = body["data"]
    assert (data["email"], data["name"]) == ("ada@example.com", "Ada L.")
    assert (data["groups"], data["scopes"]) == (["admins"], ["email", "openid"])
    lifetime = datetime.fromisoformat(data["tokenExpiresAt"]) - datetime.now(UTC)
    assert 3590 < lifetime.total_seconds() <= 3600
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("credentials", [{"session": False}, {"bearer": False}])
def test_response_matches_its_serializer(cognito_client, credentials):
    body = cognito_client("ada", groups=["admins"], **credentials).get("/api/user").json()
    assert SiteCallerSerializer(body).data == body


def test_caller_with_a_session(cognito_client):
    body = cognito_client("ada", groups=["admins"], bearer=False).get("/api/user").json()
    assert body["identity"]["sub"] == subject_of("ada")
    assert body["identity"]["userName"] == "ada"
    assert body["data"]["groups"] == ["admins"]
    assert body["data"]["scopes"] == []
    assert body["data"]["tokenExpiresAt"]


def test_user_created_by_an_access_token_has_no_name(cognito_client):
    data = cognito_client("ada", session=False).get("/api/user").json()["data"]
    assert (data["email"], data["name"]) == (None, None)


def test_permissions_are_those_of_django(cognito_client):
    client, url = cognito_client("ada"), "/api/user?include=permissions"
    assert "permissions" not in client.get("/api/user").json()["data"]
    assert "stats.add_stat" not in client.get(url).json()["data"]["permissions"]
    client.user.user_permissions.add(Permission.objects.get(codename="add_stat"))
    assert "stats.add_stat" in client.get(url).json()["data"]["permissions"]
    unknown = client.get("/api/user?include=secrets")
    assert (unknown.status_code, list(unknown.json()["fields"])) == (400, ["include"])


@pytest.mark.parametrize("path", ["/api/user", "/api/user/", "/user", "/user/"])
def test_trailing_slash_is_optional(cognito_client, path):
    assert cognito_client("ada").get(path).status_code == 200
