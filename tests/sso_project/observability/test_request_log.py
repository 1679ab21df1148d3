"""Request IDs, the log line of each request, and JSON log records."""

import io
import json
import logging
import re

import pytest
from django.conf import settings as project_settings

from accounts.core.masking import MaskSecrets
from sso_project.observability.json_logs import JSONFormatter


@pytest.fixture
def lines(settings):
    """A function that returns all log records so far, in the JSON format of production."""
    settings.LOG_FORMAT = "json"
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JSONFormatter())
    handler.addFilter(MaskSecrets())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)


def test_request_id_is_in_the_response_and_the_log_line(client, lines):
    response = client.get("/api/info/server")
    (line,) = [line for line in lines() if line["message"] == "request"]
    assert re.fullmatch(r"[0-9a-f]{16}", response.headers["X-Request-ID"])
    assert line["request_id"] == response.headers["X-Request-ID"]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/info/server", 200)
    assert line["ms"] >= 0


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85", "\x0b", "\x1c", "\ud800", "ü"])
def test_each_record_is_one_line_of_ascii(character):
    text = f"before{character}after"
    record = logging.makeLogRecord({"msg": text, "fields": {"person": text, text: 1}})
    line = JSONFormatter().format(record)
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert json.loads(line)["message"] == json.loads(line)["person"] == text


def test_all_log_lines_of_a_request_have_its_id(client, lines):
    response = client.get("/accounts/login/")
    names = {line.get("request_id") for line in lines()}
    assert names == {response.headers["X-Request-ID"]}
    assert len(lines()) >= 2


def test_request_id_of_an_untrusted_client_is_replaced(client):
    response = client.get("/", headers={"X-Request-ID": "chosen-by-me"})
    assert response.headers["X-Request-ID"] != "chosen-by-me"


def test_request_id_of_a_trusted_proxy_is_used(client, settings):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    response = client.get("/", headers={"X-Request-ID": "given-by-the-proxy"})
    assert response.headers["X-Request-ID"] == "given-by-the-proxy"


@pytest.mark.parametrize(
    "header", ["short", "x" * 65, "with space in it", 'quote"in-it', "näme-nnn"]
)
def test_malformed_request_id_of_a_trusted_proxy_is_replaced(client, settings, header):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    response = client.get("/", HTTP_X_REQUEST_ID=header)
    assert response.headers["X-Request-ID"] != header


def test_log_holds_no_query_and_no_secret(client, lines, db):
    secret = "s3cret-value-that-must-not-appear"
    client.get(f"/signin?code={secret}&state={secret}")
    client.get("/api/user", headers={"Authorization": f"Bearer eyJhbGciOiJub25lIn0.{secret}.x"})
    logging.getLogger("x").error("failed with code=%s", secret, extra={"request": secret})
    logging.getLogger("x").info("request", extra={"fields": {"path": f"/?code={secret}"}})
    try:
        raise ValueError(f"access_token={secret}")
    except ValueError:
        logging.getLogger("x").exception("broke")
    assert len(lines()) >= 5
    assert secret not in json.dumps(lines())
    assert any("ValueError" in line.get("exception", "") for line in lines())


def test_disallowed_host_is_logged_without_a_traceback(client, lines):
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400
    (line,) = [line for line in lines() if line["logger"] == "django.security.DisallowedHost"]
    assert "evil.example" in line["message"]
    assert "exception" not in line


def test_development_logs_text_and_a_json_format_exists():
    assert project_settings.LOG_FORMAT == "text"
    assert project_settings.LOGGING["formatters"]["json"] == {
        "()": "sso_project.observability.json_logs.JSONFormatter"
    }
