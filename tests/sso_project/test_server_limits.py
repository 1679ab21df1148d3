"""The configuration of gunicorn: limits of headers, and its log."""

import json
import logging

import pytest
from gunicorn.config import Config
from gunicorn.http.parser import RequestParser

from accounts.cognito.token_parsing import MAX_TOKEN_LENGTH
from deploy import gunicorn_config


def test_header_with_the_longest_token_is_accepted():
    header = f"Authorization: Bearer {'x' * MAX_TOKEN_LENGTH}\r\n"
    assert gunicorn_config.limit_request_field_size >= len(header)


@pytest.mark.parametrize(
    "name", ["X_Forwarded_For", "x_forwarded-proto", "SCRIPT_NAME", "PATH_INFO", "REMOTE_USER"]
)
def test_headers_with_an_underscore_are_dropped(name):
    """In WSGI, `X_Forwarded_For` and `X-Forwarded-For` are the same name (CVE-2025-64484)."""
    config = Config()
    for setting in config.settings.keys() & vars(gunicorn_config).keys():
        config.set(setting, getattr(gunicorn_config, setting))
    request = f"GET / HTTP/1.1\r\nHost: localhost\r\n{name}: 192.0.2.66\r\n\r\n"
    parser = RequestParser(config, iter([request.encode()]), ("127.0.0.1", 50_000))
    assert [header for header, _ in next(parser).headers] == ["HOST"]


def own_log(log_format, monkeypatch):
    """Return the logger of gunicorn for a site with that LOG_FORMAT."""
    monkeypatch.setitem(gunicorn_config._settings, "LOG_FORMAT", log_format)
    config = Config()
    config.set("accesslog", gunicorn_config.accesslog)
    return gunicorn_config.logger_class(config)


@pytest.mark.parametrize(("log_format", "is_json"), [("json", True), ("text", False)])
def test_log_of_gunicorn_has_the_format_of_the_site(log_format, is_json, monkeypatch):
    handler = own_log(log_format, monkeypatch).error_log.handlers[-1]
    record = logging.LogRecord("gunicorn.error", logging.INFO, "", 0, "Booting %s", ("it",), None)
    line = handler.format(record)
    assert "Booting it" in line
    assert line.startswith("{") is is_json
    if is_json:
        assert json.loads(line)["level"] == "INFO"


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_access_log_of_gunicorn_is_off(log_format, monkeypatch):
    assert not own_log(log_format, monkeypatch).access_log_enabled
