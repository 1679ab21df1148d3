"""The HTTP contract of the original stack, with the local pool."""

import json
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import pytest
import requests

from stats.models import Stat
from tests.flows.conftest import query_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def http():
    with requests.Session() as session:
        yield session


@pytest.fixture
def ui(http, site, pool, spa_origin):
    """A client that sends the requests of the React UI."""
    return Ui(http, site, pool, spa_origin)


class Ui:
    def __init__(self, http, site, pool, origin):
        self.http, self.site, self.pool, self.origin = http, site, pool, origin
        self.tokens = {}

    def code(self, username="ada"):
        """Sign in without scope, state, nonce or PKCE, as the original UI, and return the code."""
        query = {
            "client_id": self.pool.client_id,
            "response_type": "code",
            "redirect_uri": f"{self.origin}/signin",
        }
        address = f"{self.pool.url}/oauth2/authorize?{urlencode(query)}"
        return query_of(self.pool.sign_in(address, username))["code"]

    def exchange(self, code):
        return self.get("/auth/get-tokens", code=code, redirectUri=f"{self.origin}/signin")

    def sign_in(self, username="ada"):
        response = self.exchange(self.code(username))
        assert response.status_code == 200, response.text
        self.tokens = response.json()
        return self

    def headers(self):
        headers = {"Origin": self.origin}
        if self.tokens:
            headers["Authorization"] = f"Bearer {self.tokens['accessToken']}"
            headers["x-refresh-token"] = self.tokens["refreshToken"]
        return headers

    def get(self, path, **query):
        response = self.http.get(self.site + path, params=query, headers=self.headers(), timeout=60)
        if "x-access-token" in response.headers:
            self.tokens["accessToken"] = response.headers["x-access-token"]
        if "x-refresh-token" in response.headers:
            self.tokens["refreshToken"] = response.headers["x-refresh-token"]
        return response


def test_root_reports_that_the_site_runs(ui):
    assert ui.get("/").status_code == 200


def test_code_is_exchanged_by_get(ui):
    response = ui.exchange(ui.code())
    assert response.status_code == 200
    assert set(response.json()) == {"accessToken", "refreshToken", "idToken"}


def test_code_is_exchanged_by_post(ui):
    response = ui.http.post(
        f"{ui.site}/auth/get-tokens",
        json={"code": ui.code(), "redirectUri": f"{ui.origin}/signin"},
        timeout=60,
    )
    assert set(response.json()) == {"accessToken", "refreshToken", "idToken"}


@pytest.mark.parametrize("code", ["never-issued", ""])
def test_failed_exchange_is_400_with_an_error(ui, code):
    response = ui.exchange(code)
    assert response.status_code == 400
    assert response.json()["error"]


def test_code_works_once(ui):
    code = ui.code()
    assert ui.exchange(code).status_code == 200
    assert ui.exchange(code).status_code == 400


def test_user_is_identity_and_data(ui):
    body = ui.sign_in().get("/user").json()
    assert set(body) == {"identity", "data"}
    assert body["identity"]["userName"] == "ada"
    assert body["identity"]["clientId"] == ui.pool.client_id
    assert len(body["identity"]["sub"]) == 36


def test_stats_is_a_list_under_data(ui):
    Stat.objects.create(kpi="revenue", year=2020, month=3, value="100.5")
    (figure,) = ui.sign_in().get("/stats").json()["data"]
    assert set(figure) >= {
        "id",
        "kpi",
        "period",
        "year",
        "month",
        "value",
        "createdDate",
        "updatedDate",
    }
    assert (figure["period"], figure["value"]) == ("202003", 100.5)
    assert isinstance(figure["value"], float)


def test_server_info_is_public_and_five_strings(ui):
    ui.tokens = {"accessToken": "stale", "refreshToken": "stale"}
    response = ui.get("/info/server")
    assert response.status_code == 200
    assert set(response.json()) == {"swagger", "framework", "version", "language", "repo"}
    assert all(isinstance(value, str) for value in response.json().values())
    assert ui.get(response.json()["swagger"]).status_code == 200


@pytest.mark.parametrize("path", ["/user", "/stats"])
def test_without_a_token_it_is_401_with_an_error(ui, path):
    response = ui.get(path)
    assert response.status_code == 401
    assert response.json()["error"]


def test_access_token_may_come_in_its_own_header(ui):
    token = ui.sign_in().tokens["accessToken"]
    response = ui.http.get(f"{ui.site}/user", headers={"x-access-token": token}, timeout=60)
    assert response.status_code == 200


def test_new_tokens_are_exposed_to_the_page(ui):
    response = ui.sign_in().get("/user")
    assert response.headers["Access-Control-Allow-Origin"] == ui.origin
    exposed = {
        name.strip().lower()
        for name in response.headers["Access-Control-Expose-Headers"].split(",")
    }
    assert {"x-access-token", "x-refresh-token"} <= exposed


@pytest.mark.parametrize("path", ["/user", "/stats", "/api/user", "/api/stats"])
def test_page_may_send_both_token_headers(ui, path):
    response = ui.http.options(
        ui.site + path,
        headers={
            "Origin": ui.origin,
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization,x-access-token,x-refresh-token",
        },
        timeout=60,
    )
    assert response.status_code == 200
    allowed = response.headers["Access-Control-Allow-Headers"].replace(" ", "").split(",")
    assert {"authorization", "x-access-token", "x-refresh-token"} <= set(allowed)


def test_page_of_an_unlisted_origin_gets_no_permission(ui):
    ui.sign_in()
    ui.origin = "https://evil.example"
    assert "Access-Control-Allow-Origin" not in ui.get("/user").headers


def test_repeated_authorization_header_is_401(ui):
    token = ui.sign_in().tokens["accessToken"]
    connection = HTTPConnection(urlsplit(ui.site).netloc, timeout=60)
    connection.putrequest("GET", "/user")
    for _ in range(2):
        connection.putheader("Authorization", f"Bearer {token}")
    connection.endheaders()
    response = connection.getresponse()
    body = json.loads(response.read())
    connection.close()
    assert (response.status, body["code"]) == (401, "malformed_token")


class TestPastExpiry:
    @pytest.fixture
    def ui(self, ui, expired_tokens):
        response = expired_tokens()
        ui.tokens = {
            "accessToken": response["access_token"],
            "refreshToken": response["refresh_token"],
            "idToken": response["id_token"],
        }
        return ui

    def refreshes(self, ui):
        return ui.pool.counts()["token:refresh_token"]

    def test_request_is_served_with_a_new_token(self, ui):
        old = ui.tokens["accessToken"]
        response = ui.get("/user")
        assert response.status_code == 200
        assert response.json()["identity"]["userName"] == "ada"
        assert ui.tokens["accessToken"] != old
        assert response.headers["Cache-Control"] == "no-store"
        assert self.refreshes(ui) == 1

    def test_new_token_needs_no_refresh(self, ui):
        for _ in range(3):
            assert ui.get("/user").status_code == 200
        assert self.refreshes(ui) == 1

    def test_without_a_refresh_token_it_is_401(self, ui):
        ui.tokens["refreshToken"] = ""
        response = ui.get("/user")
        assert (response.status_code, response.json()["code"]) == (401, "token_expired")

    def test_dead_grant_is_401_and_the_ui_signs_out(self, ui):
        ui.pool.sign_out_everywhere("ada")
        response = ui.get("/user")
        assert (response.status_code, response.json()["code"]) == (401, "session_ended")

    def test_disabled_user_is_401(self, ui):
        ui.pool.disable("ada")
        assert ui.get("/user").json()["code"] == "session_ended"

    @pytest.mark.parametrize("fault", ["503", "429", "garbage", "close"])
    def test_pool_that_fails_is_503_and_the_ui_stays_signed_in(self, ui, fault):
        ui.get("/info/server")
        ui.pool.faults.add("token", fault)
        response = ui.get("/user")
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) >= 1
        assert "x-access-token" not in response.headers

    def test_forged_token_makes_no_call(self, ui):
        head, body, signature = ui.tokens["accessToken"].split(".")
        ui.tokens["accessToken"] = f"{head}.{body}.{signature[:-4]}AAAA"
        assert ui.get("/user").status_code == 401
        assert self.refreshes(ui) == 0


class TestRotation:
    @pytest.fixture
    def pool_settings(self):
        return {"rotate_refresh_tokens": True, "refresh_grace_seconds": 0}

    def test_rotated_refresh_token_comes_back_and_works(self, ui, expired_tokens):
        response = expired_tokens()
        expired = response["access_token"]
        ui.tokens = {"accessToken": expired, "refreshToken": response["refresh_token"]}
        for _ in range(2):
            before = dict(ui.tokens)
            ui.tokens["accessToken"] = expired
            assert ui.get("/user").status_code == 200
            assert ui.tokens["refreshToken"] != before["refreshToken"]
            assert ui.tokens["accessToken"] not in (before["accessToken"], expired)
