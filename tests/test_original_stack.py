"""docs/from-the-original-stack.md: its names exist, and its .env serves the original UI."""

import base64
import re
from urllib.parse import urlencode

import pytest
import requests
from django.urls import resolve

from local_pool.testing import LocalPool
from tests.flows.conftest import query_of
from tests.imports import ROOT
from tests.test_run import Run, eventually, free_ports, get_status
from tools.docs.settings_page import variables

PAGE = (ROOT / "docs/from-the-original-stack.md").read_text(encoding="utf-8")
ORIGIN = "http://localhost:3000"
BACKEND, PRODUCTION = (
    re.sub("^ +", "", block, flags=re.MULTILINE)
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
)


def named_here(heading):
    """Return the names in the second column of the table of a section, one list for each row."""
    section = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.split("|") for line in section.splitlines() if line.startswith("|")][2:]
    return [re.findall(r"`([^`]+)`", cells[2]) for cells in rows]


def test_each_variable_of_the_original_has_one_here():
    rows = named_here("Variables")
    assert len(rows) >= 10
    names = {variable.name for variable in variables()}
    assert all(row and set(row) <= names for row in rows)
    original = re.findall(r"^(?:export )?(\w+)=", BACKEND, re.MULTILINE)
    assert [name for name in original if f"`{name}`" not in PAGE] == []


def test_each_url_of_the_original_has_one_here():
    rows = named_here("URLs")
    assert len(rows) >= 7
    for url in (url for row in rows for url in row):
        resolve(url)


@pytest.fixture(params=["development", "production"])
def stack(request, tmp_path, clean_environ):
    """The site with the backend's .env of the page, and its user pool."""
    [port] = free_ports(1)
    with LocalPool(public_url=f"http://localhost:{port}") as pool:
        text = re.sub(r"PORT=\d+", f"PORT={port}", BACKEND)
        for name, value in pool.env().items():
            line = f'{name}="{value}"'
            text, count = re.subn(rf'{name}="[^"]*"', line, text)
            text += "" if count else f"{line}\n"
        environ = {
            "ENV_FILE": str(tmp_path / ".env"),
            "DATABASE_URL": f"sqlite:///{tmp_path}/app.sqlite3",
        }
        if request.param == "production":
            text += PRODUCTION.replace("https://spa.example.com", ORIGIN)
            environ |= {
                "DEBUG": "0",
                "SECRET_KEY": "tests-only-secret-key-that-signs-nothing-of-worth-0123456789",
                "TOKEN_ENCRYPTION_KEYS": base64.urlsafe_b64encode(bytes(32)).decode(),
                "STATIC_ROOT": str(tmp_path / "static"),
            }
        (tmp_path / ".env").write_text(text, encoding="utf-8")
        site = Run(clean_environ | environ, tmp_path / "output")
        try:
            assert eventually(lambda: get_status(port) == 200 or site.process.poll() is not None)
            assert site.process.poll() is None, site.text
            yield OriginalUI(f"http://localhost:{port}", pool)
        finally:
            if site.process.poll() is None:
                site.end()


class OriginalUI:
    """The requests of the original UI, in a browser that enforces CORS."""

    def __init__(self, site, pool, redirect_uri=f"{ORIGIN}/signin"):
        self.site, self.pool, self.redirect_uri = site, pool, redirect_uri
        self.headers = {"Origin": ORIGIN}

    def get(self, path, **query):
        url = f"{self.site}{path}"
        response = requests.get(url, query, headers=self.headers, timeout=60)
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
        return response

    def code(self):
        query = {
            "client_id": self.pool.client_id,
            "response_type": "code",
            "redirect_uri": self.redirect_uri,
        }
        url = f"{self.pool.url}/oauth2/authorize?{urlencode(query)}"
        return query_of(self.pool.sign_in(url, "linus"))["code"]

    def exchange(self, code):
        return self.get("/auth/get-tokens", code=code, redirectUri=self.redirect_uri)

    def store(self, access_token, refresh_token):
        tokens = {"Authorization": f"Bearer {access_token}", "x-refresh-token": refresh_token}
        self.headers |= tokens

    def expired_token(self, refresh_token):
        self.pool.clock.offset = -3700
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        auth = (self.pool.client_id, self.pool.client_secret)
        response = requests.post(f"{self.pool.url}/oauth2/token", form, auth=auth, timeout=60)
        self.pool.clock.offset = 0
        return response.json()["access_token"]


def test_original_ui_works_with_the_backends_file(stack):
    assert stack.get("/info/server").json()["repo"] == "https://github.com/example/sso-project"
    tokens = stack.exchange(stack.code()).json()
    assert set(tokens) == {"accessToken", "refreshToken", "idToken"}
    stack.store(tokens["accessToken"], tokens["refreshToken"])
    assert stack.get("/user").json()["identity"]["userName"] == "linus"
    assert isinstance(stack.get("/stats").json()["data"], list)

    stack.store(stack.expired_token(tokens["refreshToken"]), tokens["refreshToken"])
    response = stack.get("/user")
    assert response.status_code == 200
    assert response.headers["X-Access-Token"]
    assert "X-Access-Token" in response.headers["Access-Control-Expose-Headers"]

    signed_out = requests.post(f"{stack.site}/auth/sign-out", headers=stack.headers, timeout=60)
    assert signed_out.status_code == 204
    stack.store(tokens["accessToken"], tokens["refreshToken"])
    assert eventually(lambda: stack.get("/user").status_code == 401)

    refused = stack.get("/auth/get-tokens", code="x", redirectUri="http://localhost:3999/signin")
    assert (refused.status_code, refused.json()["code"]) == (400, "redirect_uri_not_allowed")
    elsewhere = {"Origin": "http://localhost:3999"}
    response = requests.get(f"{stack.site}/info/server", headers=elsewhere, timeout=60)
    assert "Access-Control-Allow-Origin" not in response.headers
