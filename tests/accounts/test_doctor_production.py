"""The go-live checks: settings that are fine on a laptop, and what a running site sends."""

import pytest
import responses

from accounts.cognito.config import CognitoConfig
from accounts.cognito.transport import Transport
from accounts.doctor.probing import Probe
from accounts.doctor.production import live_problems, production_problems

SITE = "https://app.example.com"
LOGIN = f"{SITE}/accounts/login/"
AUTHORIZE = "https://team.auth.eu-west-1.amazoncognito.com/oauth2/authorize"
GOOD = f"{AUTHORIZE}?client_id=client1&redirect_uri=https%3A%2F%2Fapp.example.com%2Fsignin"
COOKIE = "__Host-signin_1=x; Path=/; Secure; HttpOnly; SameSite=Lax"


@pytest.fixture
def config():
    return CognitoConfig(
        pool_id="eu-west-1_AbCdEf123", client_id="client1", client_secret="s" * 24, domain="team"
    )


@pytest.mark.parametrize(
    ("location", "cookie", "finding"),
    [
        (GOOD, COOKIE, None),
        (LOGIN, "", "site-redirects-to-itself"),
        ("https://elsewhere.example.com/", COOKIE, "site-unreachable"),
        (GOOD.replace("signin", "signin%2F"), COOKIE, "site-sends-elsewhere"),
        (GOOD.replace("client1", "client2"), COOKIE, "site-sends-elsewhere"),
        (GOOD, "signin_1=x; Path=/; HttpOnly; SameSite=Lax", "site-cookie-insecure"),
    ],
)
def test_running_site_is_asked(config, location, cookie, finding):
    with responses.RequestsMock() as mock:
        mock.get(LOGIN, status=302, headers={"Location": location, "Set-Cookie": cookie})
        found = list(live_problems(Probe(config, Transport()), SITE, f"{SITE}/signin"))
    assert [each.id for each in found] == ([finding] if finding else [])


def test_page_that_is_no_sign_in_is_named(config):
    with responses.RequestsMock() as mock:
        mock.get(LOGIN, status=404)
        [found] = live_problems(Probe(config, Transport()), SITE, f"{SITE}/signin")
    assert "it answered 404" in found.what


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "value", "finding"),
    [
        ("DEBUG", True, "debug-on"),
        ("CORS_ALLOWED_ORIGINS", ["http://localhost:3000"], "cors-for-localhost"),
        ("SECURE_HSTS_SECONDS", 0, "deployment-check"),
    ],
)
def test_development_settings_are_named(config, settings, name, value, finding):
    setattr(settings, name, value)
    assert finding in [each.id for each in production_problems(config, SITE)]


@pytest.mark.django_db
def test_laptop_is_no_live_site(settings):
    settings.CORS_ALLOWED_ORIGINS = []
    local = CognitoConfig(
        pool_id="local-1_DevPool01",
        client_id="client1",
        client_secret="s" * 24,
        domain="http://localhost:9000",
        issuer="http://localhost:9000/local-1_DevPool01",
    )
    found = [each.id for each in production_problems(local, "http://localhost:8000")]
    assert {"not-https", "local-pool-in-use"} <= set(found)
    assert not {"migrations-missing", "database-unreachable"} & set(found)
