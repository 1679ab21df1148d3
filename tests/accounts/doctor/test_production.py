"""The checks of a live site: its settings, its database and its responses."""

import json
import re

import pytest
import responses

from accounts.cognito.config import CognitoConfig
from accounts.cognito.transport import Transport
from accounts.doctor.probe import Probe
from accounts.doctor.production import live_problems, production_problems
from tests.processes import run_python
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
def test_redirect_of_the_running_site_is_checked(config, location, cookie, finding):
    with responses.RequestsMock() as mock:
        mock.get(LOGIN, status=302, headers={"Location": location, "Set-Cookie": cookie})
        problems = list(live_problems(Probe(config, Transport()), SITE, f"{SITE}/signin"))
    assert [problem.id for problem in problems] == ([finding] if finding else [])


def test_other_domain_is_reported_with_its_variable(config):
    with responses.RequestsMock() as mock:
        mock.get(LOGIN, status=302, headers={"Location": GOOD.replace("team", "crew")})
        [finding] = live_problems(Probe(config, Transport()), SITE, f"{SITE}/signin")
    assert "COGNITO_CLIENT_DOMAIN=https://crew.auth." in finding.what
    assert "COGNITO_CLIENT_DOMAIN=https://team.auth." in finding.what


def test_response_that_is_not_a_redirect_is_reported(config):
    with responses.RequestsMock() as mock:
        mock.get(LOGIN, status=404)
        [finding] = live_problems(Probe(config, Transport()), SITE, f"{SITE}/signin")
    assert finding.what.endswith("the response is 404.")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "value", "finding"),
    [
        ("DEBUG", True, "debug-on"),
        ("CORS_ALLOWED_ORIGINS", ["http://localhost:3000"], "cors-for-localhost"),
        ("SECURE_HSTS_SECONDS", 0, "deployment-check"),
    ],
)
def test_development_settings_are_reported(config, settings, name, value, finding):
    setattr(settings, name, value)
    assert finding in [problem.id for problem in production_problems(config, SITE)]


@pytest.mark.django_db
def test_local_pool_and_http_are_reported(settings):
    settings.CORS_ALLOWED_ORIGINS = []
    local = CognitoConfig(
        pool_id="local-1_DevPool01",
        client_id="client1",
        client_secret="s" * 24,
        domain="http://localhost:9000",
        custom_issuers=("http://localhost:9000/local-1_DevPool01",),
    )
    ids = {finding.id for finding in production_problems(local, "http://localhost:8000")}
    assert {"not-https", "local-pool-in-use"} <= ids
    assert not {"migrations-missing", "database-unreachable"} & ids


# The command in a process with the settings of a live site. The responses of AWS and of the site
# are mocked.
LIVE = """
import json, re, sys
import django, responses
django.setup()
from django.conf import settings
from django.core.management import call_command
from accounts.provider import provider
from accounts.testing.tokens import key_set
settings.SILENCED_SYSTEM_CHECKS += ["sso_project.W003", "sso_project.W007"]  # about this machine
config, callback = provider().config, provider().callback_url
call_command("migrate", verbosity=0)
endpoint = config.authorize_endpoint

def authorize(request):
    registered = f"redirect_uri={requests.utils.quote(callback, safe='')}" in request.url
    path = "/login?client_id=x" if registered else "/error?error=redirect_mismatch"
    return 302, {"Location": config.domain + path}, ""

def sign_in(request):
    query = requests.models.PreparedRequest()
    query.prepare_url(endpoint, {"client_id": config.client_id, "redirect_uri": callback})
    cookie = "__Host-signin_1=x; Path=/; Secure; HttpOnly; SameSite=Lax"
    return 302, {"Location": query.url, "Set-Cookie": cookie}, ""

import requests
with responses.RequestsMock() as mock:
    mock.get(config.issuer + "/.well-known/openid-configuration", json={
        "issuer": config.issuer, "authorization_endpoint": endpoint,
            "jwks_uri": config.key_set_url})
    mock.get(config.key_set_url, body=key_set(config.issuer))
    mock.add_callback("GET", endpoint, authorize)
    mock.get(config.domain + "/login", body="<html><form></form></html>")
    mock.post(config.token_endpoint, status=400, json={"error": "invalid_grant"})
    mock.get(config.logout_endpoint, status=302,
             headers={"Location": settings.PUBLIC_URL + "/signout"})
    mock.add_callback("GET", settings.PUBLIC_URL + "/accounts/login/", sign_in)
    call_command("cognito_doctor", *sys.argv[1:])
"""
DESCRIPTION = {
    "ClientId": PRODUCTION["COGNITO_CLIENT_ID"],
    "PreventUserExistenceErrors": "ENABLED",
    "SupportedIdentityProviders": ["COGNITO"],
    "CallbackURLs": [f"{SITE}/signin"],
    "LogoutURLs": [f"{SITE}/signout"],
}


@pytest.fixture
def live_doctor(clean_environ, tmp_path):
    (tmp_path / "staticfiles.json").write_text(json.dumps({"paths": {}, "version": "1.1"}))

    def run(description=DESCRIPTION, **changes):
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
        text = json.dumps({"UserPoolClient": description})
        process = run_python(["-c", LIVE, *command], environment, stdin=text)
        assert process.stderr == ""
        findings = json.loads(process.stdout)["findings"]
        assert process.returncode == bool(findings)
        assert PRODUCTION["COGNITO_CLIENT_SECRET"] not in process.stdout
        return findings

    return run


def test_live_site_that_is_ready_has_no_findings(live_doctor):
    assert live_doctor() == []


def test_each_obstacle_to_going_live_is_reported_once(live_doctor):
    local = {**DESCRIPTION, "CallbackURLs": [f"{SITE}/signin", "http://localhost:8000/signin"]}
    findings = live_doctor(local, SPA_COMPAT="1", CORS_ALLOWED_ORIGINS="http://localhost:3000",
                           TRUSTED_PROXIES="", COGNITO_GROUPS_ABSENT_MEANS_NONE="0")  # fmt: skip
    assert [finding["id"] for finding in findings] == [
        "deployment-check", "deployment-check", "cors-for-localhost", "local-addresses-registered",
    ]  # fmt: skip
    check_ids = {re.search(r"\((\w+\.W\d+)\)$", finding["what"])[1] for finding in findings[:2]}
    assert check_ids == {"accounts.W001", "sso_project.W001"}
