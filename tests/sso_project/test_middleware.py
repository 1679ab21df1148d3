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
from tests.processes import run_python
from tests.sso_project.test_deploy_checks import PRODUCTION


@pytest.mark.parametrize(
    ("peer", "is_trusted"), [("10.0.0.10", True), ("10.0.0.11", False), ("127.0.0.1", False)]
)
def test_forwarded_scheme_is_used_only_from_a_trusted_proxy(client, settings, peer, is_trusted):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_SSL_REDIRECT = True
    settings.TRUSTED_PROXIES = ["10.0.0.10"]
    settings.PUBLIC_URL = "https://app.example.com"
    response = client.get("/server/", REMOTE_ADDR=peer, headers={"X-Forwarded-Proto": "https"})
    assert response.status_code == (200 if is_trusted else 301)


def response_for(host, path="/profile/?a=1", method="get", **headers):
    middleware = CanonicalHostMiddleware(lambda request: "passed on")
    request = getattr(RequestFactory(), method)(path, headers={"host": host, **headers})
    return middleware(request)


def test_loopback_address_of_ipv6_may_be_the_public_one(settings):
    settings.PUBLIC_URL = "http://[::1]:8000"
    assert response_for("[::1]:8000") == "passed on"
    assert response_for("localhost:8000")["Location"] == "http://[::1]:8000/profile/?a=1"


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "[::1]:8000"])
def test_other_loopback_name_redirects_to_localhost(host):
    response = response_for(host)
    assert (response.status_code, response["Location"]) == (
        302,
        "http://localhost:8000/profile/?a=1",
    )


@pytest.mark.parametrize("host", ["localhost:8000", "localhost"])
def test_canonical_host_is_not_redirected(host):
    assert response_for(host) == "passed on"


def test_redirect_without_a_port_has_no_port():
    assert response_for("127.0.0.1")["Location"] == "http://localhost/profile/?a=1"


def test_api_calls_are_not_redirected():
    assert response_for("127.0.0.1:8000", method="post") == "passed on"
    assert response_for("127.0.0.1:8000", authorization="Bearer x") == "passed on"


def test_middleware_is_unused_on_a_public_host(settings):
    from django.core.exceptions import MiddlewareNotUsed

    settings.PUBLIC_URL = "https://app.example.com"
    with pytest.raises(MiddlewareNotUsed):
        CanonicalHostMiddleware(lambda request: "passed on")


def render(view, cookies=None):
    """Return the response of `view` behind MessagesMiddleware, and True if it loaded messages."""
    request = RequestFactory().get("/")
    request.session, request.COOKIES = {}, cookies or {}
    response = MessagesMiddleware(view)(request)
    is_loaded = request._messages._wrapped is not empty
    return response, is_loaded


def test_messages_are_shown_by_the_next_view_that_reads_them():
    def say(request):
        messages.success(request, "Saved.")
        return HttpResponse()

    def show(request):
        return HttpResponse("".join(str(message) for message in messages.get_messages(request)))

    response, _ = render(say)
    cookies = {name: morsel.value for name, morsel in response.cookies.items()}
    assert render(lambda request: HttpResponse(), cookies)[0].cookies == {}  # not deleted
    page, is_loaded = render(show, cookies)
    assert (page.content, is_loaded) == (b"Saved.", True)
    assert page.cookies["messages"]["max-age"] == 0


def test_unused_messages_are_not_loaded():
    assert render(lambda request: HttpResponse())[1] is False


def directives(response):
    policy = response["Content-Security-Policy"]
    return {
        name: rest for name, _, rest in (part.strip().partition(" ") for part in policy.split(";"))
    }


@pytest.mark.django_db
def test_policy_allows_no_inline_code_and_forms_only_to_the_hosted_ui(client):
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
    ("change", "expected"),
    [(exempt, None), (own_header, "default-src 'self'"), (nonce, "'nonce-")],
)
def test_view_can_have_its_own_policy(change, expected):
    usual, special = with_policy(), with_policy(change)
    special._cached = None, "cached"
    header = special(RequestFactory().get("/")).get("Content-Security-Policy")
    assert header is None if expected is None else expected in header
    assert "nonce-" not in usual(RequestFactory().get("/"))["Content-Security-Policy"]


def test_policy_is_built_once_for_each_hosted_ui(settings, monkeypatch):
    middleware = with_policy()
    first = middleware(RequestFactory().get("/"))["Content-Security-Policy"]
    assert f"form-action 'self' {provider().config.domain}" in first
    monkeypatch.setattr("csp.middleware.build_policy", lambda **parts: "built again")
    assert middleware(RequestFactory().get("/"))["Content-Security-Policy"] == first
    settings.COGNITO = {**settings.COGNITO, "CLIENT_DOMAIN": "https://other.example.com"}
    assert middleware(RequestFactory().get("/"))["Content-Security-Policy"] == "built again"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("CONTENT_SECURITY_POLICY_REPORT_ONLY", {"DIRECTIVES": {"default-src": ["'none'"]}}),
        ("CONTENT_SECURITY_POLICY", {"DIRECTIVES": {}, "EXCLUDE_URL_PREFIXES": ["/"]}),
    ],
)
def test_policy_that_depends_on_the_request_is_not_cached(settings, setting, value):
    setattr(settings, setting, value)
    middleware = with_policy()
    middleware._cached = None, "cached"
    response = middleware(RequestFactory().get("/"))
    assert response.get("Content-Security-Policy") != "cached"
    assert ("Content-Security-Policy-Report-Only" in response) is setting.endswith("ONLY")


ASK = """
import django
django.setup()
from django.test import Client
preflight = {"origin": "https://other.example", "access-control-request-method": "GET"}
response = Client().options("/api/stats", secure=True, headers={"host": HOST, **preflight})
print(response.headers.get("access-control-allow-origin"))
"""


@pytest.mark.parametrize("listed", ["", "https://other.example", "https://third.example"])
def test_only_listed_origins_are_allowed(listed, clean_environ):
    host = urlsplit(PRODUCTION["PUBLIC_URL"]).hostname
    environ = {
        **clean_environ,
        **PRODUCTION,
        "DJANGO_SETTINGS_MODULE": "sso_project.settings",
        "CORS_ALLOWED_ORIGINS": listed,
    }
    done = run_python(["-c", f"HOST = {host!r}\n{ASK}"], environ)
    expected = "https://other.example" if listed == "https://other.example" else "None"
    assert done.stdout.strip() == expected, done.stderr
