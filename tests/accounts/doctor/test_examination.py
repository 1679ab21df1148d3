"""The doctor's parts: near variants, what a Cognito answers, what is documented."""

import re

import pytest
import responses
from django.core.management import load_command_class

from accounts.backends import CognitoBackend
from accounts.cognito.config import CognitoConfig
from accounts.cognito.transport import Transport
from accounts.doctor import app_client_findings, project_findings
from accounts.doctor.app_client import Addresses, ClientExamination
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
    """Answers to what the doctor asks of a hosted UI that only this test knows."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(f"{DOMAIN}/oauth2/authorize", status=302, headers={
            "Location": f"{DOMAIN}/login?client_id=client1"})  # fmt: skip
        mock.get(f"{DOMAIN}/login", body="<html><form></form></html>")
        mock.get(f"{DOMAIN}/logout", status=302, headers={"Location": f"{SITE}/signout"})
        mock.post(f"{DOMAIN}/oauth2/token", status=400, json={"error": "invalid_grant"})
        yield mock


def findings(config, **addresses):
    known = Addresses(**{"callback": CALLBACK, "signed_out": f"{SITE}/signout", **addresses})
    return [
        each.id for each in ClientExamination(Probe(config, Transport()), known, None).problems()
    ]


def authorize_answers(cognito, location="", **answer):
    headers = {"Location": location} if location else {}
    cognito.replace("GET", f"{DOMAIN}/oauth2/authorize", headers=headers,
                    **{"status": 302 if location else 400, **answer})  # fmt: skip


@pytest.mark.parametrize(
    ("address", "expected"),
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
def test_near_variants_are_few_and_the_likeliest_come_first(address, expected):
    assert near_variants(address) == expected


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "www.example.com", "[::1]"])
@pytest.mark.parametrize("port", ["", ":80", ":8000", ":3000", ":9"])
def test_there_are_never_more_than_eight_variants(host, port):
    variants = near_variants(f"http://{host}{port}/signin")
    assert len(variants) <= 8
    assert len(set(variants)) == len(variants)


def test_answers_of_a_working_pool_yield_nothing(config, cognito):
    assert findings(config) == []


@pytest.mark.parametrize(("status", "body"), [(200, "Login pages unavailable"), (400, "?")])
def test_managed_login_without_branding_is_found(config, cognito, status, body):
    cognito.replace("GET", f"{DOMAIN}/login", status=status, body=f"<html>{body}</html>")
    assert findings(config) == ["login-pages-unavailable"]


def test_mismatch_told_in_the_body_is_found(config, cognito):
    authorize_answers(cognito, json={"error": "redirect_mismatch"})
    assert findings(config) == ["callback-not-registered"]


def test_refusal_that_fits_nothing_is_passed_on(config, cognito):
    authorize_answers(cognito, f"{DOMAIN}/error?error=invalid_request")
    assert findings(config) == ["authorize-refused"]


def test_other_error_at_the_callback_is_passed_on(config, cognito):
    authorize_answers(cognito, f"{CALLBACK}?error=server_error")
    assert findings(config) == ["authorize-refused"]


@pytest.mark.parametrize("answer", [{"status": 404}, {"status": 200, "body": "hello"}])
def test_something_else_at_the_domain_is_found(config, cognito, answer):
    authorize_answers(cognito, **answer)
    assert findings(config) == ["domain-not-hosted-ui"]


@pytest.mark.parametrize(
    ("answer", "finding"),
    [
        ({"status": 503}, "token-endpoint-unavailable"),
        ({"status": 403, "body": "forbidden"}, "token-endpoint-unavailable"),
        ({"status": 400, "json": {"error": "unauthorized_client"}}, "token-request-refused"),
    ],
)
def test_token_endpoint_is_looked_at_by_itself(config, cognito, answer, finding):
    cognito.replace("POST", f"{DOMAIN}/oauth2/token", **answer)
    assert findings(config) == [finding]


def test_sign_out_that_shows_a_page_is_no_sign_out(config, cognito):
    cognito.replace("GET", f"{DOMAIN}/logout", status=302,
                    headers={"Location": f"{DOMAIN}/login?client_id=client1"})  # fmt: skip
    assert findings(config) == ["sign-out-not-registered"]


def test_public_client_must_know_the_documentation(config, cognito):
    def answer(request):
        mismatch = f"{DOMAIN}/error?error=redirect_mismatch"
        public = "client_id=public1" in request.url
        return 302, {"Location": mismatch if public else f"{DOMAIN}/login?x=1"}, ""

    cognito.remove("GET", f"{DOMAIN}/oauth2/authorize")
    cognito.add_callback("GET", f"{DOMAIN}/oauth2/authorize", answer)
    found = findings(config, public_client_id="public1", docs_callback=f"{SITE}/docs/redirect")
    assert found == ["public-callback-not-registered"]


def test_forward_to_an_identity_provider_is_accepted(config, cognito):
    authorize_answers(cognito, "https://idp.example.com/login")
    assert Probe(config, Transport()).authorize(CALLBACK).verdict is Verdict.ACCEPTED
    assert findings(config) == []


def test_region_without_an_endpoint_points_at_the_pool_id():
    config = CognitoConfig(
        pool_id="europe-1_AbCdEf123", client_id="client1", client_secret="s" * 24, domain="team"
    )
    with responses.RequestsMock():  # nobody answers
        [found] = PoolExamination(Probe(config, Transport())).problems()
    assert found.id == "issuer-unreachable"
    assert "https://cognito-idp.europe-1.amazonaws.com/" in found.what
    assert "COGNITO_POOL_ID (its part before _ is the region)" in found.fix[0]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({}, "The pool eu-west-1_AbCdEf123 names no domain: it has none yet."),
        ({"authorization_endpoint": f"{DOMAIN}2/oauth2/authorize"}, f"document names {DOMAIN}2."),
    ],
)
def test_domain_that_does_not_answer_is_held_against_what_the_pool_names(config, named, said):
    with responses.RequestsMock() as mock:  # knows no hosted UI: connecting fails
        mock.get(f"{config.issuer}/.well-known/openid-configuration",
                 json={"issuer": config.issuer, **named})  # fmt: skip
        mock.get(config.jwks_url, body=key_set(config.issuer))
        probe = Probe(config, Transport())
        pool = PoolExamination(probe)
        assert list(pool.problems()) == []
        known = Addresses(callback=CALLBACK, signed_out=f"{SITE}/signout")
        [found] = ClientExamination(probe, known, pool.hosted_ui).problems()
    assert found.id == "domain-unreachable"
    assert found.what.endswith(said)
    assert f"Console: Cognito > User pools > {config.pool_id} > Domain" in found.fix[0]


MIDDLEWARE = [
    "accounts.middleware.PrivateResponseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.SignInMiddleware",
]


class HostBackend(CognitoBackend):
    """A host project's own, with hooks of its own."""


@pytest.mark.parametrize(
    ("name", "value", "finding"),
    [
        ("SESSION_COOKIE_SAMESITE", "Strict", "session-cookie-strict"),
        ("SESSION_COOKIE_DOMAIN", "example.org", "session-cookie-domain"),
        ("SESSION_COOKIE_SECURE", True, "cookies-not-returned"),
        ("MIDDLEWARE", [], "middleware-missing"),
        ("MIDDLEWARE", MIDDLEWARE[:-1], "middleware-missing"),
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
def test_sites_own_settings_are_looked_at(settings, name, value, finding):
    setattr(settings, name, value)
    address = "http://localhost:8000"
    assert [each.id for each in site_problems(address, address)] == ([finding] if finding else [])


def test_address_of_numbers_is_held_against_the_allowed_ones_as_django_does(settings):
    settings.ALLOWED_HOSTS = ["[::1]"]
    assert list(site_problems("http://[::1]:8000", "http://[::1]:8000")) == []
    assert "host-not-allowed" in [each.id for each in site_problems(SITE, "http://[::2]:8000")]


def test_report_breaks_no_address():
    address = f"{SITE}/{'very-long-' * 12}"
    text = as_text(Examination("x", [project_findings.public_url_differs(SITE, address)]))
    assert address in text


@pytest.mark.parametrize(("columns", "widest"), [("80", 80), ("200", 96)])
def test_report_fits_the_terminal(monkeypatch, columns, widest):
    monkeypatch.setenv("COLUMNS", columns)
    words = project_findings.setting_wrong("word " * 60, "word " * 60)
    text = as_text(Examination("word " * 60, [words], ["word " * 60]))
    assert widest - 5 <= max(map(len, text.splitlines())) <= widest


@pytest.mark.parametrize(
    ("registered", "helps"),
    [(f"{SITE}:8443/signin", True), ("", True), (f"{SITE}/signin/", False)],
)
def test_another_public_url_is_advised_where_it_helps(config, registered, helps):
    finding = app_client_findings.callback_not_registered(config, f"{SITE}/signin", registered)
    assert ("PUBLIC_URL" in " ".join(finding.fix)) is helps


def test_fixes_name_outputs_and_parameters_that_the_template_has():
    template = (ROOT / "infra/1-user-pool.yaml").read_text()
    known = set(re.findall(r"^  (\w+):$", template, re.M))
    text = "".join(file.read_text() for file in (ROOT / "accounts/doctor").glob("*_findings.py"))
    named = set(re.findall(r"\b(?:output|parameters?) ([A-Z]\w+)", text))
    assert {"CallbackUrls", "CognitoClientId"} <= named <= known


def test_documentation_lists_every_finding_and_no_other():
    documented = re.findall(r"^\| `([a-z][a-z-]+)` \|", (ROOT / "docs/doctor.md").read_text(), re.M)
    written = [
        each
        for file in (ROOT / "accounts/doctor").glob("*_findings.py")
        for each in re.findall(r'^ {8}id="([a-z-]+)",$', file.read_text(), re.M)
    ]
    assert len(written) == len(set(written))
    assert sorted(documented) == sorted(written)


@pytest.mark.parametrize(
    ("command", "does"), [("cognito_doctor", "Tell whether"), ("cognito_env", "Write a user pool")]
)
def test_help_says_what_the_command_does(command, does):
    assert load_command_class("accounts", command).help.startswith(does)
