import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from csp.constants import NONCE
from django.contrib import messages
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils.functional import empty

from accounts.provider import provider
from sso_project.middleware import (
    CanonicalHostMiddleware,
    ContentSecurityPolicyMiddleware,
    MessagesMiddleware,
)
from tests.imports import ROOT
from tests.sso_project.test_deploy_checks import PRODUCTION


@pytest.mark.parametrize(
    ("peer", "believed"), [("10.0.0.10", True), ("10.0.0.11", False), ("127.0.0.1", False)]
)
def test_only_a_trusted_proxy_says_that_it_was_https(client, settings, peer, believed):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_SSL_REDIRECT = True
    settings.TRUSTED_PROXIES = ["10.0.0.10"]
    settings.PUBLIC_URL = "https://app.example.com"
    answer = client.get("/server/", REMOTE_ADDR=peer, headers={"X-Forwarded-Proto": "https"})
    assert answer.status_code == (200 if believed else 301)


def answer_for(host, path="/profile/?a=1", method="get", **headers):
    middleware = CanonicalHostMiddleware(lambda request: "passed on")
    request = getattr(RequestFactory(), method)(path, headers={"host": host, **headers})
    return middleware(request)


def test_loopback_address_of_ipv6_may_be_the_public_one(settings):
    settings.PUBLIC_URL = "http://[::1]:8000"
    assert answer_for("[::1]:8000") == "passed on"
    assert answer_for("localhost:8000")["Location"] == "http://[::1]:8000/profile/?a=1"


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "[::1]:8000"])
def test_other_loopback_name_redirects_to_localhost(host):
    answer = answer_for(host)
    assert (answer.status_code, answer["Location"]) == (302, "http://localhost:8000/profile/?a=1")


@pytest.mark.parametrize("host", ["localhost:8000", "localhost"])
def test_the_name_itself_is_passed_on(host):
    assert answer_for(host) == "passed on"


def test_port_is_kept_when_there_is_none():
    assert answer_for("127.0.0.1")["Location"] == "http://localhost/profile/?a=1"


def test_calls_of_programs_are_passed_on():
    assert answer_for("127.0.0.1:8000", method="post") == "passed on"
    assert answer_for("127.0.0.1:8000", authorization="Bearer x") == "passed on"


def test_site_with_a_name_of_its_own_does_without(settings):
    from django.core.exceptions import MiddlewareNotUsed

    settings.PUBLIC_URL = "https://app.example.com"
    with pytest.raises(MiddlewareNotUsed):
        CanonicalHostMiddleware(lambda request: "passed on")


def answer_of(view, cookies=None):
    """What a view answers behind MessagesMiddleware, and how often messages were opened for it."""
    request = RequestFactory().get("/")
    request.session, request.COOKIES = {}, cookies or {}
    answer = MessagesMiddleware(view)(request)
    opened = request._messages._wrapped is not empty
    return answer, opened


def test_messages_of_one_answer_are_shown_by_the_next_that_asks():
    def say(request):
        messages.success(request, "Saved.")
        return HttpResponse()

    def show(request):
        return HttpResponse("".join(str(message) for message in messages.get_messages(request)))

    said, _ = answer_of(say)
    cookies = {name: morsel.value for name, morsel in said.cookies.items()}
    assert answer_of(lambda request: HttpResponse(), cookies)[0].cookies == {}  # they stay
    shown, opened = answer_of(show, cookies)
    assert (shown.content, opened) == (b"Saved.", True)
    assert shown.cookies["messages"]["max-age"] == 0


def test_messages_that_nobody_asks_for_are_not_opened():
    assert answer_of(lambda request: HttpResponse())[1] is False


def directives(response):
    policy = response["Content-Security-Policy"]
    return {
        name: rest for name, _, rest in (part.strip().partition(" ") for part in policy.split(";"))
    }


@pytest.mark.django_db
def test_policy_allows_no_inline_code_and_forms_only_to_us_and_the_hosted_ui(client):
    policy = directives(client.get("/"))
    assert policy["form-action"] == f"'self' {provider().config.domain}"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert not any("unsafe" in value for value in policy.values())
    assert all("http" not in value for name, value in policy.items() if name != "form-action")


@pytest.mark.django_db
def test_security_headers_are_sent(client):
    response = client.get("/")
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"


def with_policy(change=lambda request, response: None):
    def view(request):
        response = HttpResponse()
        change(request, response)
        return response

    return ContentSecurityPolicyMiddleware(view)


def exempt(request, response):
    response._csp_exempt = True


def own_header(request, response):
    response["Content-Security-Policy"] = "default-src 'self'"


def nonce(request, response):
    response._csp_update = {"script-src": [NONCE]}
    str(request.csp_nonce)


@pytest.mark.parametrize(
    ("change", "says"),
    [(exempt, None), (own_header, "default-src 'self'"), (nonce, "'nonce-")],
)
def test_view_may_have_a_policy_of_its_own(change, says):
    usual, special = with_policy(), with_policy(change)
    special._usual = None, "the usual one"
    header = special(RequestFactory().get("/")).get("Content-Security-Policy")
    assert header is None if says is None else says in header
    assert "nonce-" not in usual(RequestFactory().get("/"))["Content-Security-Policy"]


def test_policy_is_made_once_for_each_hosted_ui(settings, monkeypatch):
    middleware = with_policy()
    first = middleware(RequestFactory().get("/"))["Content-Security-Policy"]
    assert f"form-action 'self' {provider().config.domain}" in first
    monkeypatch.setattr("csp.middleware.build_policy", lambda **parts: "made again")
    assert middleware(RequestFactory().get("/"))["Content-Security-Policy"] == first
    settings.COGNITO = {**settings.COGNITO, "CLIENT_DOMAIN": "https://other.example.com"}
    assert middleware(RequestFactory().get("/"))["Content-Security-Policy"] == "made again"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("CONTENT_SECURITY_POLICY_REPORT_ONLY", {"DIRECTIVES": {"default-src": ["'none'"]}}),
        ("CONTENT_SECURITY_POLICY", {"DIRECTIVES": {}, "EXCLUDE_URL_PREFIXES": ["/"]}),
    ],
)
def test_policy_that_depends_on_the_request_is_made_for_each(settings, setting, value):
    setattr(settings, setting, value)
    middleware = with_policy()
    middleware._usual = None, "the usual one"
    answer = middleware(RequestFactory().get("/"))
    assert answer.get("Content-Security-Policy") != "the usual one"
    assert ("Content-Security-Policy-Report-Only" in answer) is setting.endswith("ONLY")


ASK = """
import django
django.setup()
from django.test import Client
preflight = {"origin": "https://other.example", "access-control-request-method": "GET"}
answer = Client().options("/api/stats", secure=True, headers={"host": HOST, **preflight})
print(answer.headers.get("access-control-allow-origin"))
"""


@pytest.mark.parametrize("listed", ["", "https://other.example", "https://third.example"])
def test_other_sites_pages_are_let_in_where_they_are_listed(listed, clean_environ):
    host = urlsplit(PRODUCTION["PUBLIC_URL"]).hostname
    done = subprocess.run(
        [sys.executable, "-c", f"HOST = {host!r}\n{ASK}"],
        cwd=ROOT,
        env={
            **clean_environ,
            **PRODUCTION,
            "DJANGO_SETTINGS_MODULE": "sso_project.settings",
            "CORS_ALLOWED_ORIGINS": listed,
        },
        capture_output=True,
        text=True,
    )
    let_in = "https://other.example" if listed == "https://other.example" else "None"
    assert done.stdout.strip() == let_in, done.stderr
