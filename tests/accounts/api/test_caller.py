from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission

from accounts.api.serializers import CallerSerializer
from accounts.provider import provider
from accounts.testing import subject_of

pytestmark = pytest.mark.django_db


def test_person_by_token(cognito_client):
    client = cognito_client("ada", groups=["admins"], scopes=["openid", "email"], name="Ada L.")
    answer = client.get("/api/user")
    body = answer.json()
    assert body["identity"] == {
        "sub": subject_of("ada"),
        "userName": "ada",
        "clientId": provider().config.client_id,
    }
    data = body["data"]
    assert (data["email"], data["name"]) == ("ada@example.com", "Ada L.")
    assert (data["groups"], data["scopes"]) == (["admins"], ["email", "openid"])
    left = datetime.fromisoformat(data["tokenExpiresAt"]) - datetime.now(UTC)
    assert 3590 < left.total_seconds() <= 3600
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("way", [{"session": False}, {"bearer": False}])
def test_answer_is_as_it_is_described(cognito_client, way):
    body = cognito_client("ada", groups=["admins"], **way).get("/api/user").json()
    assert CallerSerializer(body).data == body


def test_person_by_session(cognito_client):
    body = cognito_client("ada", groups=["admins"], bearer=False).get("/api/user").json()
    assert body["identity"]["sub"] == subject_of("ada")
    assert body["identity"]["userName"] == "ada"
    assert body["data"]["groups"] == ["admins"]
    assert body["data"]["scopes"] == []
    assert body["data"]["tokenExpiresAt"]


def test_person_seen_only_by_token_has_no_name_yet(cognito_client):
    data = cognito_client("ada", session=False).get("/api/user").json()["data"]
    assert (data["email"], data["name"]) == (None, None)


def test_permissions_are_djangos(cognito_client):
    client = cognito_client("ada")
    assert "stats.add_stat" not in client.get("/api/user").json()["data"]["permissions"]
    client.user.user_permissions.add(Permission.objects.get(codename="add_stat"))
    assert "stats.add_stat" in client.get("/api/user").json()["data"]["permissions"]


@pytest.mark.parametrize("path", ["/api/user", "/api/user/", "/user", "/user/"])
def test_slash_at_the_end_makes_no_difference(cognito_client, path):
    assert cognito_client("ada").get(path).status_code == 200
