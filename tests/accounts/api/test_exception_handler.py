"""Every error response of the API is `{"detail", "code", "error"}`, at every URL."""

from itertools import product

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import DatabaseError, OperationalError
from django.http import Http404, UnreadablePostError
from django.template import loader
from django.test import RequestFactory
from django.urls import get_resolver
from rest_framework import exceptions
from rest_framework.views import APIView

from accounts.api.views import CallerView
from accounts.cognito.errors import CognitoUnavailable, ConfigurationError
from accounts.testing import mint_access_token
from tests.rollback import rolled_back

pytestmark = pytest.mark.django_db

METHODS = ["get", "post", "put", "patch", "delete"]


@pytest.fixture(autouse=True)
def _fake(cognito):
    cache.clear()


def url_patterns():
    """Return the URL patterns of all API views, from the URL configuration."""
    collected = []

    def walk(patterns, prefix):
        for pattern in patterns:
            path = prefix + str(pattern.pattern)
            if hasattr(pattern, "url_patterns"):
                walk(pattern.url_patterns, path)
            elif issubclass(getattr(pattern.callback, "cls", object), APIView):
                collected.append(path)

    walk(get_resolver().url_patterns, "")
    return sorted(set(collected))


def url_of(pattern):
    for regex, text in (
        ("(?P<pk>[0-9]{1,18})", "1"),
        ("(?:api/)?", "api/"),
        ("(/|$)", "/nothing"),
        ("/?", ""),
        ("$", ""),
        ("^", ""),
    ):
        pattern = pattern.replace(regex, text)
    assert not set(pattern) & set("()[]?*<>|"), f"add a replacement for {pattern}"
    return f"/{pattern}"


def test_url_patterns_include_the_endpoints():
    urls = {url_of(pattern) for pattern in url_patterns()}
    assert {
        "/api/user",
        "/api/stats",
        "/api/stats/1",
        "/api/auth/get-tokens",
        "/api/info/server",
        "/user",
        "/stats",
        "/openapi.json",
        "/api/nothing",
    } <= urls


def assert_error_body(response):
    request, body = response.wsgi_request, response.json()
    case = (request.method, request.path, body)
    assert set(body) - {"fields", "login_url"} == {"detail", "code", "error"}, case
    assert isinstance(body["detail"], str), case
    assert body["detail"], case
    assert body["error"] == body["detail"], case
    assert body["code"].replace("_", "").isalnum(), case


@pytest.mark.parametrize("caller", ["anonymous", "bad token", "user"])
@pytest.mark.parametrize("body", [b"{", b"[]"])
def test_error_response_has_the_documented_members(client, caller, body):
    headers = {
        "anonymous": {},
        "bad token": {"Authorization": "Bearer nonsense"},
        "user": {"Authorization": f"Bearer {mint_access_token()}"},
    }[caller]
    for method, pattern in product(METHODS, url_patterns()):
        content = {"data": body, "content_type": "application/json"} if method != "get" else {}
        with rolled_back():
            response = getattr(client, method)(url_of(pattern), **content, headers=headers)
        assert response.status_code < 500, (method, pattern)
        if response.status_code >= 400:
            assert_error_body(response)
        cache.clear()


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Http404("secret detail"), 404, "not_found"),
        (PermissionDenied("no"), 403, "permission_denied"),
        (SuspiciousOperation("odd"), 400, "bad_request"),
        (UnreadablePostError("connection reset"), 400, "incomplete_body"),
        (exceptions.ValidationError({"value": ["Enter a number."]}), 400, "invalid"),
        (exceptions.ValidationError(["Enter a number."]), 400, "invalid"),
        (exceptions.ValidationError({"rows": [{}, {"value": ["No."]}]}), 400, "invalid"),
        (exceptions.ValidationError({}), 400, "invalid"),
        (exceptions.Throttled(wait=5), 429, "throttled"),
        (exceptions.NotAcceptable(), 406, "not_acceptable"),
        (CognitoUnavailable("down", retry_after=3), 503, "cognito_unavailable"),
        (ConfigurationError({"COGNITO_POOL_ID": "is missing"}), 503, "configuration"),
        (OperationalError("password=hunter2"), 503, "database_unavailable"),
        (DatabaseError("password=hunter2"), 500, "server_error"),
        (ZeroDivisionError("unforeseen"), 500, "server_error"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
@pytest.mark.undocumented_responses
def test_error_in_a_view_has_the_documented_members(client, monkeypatch, error, status, code):
    def fail(self, request):
        raise error

    monkeypatch.setattr(CallerView, "get", fail)
    client.raise_request_exception = False
    response = client.get("/api/user", headers={"Authorization": f"Bearer {mint_access_token()}"})
    assert response.status_code == status
    assert_error_body(response)
    assert response.json()["code"] == code
    assert "hunter2" not in response.text
    if isinstance(error, ConfigurationError):
        assert "Retry-After" not in response.headers  # another try cannot help
    elif status in (429, 503):
        assert response.headers["Retry-After"] == str(getattr(error, "retry_after", None) or 5)


def test_error_body_for_the_original_ui_is_unchanged(client):
    response = client.get("/user", headers={"Authorization": "Bearer nonsense"})
    sentence = "This is not a JSON Web Token: three base64url parts joined by dots."
    assert response.status_code == 401
    assert response.content.decode() == (
        f'{{"detail":"{sentence}","code":"malformed_token","error":"{sentence}"}}'
    )


def test_missing_sign_in_has_the_same_message_everywhere(client):
    sentence = "You are not signed in."
    api = client.get("/api/user").json()
    script = client.get("/profile/", headers={"Accept": "application/json"}).json()
    assert api["code"] == script["code"] == "not_authenticated"
    assert api["detail"] == (
        f"{sentence} Sign in and try again. API clients send an access token: Authorization: "
        "Bearer, a space, the token."
    )
    assert script["detail"] == f"{sentence} Sign in and try again."
    assert f"<p>{sentence} " in loader.render_to_string(
        "403.html", request=RequestFactory().get("/x")
    )


def test_unexpected_error_is_logged_and_sent_as_a_signal(client, monkeypatch, caplog):
    def fail(self, request):
        raise ZeroDivisionError("unforeseen")

    monkeypatch.setattr(CallerView, "get", fail)
    with pytest.raises(ZeroDivisionError):  # the test client receives the signal
        client.get("/api/user", headers={"Authorization": f"Bearer {mint_access_token()}"})
    (record,) = [record for record in caplog.records if record.name == "django.request"]
    assert record.exc_info[0] is ZeroDivisionError


def test_body_that_is_too_large_is_413(client, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    response = client.post("/api/auth/get-tokens", b"x" * 101, "application/json")
    assert (response.status_code, response.json()["code"]) == (413, "too_large")
    assert_error_body(response)


@pytest.mark.undocumented_responses
def test_error_names_the_first_invalid_field(client, monkeypatch):
    def fail(self, request):
        raise exceptions.ValidationError({"rows": [{}, {"value": ["Enter a number."]}]})

    monkeypatch.setattr(CallerView, "get", fail)
    response = client.get("/api/user", headers={"Authorization": f"Bearer {mint_access_token()}"})
    assert response.json()["detail"] == "rows.value: Enter a number."
    assert response.json()["fields"] == {"rows": [{}, {"value": ["Enter a number."]}]}
