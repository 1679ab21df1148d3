"""The site and a user pool, with real servers and HTTP on free ports."""

import os
from dataclasses import dataclass
from functools import partial
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests

from accounts.cognito.transport import Transport
from accounts.models import SignIn
from accounts.provider import bounded_endpoint, factory
from local_pool.testing import LocalPool
from tests.imports import ROOT

TOOLS = ROOT / ".local/clients"  # `make test-clients` installs them
ENVIRONMENT_NAMES = {
    "POOL_ID": "COGNITO_POOL_ID",
    "CLIENT_ID": "COGNITO_CLIENT_ID",
    "CLIENT_SECRET": "COGNITO_CLIENT_SECRET",
    "CLIENT_DOMAIN": "COGNITO_CLIENT_DOMAIN",
    "CLIENT_REGION": "COGNITO_CLIENT_REGION",
    "ISSUER": "COGNITO_ISSUER",
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests that need other tools, unless REQUIRE_CLIENTS is set."""
    wanting = [item for item in items if item.get_closest_marker("clients")]
    if os.environ.get("REQUIRE_CLIENTS", "") in ("", "0"):
        if wanting and len(wanting) == len(items):
            raise pytest.UsageError("`make test-clients` runs these tests.")
        config.hook.pytest_deselected(items=wanting)
        items[:] = [item for item in items if item not in set(wanting)]
    elif wanting and not (TOOLS / "installed").exists():
        raise pytest.UsageError(f"REQUIRE_CLIENTS is set, and {TOOLS} is not complete.")


@pytest.fixture
def pool(live_server):
    with LocalPool(public_url=live_server.url) as running:
        yield running


@pytest.fixture
def site(live_server, pool, settings):
    """The URL of the running site, configured for `pool`."""
    environment = pool.env()
    settings.PUBLIC_URL = live_server.url
    settings.COGNITO = {
        **settings.COGNITO,
        **{key: environment.get(name, "") for key, name in ENVIRONMENT_NAMES.items()},
        "JWKS_URL": "",
        "PUBLIC_URL": live_server.url,
    }
    return live_server.url


@pytest.fixture
def patient_transport(monkeypatch):
    """Let many calls at once to the pool take longer than in production, on a busy machine."""
    seconds = dict.fromkeys(("connect_seconds", "read_seconds", "total_seconds"), 60.0)
    monkeypatch.setattr(factory, "new_transport", partial(Transport, **seconds))
    monkeypatch.setattr(bounded_endpoint, "MAX_SLOT_WAIT_SECONDS", 60.0)


@dataclass
class Visitor:
    """A browser without JavaScript, which stores cookies and follows redirects one by one."""

    site: str
    pool: LocalPool
    http: requests.Session

    def get(self, path, **kwargs):
        return self.http.get(urljoin(self.site, path), allow_redirects=False, timeout=60, **kwargs)

    def start(self, next_page=""):
        """Start to sign in, and return the URL of the hosted UI."""
        query = {"next": next_page} if next_page else {}
        response = self.get("/accounts/login/", params=query)
        assert response.status_code == 302, response.text
        return response.headers["Location"]

    def start_again(self, **options):
        """Start a second try, which does not start again if Cognito refuses its code."""
        return self.get("/signin?code=x&state=x", **options).headers["Location"]

    def callback(self, authorize_url, username="ada"):
        """Sign in at the hosted UI, and return the callback URL."""
        return self.pool.sign_in(authorize_url, username, session=self.http)

    def sign_in(self, username="ada", next_page=""):
        """Sign in, and return the response to the callback."""
        return self.get(self.callback(self.start(next_page), username))

    def post(self, path, **fields):
        token = self.http.cookies.get("csrftoken") or ""
        return self.http.post(
            urljoin(self.site, path),
            data={"csrfmiddlewaretoken": token, **fields},
            allow_redirects=False,
            timeout=60,
        )

    def sign_out(self):
        self.get("/profile/")  # a page with a form sets the CSRF cookie
        return self.post("/accounts/logout/")

    @property
    def is_signed_in(self):
        return self.get("/profile/").status_code == 200


@pytest.fixture
def new_visitor(site, pool):
    sessions = []

    def make():
        http = requests.Session()
        sessions.append(http)
        return Visitor(site, pool, http)

    yield make
    for http in sessions:
        http.close()


@pytest.fixture
def visitor(new_visitor):
    return new_visitor()


def query_of(address):
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def live_sign_ins():
    return SignIn.objects.live().count()
