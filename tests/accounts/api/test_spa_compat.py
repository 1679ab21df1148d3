import json
import os
import subprocess
import sys
import time

import pytest
from django.urls import resolve

from accounts.models import RefreshResult, User
from accounts.testing import mint_access_token, mint_id_token, mint_machine_token
from accounts.testing.fake import FakeUser
from accounts.tokens import revocation_feed, revocations
from tests.imports import ROOT

pytestmark = pytest.mark.django_db


class Spa:
    """A signed-in single-page app: an access token that has expired, and its refresh token."""

    def __init__(self, cognito, username="ada"):
        self.user = FakeUser(username)
        code = cognito.authorize(self.user)
        response = cognito.post_form(
            "token", {"grant_type": "authorization_code", "code": code}, repeatable=False
        )
        self.refresh_token = json.loads(response.body)["refresh_token"]
        cognito.calls.clear()

    def expired(self, username=None, **changes):
        claims = {
            **self.user.sign_in_claims,
            "iat": int(time.time()) - 3660,
            "exp": int(time.time()) - 60,
            **changes.pop("claims", {}),
        }
        return mint_access_token(username or self.user.username, claims=claims, **changes)


@pytest.fixture
def spa(cognito):
    return Spa(cognito)


def get_caller(client, access_token, refresh_token=None, path="/user"):
    headers = {"Authorization": f"Bearer {access_token}"}
    if refresh_token is not None:
        headers["x-refresh-token"] = refresh_token
    return client.get(path, headers=headers)


def refreshes(cognito):
    return cognito.calls.count("refresh_token")


@pytest.mark.parametrize("path", ["/user", "/api/user"])
def test_expired_token_is_refreshed_during_the_request(client, cognito, spa, path):
    response = get_caller(client, spa.expired(), spa.refresh_token, path)
    assert response.status_code == 200
    assert response.json()["identity"]["userName"] == "ada"
    assert "no-store" in response.headers["Cache-Control"]
    assert "X-Refresh-Token" not in response.headers
    again = get_caller(client, response.headers["X-Access-Token"])
    assert again.status_code == 200
    assert "X-Access-Token" not in again.headers
    assert refreshes(cognito) == 1


def test_valid_token_is_not_refreshed(client, cognito, spa):
    response = get_caller(client, mint_access_token(), spa.refresh_token)
    assert response.status_code == 200
    assert "X-Access-Token" not in response.headers
    assert refreshes(cognito) == 0


def test_access_token_is_accepted_in_its_own_header(client, cognito):
    response = client.get("/user", headers={"x-access-token": mint_access_token()})
    assert response.status_code == 200


@pytest.mark.parametrize(
    "mistake",
    [
        {"forged": True},
        {"foreign": True},
        {"claims": {"client_id": "notours"}},
        {"claims": {"token_use": "id"}},
        {"without": ["username"]},
    ],
    ids=str,
)
def test_token_with_another_mistake_is_not_refreshed(client, cognito, spa, mistake):
    response = get_caller(client, spa.expired(**mistake), spa.refresh_token)
    assert response.status_code == 401
    assert refreshes(cognito) == 0
    assert not RefreshResult.objects.exists()


def test_expired_id_token_is_not_refreshed(client, cognito, spa):
    response = get_caller(client, mint_id_token(expired=True), spa.refresh_token)
    assert response.status_code == 401
    assert refreshes(cognito) == 0


def test_expired_machine_token_is_not_refreshed(client, cognito, spa):
    response = get_caller(client, mint_machine_token(expired=True), spa.refresh_token)
    assert response.json()["code"] == "token_expired"
    assert refreshes(cognito) == 0


def test_token_of_another_client_is_not_refreshed(client, cognito, spa, settings):
    settings.COGNITO = {**settings.COGNITO, "ACCEPTED_CLIENTS": ["2partnerclient"]}
    token = spa.expired(claims={"client_id": "2partnerclient"})
    assert get_caller(client, token, spa.refresh_token).json()["code"] == "token_expired"
    assert refreshes(cognito) == 0


def test_token_with_an_actor_is_not_refreshed(client, cognito, spa, settings):
    settings.COGNITO = {**settings.COGNITO, "ACTORS": ["worker"]}
    token = spa.expired(claims={"act": {"sub": "worker"}})
    response = get_caller(client, token, spa.refresh_token)
    assert (response.status_code, response.json()["code"]) == (401, "token_expired")
    assert refreshes(cognito) == 0


def test_refresh_token_of_another_user_is_refused(client, cognito, spa):
    other = Spa(cognito, "mallory")
    response = get_caller(client, spa.expired(), other.refresh_token)
    assert (response.status_code, response.json()["code"]) == (401, "claim_rejected")
    assert "X-Access-Token" not in response.headers


def test_refused_request_creates_no_user(client, cognito, spa):
    other = Spa(cognito, "mallory")
    for _ in range(2):  # the second request gets the shared result of the refresh
        assert get_caller(client, spa.expired(), other.refresh_token).status_code == 401
    assert not User.objects.exists()


def test_refused_request_changes_no_rights(client, cognito, spa):
    earlier = mint_access_token("mallory", claims={"iat": int(time.time()) - 60})
    assert get_caller(client, earlier).status_code == 200
    other = Spa(cognito, "mallory")
    other.user.groups = ("admins",)
    assert get_caller(client, spa.expired(), other.refresh_token).status_code == 401
    assert not User.objects.get().is_superuser


def test_refused_refresh_token_is_not_sent_to_cognito_again(client, cognito, spa):
    for _ in range(5):
        assert get_caller(client, spa.expired(), "junk").json()["code"] == "session_ended"
    assert refreshes(cognito) == 1
    assert "junk" not in str(list(RefreshResult.objects.values()))


def test_header_refreshes_beyond_the_budget_are_429(client, cognito, spa, limit_failed_calls):
    limit_failed_calls(3)
    statuses = [get_caller(client, spa.expired(), f"junk{n}").status_code for n in range(5)]
    assert statuses == [401, 401, 401, 429, 429]
    response = get_caller(client, spa.expired(), spa.refresh_token)
    assert (response.status_code, response.json()["code"]) == (429, "throttled")
    assert response.headers["Retry-After"] == "48"
    assert "WWW-Authenticate" not in response.headers  # the app would read it as a sign-out
    assert refreshes(cognito) == 3
    assert RefreshResult.objects.count() == 3


def test_failed_refreshes_of_one_user_do_not_count_for_another(
    client, cognito, spa, limit_failed_calls
):
    limit_failed_calls(3)
    for number in range(5):
        get_caller(client, spa.expired(), f"junk{number}")
    other = Spa(cognito, "mallory")
    assert get_caller(client, other.expired(), other.refresh_token).status_code == 200


def test_successful_refreshes_use_no_budget(client, cognito, limit_failed_calls):
    limit_failed_calls(1)
    for number in range(4):
        app = Spa(cognito, f"user-{number}")
        assert get_caller(client, app.expired(), app.refresh_token).status_code == 200


def test_refresh_token_of_another_sign_in_is_refused(client, cognito, spa):
    response = get_caller(client, spa.expired(), Spa(cognito, "ada").refresh_token)
    assert (response.status_code, response.json()["code"]) == (401, "claim_rejected")
    assert "X-Access-Token" not in response.headers


def test_revocation_is_checked_before_cognito_is_called(client, cognito, spa):
    revocations.revoke_sign_in(spa.user.sign_in_claims["origin_jti"])
    revocation_feed.reset()
    response = get_caller(client, spa.expired(), spa.refresh_token)
    assert (response.status_code, response.json()["code"]) == (401, "token_revoked")
    assert refreshes(cognito) == 0


def test_token_older_than_the_stored_revocations_is_not_refreshed(client, cognito, spa):
    issued = int(time.time()) - 86_401
    token = spa.expired(claims={"iat": issued, "exp": issued + 3600})
    response = get_caller(client, token, spa.refresh_token)
    assert (response.status_code, response.json()["code"]) == (401, "session_ended")
    assert refreshes(cognito) == 0


def test_invalid_refresh_token_is_401_session_ended(client, cognito, spa):
    response = get_caller(client, spa.expired(), "no-longer-a-refresh-token")
    assert (response.status_code, response.json()["code"]) == (401, "session_ended")
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


def test_cognito_outage_is_503_and_not_401(client, cognito, spa):
    expired = spa.expired()
    get_caller(client, mint_access_token())  # downloads the keys
    cognito.down = True
    response = get_caller(client, expired, spa.refresh_token)
    assert (response.status_code, response.json()["code"]) == (503, "cognito_unavailable")
    assert int(response.headers["Retry-After"]) >= 1
    assert "WWW-Authenticate" not in response.headers


def test_expired_token_without_a_refresh_token_is_refused(client, cognito, spa):
    assert get_caller(client, spa.expired()).json()["code"] == "token_expired"


@pytest.mark.parametrize(
    "refresh_token", ["", "é", "a b", "x" * 20_000, "\u0000"], ids=["", "é", "ab", "long", "nul"]
)
def test_malformed_refresh_token_is_401(client, cognito, spa, refresh_token):
    response = get_caller(client, spa.expired(), refresh_token)
    assert response.status_code == 401
    assert refreshes(cognito) == 0


@pytest.mark.parametrize(
    "url", ["/user", "/user/", "/stats", "/info/server", "/auth/get-tokens", "/stats/1"]
)
def test_root_urls_are_the_same_views(url):
    original, api = resolve(url), resolve(f"/api{url}")
    assert original.func.cls is api.func.cls


def test_compatibility_can_be_disabled(clean_environ):
    code = """
import django
django.setup()
from django.conf import settings
from django.core.management import call_command
from django.test import Client
call_command("migrate", verbosity=0)
client = Client(headers={"host": "localhost"})
print([client.get(path).status_code for path in ("/user", "/stats", "/info/server")])
print(client.get("/api/auth/get-tokens?code=a&redirectUri=b").status_code)
print([name for name in settings.MIDDLEWARE if "spa_compat" in name])
print(settings.REST_FRAMEWORK["DEFAULT_AUTHENTICATION_CLASSES"][0])
print("x-refresh-token" in getattr(settings, "CORS_ALLOW_HEADERS", ()))
"""
    environ = {
        **clean_environ,
        **{name: os.environ[name] for name in os.environ if name.startswith("COGNITO_")},
        "ENV_FILE": os.devnull,
        "DEBUG": "1",
        "DATABASE_URL": "sqlite:///:memory:",
        "SECRET_KEY": "tests-only",
        "SPA_COMPAT": "0",
        "DJANGO_SETTINGS_MODULE": "sso_project.settings",
    }
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, text=True
    )
    assert process.stdout.split("\n") == [
        "[404, 404, 404]",
        "405",
        "[]",
        "accounts.authentication.CognitoAuthentication",
        "False",
        "",
    ], process.stderr
