import pytest
from django.db import OperationalError

from accounts import middleware


@pytest.fixture(autouse=True)
def _as_in_production(settings, client):
    settings.DEBUG = False
    client.raise_request_exception = False


def test_disallowed_host_is_a_400_of_the_api(client):
    response = client.get("/api/user", headers={"host": "evil.example"})
    assert response.status_code == 400
    assert response.json() == {
        "detail": "This request is not valid. Check its URL, headers and body.",
        "code": "bad_request",
        "error": "This request is not valid. Check its URL, headers and body.",
    }


def test_disallowed_host_is_a_400_page_outside_of_the_api(client):
    response = client.get("/", headers={"host": "evil.example"})
    assert response.status_code == 400
    assert "<h1>" in response.text


@pytest.mark.parametrize(("path", "is_json"), [("/api/info/server", True), ("/", False)])
def test_error_in_a_middleware_is_a_500_as_json_or_page(client, monkeypatch, path, is_json):
    def fail(*args):
        raise ZeroDivisionError("hunter2")

    monkeypatch.setattr(middleware.browser_session, "current_sign_in", fail)
    response = client.get(path)
    assert response.status_code == 500
    assert "hunter2" not in response.text
    assert response.headers["Content-Type"].startswith("application/json") == is_json
    if is_json:
        assert response.json()["code"] == "server_error"


@pytest.mark.parametrize("stage", ["", "/stage"])
@pytest.mark.parametrize(("path", "is_json"), [("/api/user", True), ("/user", True), ("/", False)])
def test_outage_of_the_sessions_is_json_for_the_api(client, monkeypatch, path, is_json, stage):
    """Without an Accept header, the URL decides."""

    def fail(*args):
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(middleware.browser_session, "current_sign_in", fail)
    response = client.get(path, SCRIPT_NAME=stage)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert response.headers["Content-Type"].startswith("application/json") == is_json
    if is_json:
        assert response.json()["code"] == "database_unavailable"
