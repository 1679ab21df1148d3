"""The go-live checks: settings that are fine on a laptop, and what a running site sends."""

import json
import re
import subprocess
import sys

import pytest
import responses

from accounts.cognito.config import CognitoConfig
from accounts.cognito.transport import Transport
from accounts.doctor.probe import Probe
from accounts.doctor.production import live_problems, production_problems
from tests.imports import ROOT
from tests.sso_project.test_deploy_checks import PRODUCTION

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
        (GOOD.replace("team", "crew"), COOKIE, "site-sends-elsewhere"),
        (GOOD, "signin_1=x; Path=/; HttpOnly; SameSite=Lax", "site-cookie-insecure"),
    ],
)
def test_running_site_is_asked(config, location, cookie, finding):
    with responses.RequestsMock() as mock:
        mock.get(LOGIN, status=302, headers={"Location": location, "Set-Cookie": cookie})
        found = list(live_problems(Probe(config, Transport()), SITE, f"{SITE}/signin"))
    assert [each.id for each in found] == ([finding] if finding else [])


def test_site_with_another_domain_is_told_by_variable(config):
    with responses.RequestsMock() as mock:
        mock.get(LOGIN, status=302, headers={"Location": GOOD.replace("team", "crew")})
        [found] = live_problems(Probe(config, Transport()), SITE, f"{SITE}/signin")
    assert "COGNITO_CLIENT_DOMAIN=https://crew.auth." in found.what
    assert "COGNITO_CLIENT_DOMAIN=https://team.auth." in found.what


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


# The command in a process whose settings are a live site's; AWS and the site answer from here.
LIVE = """
import json, re, sys
import django, responses
django.setup()
from django.conf import settings
from django.core.management import call_command
from accounts.provider import provider
from accounts.testing.tokens import key_set
settings.SILENCED_SYSTEM_CHECKS += ["sso_project.W003", "sso_project.W007"]  # of this machine
config, callback = provider().config, provider().callback_url
call_command("migrate", verbosity=0)
endpoint = config.authorize_endpoint

def authorize(request):
    registered = f"redirect_uri={requests.utils.quote(callback, safe='')}" in request.url
    leads_to = "/login?client_id=x" if registered else "/error?error=redirect_mismatch"
    return 302, {"Location": config.domain + leads_to}, ""

def sign_in(request):
    query = requests.models.PreparedRequest()
    query.prepare_url(endpoint, {"client_id": config.client_id, "redirect_uri": callback})
    cookie = "__Host-signin_1=x; Path=/; Secure; HttpOnly; SameSite=Lax"
    return 302, {"Location": query.url, "Set-Cookie": cookie}, ""

import requests
with responses.RequestsMock() as mock:
    mock.get(config.issuer + "/.well-known/openid-configuration", json={
        "issuer": config.issuer, "authorization_endpoint": endpoint, "jwks_uri": config.jwks_url})
    mock.get(config.jwks_url, body=key_set(config.issuer))
    mock.add_callback("GET", endpoint, authorize)
    mock.get(config.domain + "/login", body="<html><form></form></html>")
    mock.post(config.token_endpoint, status=400, json={"error": "invalid_grant"})
    mock.get(config.logout_endpoint, status=302,
             headers={"Location": settings.PUBLIC_URL + "/signout"})
    mock.add_callback("GET", settings.PUBLIC_URL + "/accounts/login/", sign_in)
    call_command("cognito_doctor", *sys.argv[1:])
"""
DESCRIBED = {
    "ClientId": PRODUCTION["COGNITO_CLIENT_ID"],
    "PreventUserExistenceErrors": "ENABLED",
    "SupportedIdentityProviders": ["COGNITO"],
    "CallbackURLs": [f"{SITE}/signin"],
    "LogoutURLs": [f"{SITE}/signout"],
}


@pytest.fixture
def live_doctor(clean_environ, tmp_path):
    (tmp_path / "staticfiles.json").write_text(json.dumps({"paths": {}, "version": "1.1"}))

    def run(described=DESCRIBED, **changes):
        environment = {
            **clean_environ,
            **PRODUCTION,
            "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
            "REDIS_URL": "",
            "STATIC_ROOT": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "sso_project.settings",
            **changes,
        }
        command = ["--production", "--base-url", SITE, "--client-json", "-", "--json"]
        done = subprocess.run(
            [sys.executable, "-c", LIVE, *command],
            cwd=ROOT,
            env=environment,
            input=json.dumps({"UserPoolClient": described}),
            capture_output=True,
            text=True,
        )
        assert done.stderr == ""
        found = json.loads(done.stdout)["findings"]
        assert done.returncode == bool(found)
        assert PRODUCTION["COGNITO_CLIENT_SECRET"] not in done.stdout
        return found

    return run


def test_live_site_that_is_ready_has_no_findings(live_doctor):
    assert live_doctor() == []


def test_what_keeps_a_site_from_going_live_is_named_once(live_doctor):
    local = {**DESCRIBED, "CallbackURLs": [f"{SITE}/signin", "http://localhost:8000/signin"]}
    found = live_doctor(local, SPA_COMPAT="1", CORS_ALLOWED_ORIGINS="http://localhost:3000",
                        TRUSTED_PROXIES="", COGNITO_GROUPS_ABSENT_MEANS_NONE="0")  # fmt: skip
    assert [each["id"] for each in found] == [
        "deployment-check", "deployment-check", "cors-for-localhost", "local-addresses-registered",
    ]  # fmt: skip
    assert {re.search(r"\((\w+\.W\d+)\)$", each["what"])[1] for each in found[:2]} == {
        "accounts.W001", "sso_project.W001",
    }  # fmt: skip
