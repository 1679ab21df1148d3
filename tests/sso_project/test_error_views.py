import pytest

from accounts import middleware


@pytest.fixture(autouse=True)
def _as_in_production(settings, client):
    settings.DEBUG = False
    client.raise_request_exception = False


def test_foreign_host_is_400_in_the_shape_of_the_api(client):
    answer = client.get("/api/user", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert answer.json() == {
        "detail": "This request cannot be honoured.",
        "code": "bad_request",
        "error": "This request cannot be honoured.",
    }


def test_foreign_host_is_a_page_elsewhere(client):
    answer = client.get("/", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert "<h1>" in answer.text


@pytest.mark.parametrize(("path", "is_json"), [("/api/info/server", True), ("/", False)])
def test_middleware_that_breaks_is_500_in_either_form(client, monkeypatch, path, is_json):
    def fail(*args):
        raise ZeroDivisionError("hunter2")

    monkeypatch.setattr(middleware.browser_session, "current_sign_in", fail)
    answer = client.get(path)
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert answer.headers["Content-Type"].startswith("application/json") == is_json
    if is_json:
        assert answer.json()["code"] == "server_error"
