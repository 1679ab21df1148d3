"""Access tokens that are bound to one resource (RFC 8707)."""

from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests

from local_pool.testing import Client

from .conftest import CALLBACK, App

API = "https://api.example.com"


def claims(token):
    return jwt.decode(token, options={"verify_signature": False})


@pytest.mark.parametrize("rotate", [False, True])
def test_audience_stays_through_every_refresh(make_local_pool, rotate):
    app = App(make_local_pool(rotate_refresh_tokens=rotate))
    tokens = app.tokens(resource=API)
    for _ in range(3):
        assert claims(tokens["access_token"])["aud"] == API
        assert claims(tokens["access_token"])["client_id"] == app.pool.client_id
        assert claims(tokens["id_token"])["aud"] == app.pool.client_id
        tokens = {"refresh_token": tokens["refresh_token"]} | app.refresh(
            tokens["refresh_token"], resource="https://other.example.com"
        ).json()
    assert app.user_info(tokens["access_token"]).status_code == 200


def test_sign_ins_of_one_browser_have_audiences_of_their_own(app):
    assert "aud" not in claims(app.tokens()["access_token"])
    assert claims(app.tokens(resource=API)["access_token"])["aud"] == API
    assert "aud" not in claims(app.tokens(resource="")["access_token"])


@pytest.mark.parametrize(
    "resource",
    [
        API,
        f"{API}/v1?tenant=1",
        "http://localhost:8000",
        "http://127.0.0.1/api",
        "com.example:/api",
    ],
)
def test_url_is_a_resource(app, resource):
    assert claims(app.tokens(resource=resource)["access_token"])["aud"] == resource


@pytest.mark.parametrize(
    "resource",
    [
        "api",
        "http://api.example.com",
        "https://",
        "https:///api",
        "https://[",
        f"{API}#part",
        f"{API} x",
        "//api",
    ],
)
def test_other_values_return_to_the_app_with_invalid_request(app, resource):
    response = app.authorize(resource=resource)
    query = parse_qs(urlsplit(response.headers["Location"]).query)
    assert query == {"error": ["invalid_request"], "state": ["a-state"]}


@pytest.mark.parametrize("second", ["https://other.example.com", API])
def test_second_resource_is_refused(app, second):
    url = f"{app.authorize_url(resource=API)}&resource={second}"
    response = requests.get(url, allow_redirects=False, timeout=60)
    query = parse_qs(urlsplit(response.headers["Location"]).query)
    assert query["error"] == ["invalid_request"]


def test_implicit_flow_binds_the_token_as_well(make_local_pool):
    spa = Client("implicitclient", flows=("implicit",), callback_urls=(CALLBACK,))
    pool = make_local_pool(clients=[spa])
    changes = {"client_id": "implicitclient", "response_type": "token", "resource": API}
    url = pool.sign_in(App(pool).authorize_url(**changes), "ada")
    assert claims(parse_qs(urlsplit(url).fragment)["access_token"][0])["aud"] == API


def test_machine_tokens_are_not_bound(app):
    config = app.pool.config
    response = app.token(
        auth=(config.machine_client_id, config.machine_client_secret),
        grant_type="client_credentials",
        resource=API,
    )
    assert response.status_code == 200
    assert "aud" not in claims(response.json()["access_token"])
