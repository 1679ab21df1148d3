"""The console at ``/_local/``."""

import re

import pytest
import requests

from local_pool.server import create_app

from .conftest import CALLBACK
from .pages import Pages

FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:3000"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.fixture
def console(app) -> Pages:
    return Pages(f"{app.pool.url}/_local/")


def test_opens_on_sign_ins_with_cause_and_fix_of_the_failed_one(app, console):
    app.tokens("grace")
    app.authorize(redirect_uri=f"{CALLBACK}/", state="wrong")
    text = Pages(f"{app.pool.url}/_local/").text
    live = text[text.index("Live sign-ins") : text.index("Users")]
    assert f"sent {CALLBACK}/, registered {CALLBACK}" in live
    assert "remove the slash at the end" in live
    assert "<b>grace</b>" in live
    assert "cognito:groups" in live
    assert live.index("refused at authorize") < live.index("signed in")
    fragment = requests.get(f"{app.pool.url}/_local/live", timeout=60).text
    assert "remove the slash" in fragment
    assert "<html" not in fragment


def test_shows_users_clients_and_the_apps_environment(app, console):
    for shown in ("ada", "admins", "Linus Pauling", app.pool.client_secret, "COGNITO_ISSUER="):
        assert shown in console.text
    for line in app.pool.env().items():
        assert "=".join(line) in console.text


def test_bare_url_leads_here(app):
    assert app.get("/").headers["Location"] == "/_local/"


def test_button_does_its_command_and_says_so(app, console):
    console.submit("/_local/faults", do="disable ada")
    assert "Done: ada is disabled" in console.text
    assert not app.pool.get_user("ada").enabled
    console.submit("/_local/faults", do="nonsense")
    assert "There is no command 'nonsense'" in console.alert


def test_tokens_can_be_fetched_to_be_copied(app, console):
    console.submit("/_local/token", **{"as": "grace"})
    token = re.search(r'data-copy="(ey[^"]+)"', console.text)[1]
    assert app.user_info(token).json()["username"] == "grace"
    console.submit("/_local/token", **{"as": "machine"})
    assert "Tokens of machine" in console.text
    console.submit("/_local/token", **{"as": "nobody"})
    assert console.alert == "User does not exist."


def test_mail_is_an_html_page_or_json(app):
    app.api(
        "AdminCreateUser", Username="zoe", UserAttributes=[{"Name": "email", "Value": "z@e.org"}]
    )
    page = requests.get(f"{app.pool.url}/_local/mail", headers={"Accept": "text/html"}, timeout=60)
    assert "Your username is zoe and temporary password is" in page.text
    headers = {"Accept": "application/json"}
    mails = requests.get(f"{app.pool.url}/_local/mail", headers=headers, timeout=60).json()
    assert mails[0]["to"] == "z@e.org"
    assert mails[0]["code"] in mails[0]["body"]


def test_programs_command_in_json(app):
    url = f"{app.pool.url}/_local/faults"
    assert requests.post(url, json={"do": "disable ada"}, timeout=60).json() == {
        "said": "ada is disabled"
    }
    fault = {"do": "fail token 503 --times 3 --for 60s"}
    assert requests.post(url, json=fault, timeout=60).status_code == 200
    assert "token: 503, 3 more" in requests.get(url, timeout=60).json()["faults"][0]
    assert requests.delete(url, timeout=60).json()["faults"] == []
    for wrong in ({}, {"do": "explode"}, {"do": 1}, ["do"]):
        response = requests.post(url, json=wrong, timeout=60)
        assert response.status_code == 400
        assert response.json()["error"]


def test_programs_fetch_tokens_in_json(app):
    url = f"{app.pool.url}/_local/token"
    tokens = requests.post(url, json={"as": "ada", "scope": "openid"}, timeout=60).json()
    assert set(tokens) >= {"access_token", "id_token", "refresh_token"}
    public = app.pool.config.public_client_id
    tokens = requests.post(url, json={"as": "ada", "client": public}, timeout=60).json()
    assert app.refresh(tokens["refresh_token"], auth=None, client_id=public).status_code == 200
    for wrong in ({"as": "nobody"}, {"as": "ada", "client": "x"}, {"as": "ada", "scope": "x"}, {}):
        assert requests.post(url, json=wrong, timeout=60).status_code == 400


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:9000", "localhost.evil.example", ""]
)
@pytest.mark.parametrize("path", ["/_local/", "/login", "/oauth2/token", "/", "/static/pool.css"])
def test_foreign_host_header_is_refused_everywhere(app, host, path):
    client = create_app(app.pool.pool).test_client()
    headers = {"Host": host}
    assert client.get(path, headers=headers).status_code == 400
    assert client.post(path, headers=headers).status_code == 400


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9000", "[::1]:9000", "LOCALHOST:1"])
def test_loopback_names_are_accepted(app, host):
    client = create_app(app.pool.pool).test_client()
    assert client.get("/_local/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("path", ["/_local/faults", "/_local/token"])
def test_post_of_another_site_is_refused(app, headers, path):
    response = requests.post(
        f"{app.pool.url}{path}",
        data={"do": "disable ada", "as": "ada"},
        headers=headers,
        timeout=60,
    )
    assert response.status_code == 403
    assert app.pool.get_user("ada").enabled
    assert "eyJ" not in response.text


@pytest.mark.parametrize("headers", FOREIGN)
def test_api_call_of_another_site_is_refused(app, headers):
    target = {"X-Amz-Target": "AWSCognitoIdentityProviderService.AdminDisableUser"}
    body = {"Username": "ada"}
    response = requests.post(f"{app.pool.url}/", json=body, headers=headers | target, timeout=60)
    assert response.status_code == 403
    assert app.pool.get_user("ada").enabled


def test_user_input_is_shown_as_text(app):
    evil = "<script>alert(1)</script>"
    app.authorize(redirect_uri=evil, state="x")
    Pages(app.authorize_url(login_hint=evil)).submit("/login", username=evil, password="x")
    pages = [f"{app.pool.url}/_local/", f"{app.pool.url}/error?error={evil}"]
    for page in [*pages, app.authorize_url(login_hint=evil)]:
        assert evil not in requests.get(page, timeout=60).text
