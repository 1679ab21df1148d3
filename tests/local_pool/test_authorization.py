"""Errors of the authorize endpoint: where they are shown, and what is logged."""

import re
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests

from local_pool.testing import Client, LocalPool

from .conftest import CALLBACK, CHALLENGE, App


def sent_back(response) -> dict[str, str]:
    assert response.status_code == 302
    assert response.headers["Location"].startswith(CALLBACK)
    query = parse_qs(urlsplit(response.headers["Location"]).query)
    return {name: values[0] for name, values in query.items()}


def test_bare_request_leads_to_the_sign_in_page(app):
    response = app.authorize(scope=None, state=None, nonce=None)
    assert response.headers["Location"].startswith(f"{app.pool.url}/login?client_id=")


def test_missing_scope_grants_every_scope_of_the_client(app):
    tokens = app.tokens(scope=None)
    scopes = app.user_info(tokens["access_token"]).json()
    assert {"email", "name", "username"} <= set(scopes)


@pytest.mark.parametrize(
    ("sent", "fix"),
    [
        (f"{CALLBACK}/", "remove the slash at the end"),
        ("http://localhost:8000/Signin", "use the same upper and lower case"),
        ("http://127.0.0.1:8000/signin", "use host localhost instead of 127.0.0.1"),
        ("http://localhost:8001/signin", "use port 8000 instead of 8001"),
        ("https://localhost:8000/signin", "use scheme http instead of https"),
        ("http://localhost:99999999/signin", ""),
        ("https://[", ""),
    ],
)
def test_unregistered_callback_gets_the_error_page_with_the_fix(app, sent, fix):
    response = app.authorize(redirect_uri=sent)
    expected = f"{app.pool.url}/error?error=redirect_mismatch&client_id={app.pool.client_id}"
    assert response.headers["Location"] == expected
    page = requests.get(expected, timeout=60)
    assert page.status_code == 400
    assert "An error was encountered with the requested page." in page.text
    assert fix in page.text
    assert fix in app.pool.journal.lines[-1]


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_missing_parameter_gets_the_error_page_that_names_it(app, name):
    response = app.authorize(**{name: None})
    assert "/error?error=Required+parameters+missing" in response.headers["Location"]
    page = requests.get(response.headers["Location"], timeout=60)
    assert f"Required String parameter &#39;{name}&#39; is not present" in page.text


def test_unknown_client_gets_the_error_page(app):
    assert "/error?error=invalid_request" in app.authorize(client_id="nobody").headers["Location"]
    assert "COGNITO_CLIENT_ID" in app.pool.journal.lines[-1]


def test_only_callback_of_a_client_may_be_left_out(make_local_pool):
    one = Client("oneclient1", "a-secret-of-24-characters", callback_urls=("https://one.test/cb",))
    pool = make_local_pool(clients=[one])
    response = App(pool).authorize(client_id="oneclient1", redirect_uri=None)
    assert "/login?" in response.headers["Location"]


@pytest.mark.parametrize(
    "changes",
    [
        {"response_type": None},
        {"response_type": "id_token"},
        {"code_challenge": CHALLENGE},
        {"code_challenge_method": "S256"},
        {"code_challenge": CHALLENGE, "code_challenge_method": "plain"},
        {"code_challenge": CHALLENGE, "code_challenge_method": "s256"},
        {"code_challenge": CHALLENGE + "=", "code_challenge_method": "S256"},
        {"identity_provider": "Google"},
        {"resource": "not a url"},
        {"max_age": "soon"},
    ],
)
def test_malformed_request_goes_back_as_invalid_request(app, changes):
    response = sent_back(app.authorize(**changes))
    assert response == {"error": "invalid_request", "state": "a-state"}


def test_flow_that_is_off_goes_back_as_unauthorized_client(app):
    response = app.authorize(response_type="token")
    assert response.headers["Location"] == f"{CALLBACK}#error=unauthorized_client&state=a-state"


@pytest.mark.parametrize("scope", ["openid offline_access", "email", "openid stats/read", "nope"])
def test_scope_that_is_not_allowed_goes_back_in_cognitos_order(app, scope):
    response = app.authorize(scope=scope)
    expected = "?error_description=invalid_scope&state=a-state&error=invalid_request"
    assert response.headers["Location"] == CALLBACK + expected
    without_state = app.authorize(scope=scope, state=None).headers["Location"]
    assert without_state == CALLBACK + "?error_description=invalid_scope&error=invalid_request"


def test_prompt_none_without_session_says_login_required(app):
    assert sent_back(app.authorize(prompt="none"))["error"] == "login_required"


def test_prompt_none_with_session_gives_a_code(app):
    browser = requests.Session()
    app.code(session=browser)
    assert "code" in sent_back(app.authorize(browser, prompt="none"))


def test_session_gives_codes_to_every_client_of_the_pool(app):
    browser = requests.Session()
    app.code(session=browser)
    public = app.authorize(browser, client_id=app.pool.config.public_client_id)
    assert "code" in sent_back(public)


def test_session_lasts_an_hour_and_does_not_slide(app):
    browser = requests.Session()
    app.code(session=browser)
    app.pool.clock.advance(3000)
    assert "code" in sent_back(app.authorize(browser))
    app.pool.clock.advance(601)
    assert "/login?" in app.authorize(browser).headers["Location"]


@pytest.mark.parametrize("changes", [{"prompt": "login"}, {"max_age": "10"}])
def test_fresh_password_is_asked_for_when_the_app_wants_it(app, changes):
    browser = requests.Session()
    app.code(session=browser)
    app.pool.clock.advance(11)
    response = app.authorize(browser, **changes)
    assert "/login?" in response.headers["Location"]
    page = browser.get(response.headers["Location"], timeout=60)
    assert "Sign in as" not in page.text
    assert app.code(session=browser, **changes)


def test_login_page_offers_the_signed_in_user(app):
    browser = requests.Session()
    app.code(session=browser)
    url = app.authorize_url().replace("/oauth2/authorize", "/login")
    page = browser.get(url, timeout=60)
    assert "Sign in as ada" in page.text
    csrf = re.search(r'name="_csrf" value="([^"]+)"', page.text)[1]
    form = {"_csrf": csrf, "signInAs": "ada"}
    assert "code" in sent_back(browser.post(url, form, allow_redirects=False, timeout=60))


def test_login_hint_fills_in_the_username(app):
    page = requests.get(app.authorize_url(login_hint="grace"), timeout=60)
    assert 'name="username" value="grace"' in page.text


def test_implicit_flow_returns_tokens_in_the_fragment_without_a_refresh_token(make_local_pool):
    spa = Client("implicitclient", flows=("code", "implicit"), callback_urls=(CALLBACK,))
    pool = make_local_pool(clients=[spa])
    url = App(pool).authorize_url(client_id="implicitclient", response_type="token")
    fragment = parse_qs(urlsplit(pool.sign_in(url, "ada")).fragment)
    assert set(fragment) == {"id_token", "access_token", "token_type", "expires_in", "state"}
    claims = jwt.decode(fragment["id_token"][0], options={"verify_signature": False})
    assert claims["nonce"] == "a-nonce"


def test_callback_with_a_query_of_its_own_keeps_it(make_local_pool):
    own = Client("queryclient", callback_urls=("http://localhost:8000/cb?tenant=1",))
    pool = make_local_pool(clients=[own])
    url = App(pool).authorize_url(client_id="queryclient", redirect_uri=own.callback_urls[0])
    assert pool.sign_in(url, "ada").startswith("http://localhost:8000/cb?tenant=1&code=")


def test_disabled_user_goes_back_with_the_reason(app):
    app.pool.disable("linus")
    url = app.pool.sign_in(app.authorize_url(), "linus")
    query = parse_qs(urlsplit(url).query)
    assert query["error"] == ["invalid_request"]
    assert query["error_description"] == ["User is not enabled"]


def test_default_pool_registers_the_usual_callbacks():
    with LocalPool(public_url="http://localhost:8123") as pool:
        client = pool.config.clients[pool.client_id]
        own = [url for url in client.callback_urls if url.endswith("/signin")]
        assert own == [f"http://localhost:{port}/signin" for port in (8123, 3000, 3001)]
        assert client.callback_urls[0] == own[0]
        assert client.logout_urls[0] == "http://localhost:8123/signout"
        public = pool.config.clients[pool.config.public_client_id]
        assert "http://localhost:8123/docs/oauth2-redirect" in public.callback_urls
