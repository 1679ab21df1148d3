"""Every answer of the API that fails is `{"detail", "code", "error"}`, at every address."""

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

pytestmark = pytest.mark.django_db

METHODS = ["get", "post", "put", "patch", "delete"]


@pytest.fixture(autouse=True)
def _fake(cognito):
    cache.clear()


def addresses():
    """Every address of an API view, found in the site map."""
    found = []

    def walk(patterns, prefix):
        for pattern in patterns:
            path = prefix + str(pattern.pattern)
            if hasattr(pattern, "url_patterns"):
                walk(pattern.url_patterns, path)
            elif issubclass(getattr(pattern.callback, "cls", object), APIView):
                found.append(path)

    walk(get_resolver().url_patterns, "")
    return sorted(set(found))


def concrete(pattern):
    for regex, text in (
        ("(?P<pk>[0-9]{1,18})", "1"),
        ("(?:api/)?", "api/"),
        ("(/|$)", "/nothing"),
        ("/?", ""),
        ("$", ""),
        ("^", ""),
    ):
        pattern = pattern.replace(regex, text)
    assert not set(pattern) & set("()[]?*<>|"), f"say what stands for {pattern}"
    return f"/{pattern}"


def test_the_walk_finds_the_endpoints():
    found = {concrete(pattern) for pattern in addresses()}
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
    } <= found


def assert_shape(answer):
    body = answer.json()
    assert set(body) - {"fields", "login_url"} == {"detail", "code", "error"}, body
    assert isinstance(body["detail"], str)
    assert body["detail"]
    assert body["error"] == body["detail"]
    assert body["code"].replace("_", "").isalnum()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("pattern", addresses())
@pytest.mark.parametrize("who", ["nobody", "bad token", "person"])
@pytest.mark.parametrize("body", [b"{", b"[]"])
def test_failing_answer_has_the_one_shape(client, method, pattern, who, body):
    headers = {
        "nobody": {},
        "bad token": {"Authorization": "Bearer nonsense"},
        "person": {"Authorization": f"Bearer {mint_access_token()}"},
    }[who]
    answer = getattr(client, method)(
        concrete(pattern),
        **({} if method == "get" else {"data": body, "content_type": "application/json"}),
        headers=headers,
    )
    assert answer.status_code < 500
    if answer.status_code >= 400:
        assert_shape(answer)


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
def test_error_of_a_view_has_the_one_shape(client, monkeypatch, error, status, code):
    def fail(self, request):
        raise error

    monkeypatch.setattr(CallerView, "get", fail)
    client.raise_request_exception = False
    answer = client.get("/api/user", headers={"Authorization": f"Bearer {mint_access_token()}"})
    assert answer.status_code == status
    assert_shape(answer)
    assert answer.json()["code"] == code
    assert "hunter2" not in answer.text
    if status in (429, 503):
        assert answer.headers["Retry-After"] == str(getattr(error, "retry_after", None) or 5)


def test_original_ui_reads_the_same_bytes_as_ever(client):
    answer = client.get("/user", headers={"Authorization": "Bearer nonsense"})
    sentence = "This is not a JSON Web Token: three base64url parts joined by dots."
    assert answer.status_code == 401
    assert answer.content.decode() == (
        f'{{"detail":"{sentence}","code":"malformed_token","error":"{sentence}"}}'
    )


def test_user_without_a_session_reads_the_same_sentence_everywhere(client):
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


def test_unforeseen_error_reaches_log_and_listeners(client, monkeypatch, caplog):
    def fail(self, request):
        raise ZeroDivisionError("unforeseen")

    monkeypatch.setattr(CallerView, "get", fail)
    with pytest.raises(ZeroDivisionError):  # the test client listens
        client.get("/api/user", headers={"Authorization": f"Bearer {mint_access_token()}"})
    (record,) = [each for each in caplog.records if each.name == "django.request"]
    assert record.exc_info[0] is ZeroDivisionError


def test_body_that_is_too_large_is_413(client, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    answer = client.post("/api/auth/get-tokens", b"x" * 101, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert_shape(answer)


def test_first_wrong_field_is_named(client, monkeypatch):
    def fail(self, request):
        raise exceptions.ValidationError({"rows": [{}, {"value": ["Enter a number."]}]})

    monkeypatch.setattr(CallerView, "get", fail)
    answer = client.get("/api/user", headers={"Authorization": f"Bearer {mint_access_token()}"})
    assert answer.json()["detail"] == "rows.value: Enter a number."
    assert answer.json()["fields"] == {"rows": [{}, {"value": ["Enter a number."]}]}
