"""The parts of the doctor: URL variants, responses of Cognito, settings, documentation."""

import dataclasses
import re

import pytest
import responses
from django.core.management import load_command_class

from accounts.backends import CognitoBackend
from accounts.cognito.config import CognitoConfig
from accounts.cognito.transport import Transport
from accounts.doctor import app_client_findings, client_settings_findings, project_findings
from accounts.doctor.app_client import ClientExamination, SiteUrls
from accounts.doctor.examination import Examination
from accounts.doctor.pool import PoolExamination
from accounts.doctor.probe import Probe, Verdict
from accounts.doctor.project import site_problems
from accounts.doctor.report import as_text
from accounts.doctor.url_variants import near_variants
from accounts.testing.tokens import key_set
from tests.imports import ROOT

DOMAIN = "https://team.auth.eu-west-1.amazoncognito.com"
SITE = "https://app.example.com"
CALLBACK = f"{SITE}/signin"


@pytest.fixture
def config():
    return CognitoConfig(
        pool_id="eu-west-1_AbCdEf123", client_id="client1", client_secret="s" * 24, domain="team"
    )


@pytest.fixture
def cognito():
    """Mock the responses of a hosted UI and an app client that are configured correctly."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(f"{DOMAIN}/oauth2/authorize", status=302, headers={
            "Location": f"{DOMAIN}/login?client_id=client1"})  # fmt: skip
        mock.get(f"{DOMAIN}/login", body="<html><form></form></html>")
        mock.get(f"{DOMAIN}/logout", status=302, headers={"Location": f"{SITE}/signout"})
        mock.post(f"{DOMAIN}/oauth2/token", status=400, json={"error": "invalid_grant"})
        yield mock


def finding_ids(config, **changes):
    urls = SiteUrls(**{"callback": CALLBACK, "signed_out": f"{SITE}/signout", **changes})
    examination = ClientExamination(Probe(config, Transport()), urls, None)
    return [finding.id for finding in examination.problems()]


def set_authorize_response(cognito, location="", **response):
    headers = {"Location": location} if location else {}
    cognito.replace("GET", f"{DOMAIN}/oauth2/authorize", headers=headers,
                    **{"status": 302 if location else 400, **response})  # fmt: skip


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "https://app.example.com/signin",
            ["https://app.example.com/signin/", "http://app.example.com/signin",
             "https://www.app.example.com/signin"],
        ),
        (
            "https://www.example.com:8443/signin/",
            ["https://www.example.com:8443/signin", "http://www.example.com:8443/signin/",
             "https://example.com:8443/signin/", "https://www.example.com/signin/"],
        ),
        (
            "http://localhost:8001/signin",
            ["http://localhost:8001/signin/", "https://localhost:8001/signin",
             "http://127.0.0.1:8001/signin", "http://localhost/signin",
             "http://localhost:8000/signin", "http://localhost:3000/signin"],
        ),
        (
            "https://App.Example.com/signin",
            ["https://App.Example.com/signin/", "http://App.Example.com/signin",
             "https://www.app.example.com/signin"],
        ),
        ("http://10.0.0.1/in", ["http://10.0.0.1/in/", "https://10.0.0.1/in"]),
        ("http://[::1]:9/in", ["http://[::1]:9/in/", "https://[::1]:9/in", "http://[::1]/in"]),
    ],
)  # fmt: skip
def test_likeliest_variants_come_first(url, expected):
    assert near_variants(url) == expected


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "www.example.com", "[::1]"])
@pytest.mark.parametrize("port", ["", ":80", ":8000", ":3000", ":9"])
def test_at_most_eight_variants_are_returned(host, port):
    variants = near_variants(f"http://{host}{port}/signin")
    assert len(variants) <= 8
    assert len(set(variants)) == len(variants)


def test_working_app_client_has_no_findings(config, cognito):
    assert finding_ids(config) == []


@pytest.mark.parametrize(("status", "body"), [(200, "Login pages unavailable"), (400, "?")])
def test_managed_login_without_branding_is_reported(config, cognito, status, body):
    cognito.replace("GET", f"{DOMAIN}/login", status=status, body=f"<html>{body}</html>")
    assert finding_ids(config) == ["login-pages-unavailable"]


def test_mismatch_in_the_response_body_is_reported(config, cognito):
    set_authorize_response(cognito, json={"error": "redirect_mismatch"})
    assert finding_ids(config) == ["callback-not-registered"]


def test_unknown_error_page_is_reported(config, cognito):
    set_authorize_response(cognito, f"{DOMAIN}/error?error=invalid_request")
    assert finding_ids(config) == ["authorize-refused"]


def test_unknown_error_at_the_callback_is_reported(config, cognito):
    set_authorize_response(cognito, f"{CALLBACK}?error=server_error")
    assert finding_ids(config) == ["authorize-refused"]


@pytest.mark.parametrize("response", [{"status": 404}, {"status": 200, "body": "hello"}])
def test_other_service_at_the_domain_is_reported(config, cognito, response):
    set_authorize_response(cognito, **response)
    assert finding_ids(config) == ["domain-not-hosted-ui"]


@pytest.mark.parametrize(
    ("response", "finding"),
    [
        ({"status": 503}, "token-endpoint-unavailable"),
        ({"status": 403, "body": "forbidden"}, "token-endpoint-unavailable"),
        ({"status": 400, "json": {"error": "unauthorized_client"}}, "token-request-refused"),
    ],
)
def test_token_endpoint_is_checked_separately(config, cognito, response, finding):
    cognito.replace("POST", f"{DOMAIN}/oauth2/token", **response)
    assert finding_ids(config) == [finding]


def test_sign_out_that_shows_the_sign_in_page_is_reported(config, cognito):
    cognito.replace("GET", f"{DOMAIN}/logout", status=302,
                    headers={"Location": f"{DOMAIN}/login?client_id=client1"})  # fmt: skip
    assert finding_ids(config) == ["sign-out-not-registered"]


def test_documentation_callback_is_checked_at_the_public_client(config, cognito):
    def respond(request):
        mismatch = f"{DOMAIN}/error?error=redirect_mismatch"
        public = "client_id=public1" in request.url
        return 302, {"Location": mismatch if public else f"{DOMAIN}/login?x=1"}, ""

    cognito.remove("GET", f"{DOMAIN}/oauth2/authorize")
    cognito.add_callback("GET", f"{DOMAIN}/oauth2/authorize", respond)
    ids = finding_ids(config, public_client_id="public1", docs_callback=f"{SITE}/docs/redirect")
    assert ids == ["public-callback-not-registered"]


def test_redirect_to_an_identity_provider_is_accepted(config, cognito):
    set_authorize_response(cognito, "https://idp.example.com/login")
    assert Probe(config, Transport()).authorize(CALLBACK).verdict is Verdict.ACCEPTED
    assert finding_ids(config) == []


def test_region_without_an_endpoint_names_the_pool_id():
    config = CognitoConfig(
        pool_id="europe-1_AbCdEf123", client_id="client1", client_secret="s" * 24, domain="team"
    )
    with responses.RequestsMock():  # no URL responds
        [finding] = PoolExamination(Probe(config, Transport())).problems()
    assert finding.id == "issuer-unreachable"
    assert "https://cognito-idp.europe-1.amazonaws.com/" in finding.what
    assert "COGNITO_POOL_ID (the part before _ is the region)" in finding.fix[0]


@pytest.mark.parametrize(
    ("members", "hint"),
    [
        ({}, "The pool eu-west-1_AbCdEf123 has no domain yet."),
        ({"authorization_endpoint": f"{DOMAIN}2/oauth2/authorize"}, f"document names {DOMAIN}2."),
    ],
)
def test_unreachable_domain_is_compared_with_the_domain_of_the_pool(config, members, hint):
    with responses.RequestsMock() as mock:  # without a hosted UI, so connecting to it fails
        mock.get(f"{config.issuer}/.well-known/openid-configuration",
                 json={"issuer": config.issuer, **members})  # fmt: skip
        mock.get(config.key_set_url, body=key_set(config.issuer))
        probe = Probe(config, Transport())
        pool = PoolExamination(probe)
        assert list(pool.problems()) == []
        urls = SiteUrls(callback=CALLBACK, signed_out=f"{SITE}/signout")
        [finding] = ClientExamination(probe, urls, pool.hosted_ui).problems()
    assert finding.id == "domain-unreachable"
    assert finding.what.endswith(hint)
    assert f"Console: Cognito > User pools > {config.pool_id} > Domain" in finding.fix[0]


MIDDLEWARE = [
    "accounts.middleware.PrivateResponseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.SignInMiddleware",
]
AUTHENTICATION = "accounts.async_middleware.AuthenticationMiddleware"


class HostBackend(CognitoBackend):
    """The backend of a host project."""


@pytest.mark.parametrize(
    ("name", "value", "finding"),
    [
        ("SESSION_COOKIE_SAMESITE", "Strict", "session-cookie-strict"),
        ("SESSION_COOKIE_DOMAIN", "example.org", "session-cookie-domain"),
        ("SESSION_COOKIE_SECURE", True, "cookies-not-returned"),
        ("MIDDLEWARE", [], "middleware-missing"),
        ("MIDDLEWARE", MIDDLEWARE[:-1], "middleware-missing"),
        ("MIDDLEWARE", [*MIDDLEWARE, AUTHENTICATION], "middleware-missing"),
        ("MIDDLEWARE", MIDDLEWARE[1:], "private-responses-missing"),
        ("MIDDLEWARE", [*MIDDLEWARE[1:], MIDDLEWARE[0]], "private-responses-missing"),
        ("MIDDLEWARE", MIDDLEWARE, None),
        ("AUTHENTICATION_BACKENDS", [], "backend-missing"),
        ("AUTHENTICATION_BACKENDS", ["host.backends.Backend"], "backend-missing"),
        ("AUTHENTICATION_BACKENDS", ["accounts.backends.BreakGlassBackend"], "backend-missing"),
        ("AUTHENTICATION_BACKENDS", [f"{__name__}.HostBackend"], None),
        ("ALLOWED_HOSTS", [], "host-not-allowed"),
        ("DEBUG", False, None),
    ],
)
def test_settings_of_the_site_are_checked(settings, name, value, finding):
    setattr(settings, name, value)
    url = "http://localhost:8000"
    assert [problem.id for problem in site_problems(url, url)] == ([finding] if finding else [])


def test_ipv6_address_is_compared_with_allowed_hosts(settings):
    settings.ALLOWED_HOSTS = ["[::1]"]
    assert list(site_problems("http://[::1]:8000", "http://[::1]:8000")) == []
    ids = [finding.id for finding in site_problems(SITE, "http://[::2]:8000")]
    assert "host-not-allowed" in ids


def test_report_does_not_break_urls():
    url = f"{SITE}/{'very-long-' * 12}"
    text = as_text(Examination("x", [project_findings.public_url_differs(SITE, url)]))
    assert url in text


@pytest.mark.parametrize(("columns", "max_width"), [("80", 80), ("200", 96)])
def test_report_fits_the_terminal(monkeypatch, columns, max_width):
    monkeypatch.setenv("COLUMNS", columns)
    finding = project_findings.setting_wrong("word " * 60, "word " * 60)
    text = as_text(Examination("word " * 60, [finding], ["word " * 60]))
    assert max_width - 5 <= max(map(len, text.splitlines())) <= max_width


@pytest.mark.parametrize(
    ("registered", "is_named"),
    [(f"{SITE}:8443/signin", True), ("", True), (f"{SITE}/signin/", False)],
)
def test_public_url_is_named_if_it_can_fix_the_callback(config, registered, is_named):
    finding = app_client_findings.callback_not_registered(config, f"{SITE}/signin", registered)
    assert ("PUBLIC_URL" in " ".join(finding.fix)) is is_named


@pytest.mark.parametrize(
    ("finding", "fix"),
    [
        (app_client_findings.code_flow_off, 'set flows = ["code"]'),
        (client_settings_findings.revocation_off, "this setting is fixed there."),
    ],
)
def test_local_pool_has_its_own_fix(config, finding, fix):
    local = dataclasses.replace(config, domain="http://localhost:9000")
    [local_fix] = finding(local).fix
    assert local_fix.startswith(f"Local pool: {fix}")


def test_fixes_name_outputs_and_parameters_of_the_template():
    template = (ROOT / "infra/1-user-pool.yaml").read_text()
    existing = set(re.findall(r"^  (\w+):$", template, re.M))
    text = "".join(file.read_text() for file in (ROOT / "accounts/doctor").glob("*_findings.py"))
    used = set(re.findall(r"\b(?:output|parameters?) ([A-Z]\w+)", text))
    assert {"CallbackUrls", "CognitoClientId"} <= used <= existing


def test_documentation_lists_all_findings():
    documented = re.findall(r"^\| `([a-z][a-z-]+)` \|", (ROOT / "docs/doctor.md").read_text(), re.M)
    implemented = [
        finding_id
        for file in (ROOT / "accounts/doctor").glob("*_findings.py")
        for finding_id in re.findall(r'^ {8}id="([a-z-]+)",$', file.read_text(), re.M)
    ]
    assert len(implemented) == len(set(implemented))
    assert sorted(documented) == sorted(implemented)


@pytest.mark.parametrize(
    ("command", "start"),
    [("cognito_doctor", "Check that this site"), ("cognito_env", "Write a user pool")],
)
def test_help_describes_the_command(command, start):
    assert load_command_class("accounts", command).help.startswith(start)
