import io
import json
import logging
import sys

import pytest
from django.conf import settings
from django.test import RequestFactory

from accounts.api import authentication
from accounts.core.masking import (
    MASK,
    MaskingExceptionReporter,
    MaskSecrets,
    mask,
    mask_event,
)
from accounts.testing import CognitoClient, mint_access_token
from accounts.testing.fake import FakeUser
from tests.accounts.sentry_events import sentry_events

SECRET, COOKIE, STATE = "a-secret-of-the-tests", "the-session-id", "a-state-of-the-tests"
CODE = "291219ef-c91d-4e53-b633-d6c27d6506f3"


@pytest.mark.parametrize(
    "text",
    [
        f"GET /signin?code={CODE}&state=abc HTTP/1.1",
        f"GET /auth/get-tokens?redirectUri=http://a/&code={CODE}",
        f"POST code={CODE}&grant_type=authorization_code",
        f'{{"code": "{CODE}", "redirectUri": "x"}}',
        f"CodeGrant(code='{CODE}')",
        f"refresh_token={CODE}",
        f"refreshToken: {CODE}",
        f"client_secret={CODE}",
        f"client_secret%3D{CODE}",
        f"x-refresh-token: {CODE}",
        f"code_verifier={CODE}",
        f"Authorization: Basic {CODE}",
        f"Authorization: Bearer {CODE}",
        f"password={CODE}",
    ],
)
def test_secret_is_masked(text):
    assert CODE not in mask(text)
    assert MASK in mask(text)


@pytest.mark.parametrize("cut", [None, 60, 400])
def test_whole_or_truncated_token_is_masked(cut):
    token = mint_access_token()[:cut]
    assert token[:50] not in mask(f"refused ({token}), try again")


@pytest.mark.parametrize(
    "text",
    [
        "GET /api/stats?kpi=revenue&from=201901 HTTP/1.1 200",
        "7c1e09ab  token  ms=41",
        "code redeemed by the API  person=ada",
        "status code 200",
        "expired at 2026-01-01T00:00:00Z",
        "Cognito does not accept COGNITO_CLIENT_ID and COGNITO_CLIENT_SECRET",
    ],
)
def test_text_without_a_secret_is_unchanged(text):
    assert mask(text) == text


@pytest.fixture
def logged():
    """A logger with the filter that settings.py configures, and the stream it writes to."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(MaskSecrets())
    logger = logging.getLogger("tests.masking")
    logger.addHandler(handler)
    yield logger, stream
    logger.removeHandler(handler)


def test_arguments_of_a_record_are_masked(logged):
    logger, stream = logged
    logger.warning('"%s" %s', f"GET /signin?code={CODE}", 200)
    assert CODE not in stream.getvalue()
    assert "200" in stream.getvalue()


def test_traceback_of_a_record_is_masked(logged):
    logger, stream = logged
    try:
        raise ValueError(f"code={CODE}")
    except ValueError:
        logger.exception("It broke")
    assert CODE not in stream.getvalue()
    assert "ValueError" in stream.getvalue()


def test_every_configured_handler_masks_secrets():
    assert settings.LOGGING["handlers"]
    for handler in settings.LOGGING["handlers"].values():
        assert "mask_secrets" in handler["filters"]
    assert settings.LOGGING["filters"]["mask_secrets"]["()"] == "accounts.core.masking.MaskSecrets"


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("form", ["get_traceback_html", "get_traceback_text"])
def test_error_report_shows_no_secret(settings, debug, form):
    settings.DEBUG = debug
    token = mint_access_token()
    request = RequestFactory().get(
        "/signin",
        {"code": CODE, "state": STATE, "kpi": "revenue"},
        headers={
            "Authorization": f"Bearer {token}",
            "x-refresh-token": CODE,
            "Referer": f"http://localhost/signin?code={CODE}",
        },
    )
    request.COOKIES["sessionid"] = COOKIE

    def work(code, unverified_access_token, client_secret, anything):
        raise ValueError(f"refused {anything}")

    try:
        work(CODE, token, SECRET, token)
    except ValueError:
        report = getattr(MaskingExceptionReporter(request, *sys.exc_info()), form)()
    for secret in (CODE, token, token[:60], SECRET, COOKIE, STATE):
        assert secret not in report
    assert "ValueError" in report


def test_django_uses_the_masking_reporter():
    assert settings.DEFAULT_EXCEPTION_REPORTER == ("accounts.core.masking.MaskingExceptionReporter")


def test_record_with_wrong_arguments_is_masked_without_an_error():
    wrong = logging.LogRecord("x", logging.INFO, "", 0, "one %s", (f"code={CODE}", "two"), None)
    assert MaskSecrets().filter(wrong)
    assert wrong.getMessage() == f"one %s ('code={MASK}', 'two')"


@pytest.mark.django_db
def test_sentry_gets_no_token_code_or_cookie(monkeypatch, cognito):
    def fail(*args, **kwargs):
        raise RuntimeError("the disk is full")

    client = CognitoClient(raise_request_exception=False)
    signed_in = FakeUser("ada")
    client.sign_in(signed_in, cognito)
    cookies = [morsel.value for morsel in client.cookies.values() if len(morsel.value) > 8]
    monkeypatch.setattr(authentication.revocation_feed, "check", fail)
    token = mint_access_token("ada")
    headers = {"authorization": f"Bearer {token}", "x-refresh-token": "REFRESH-1234567"}
    path = "/api/user?code=CODE-12345&state=STATE-12345"
    with sentry_events() as events:
        assert client.get(path, headers=headers).status_code == 500
    text = json.dumps(events)
    assert "the disk is full" in text
    assert "authenticate_token" in text  # the frame whose variables hold the token
    payload, signature = token.split(".")[1:]
    for secret in (payload[:60], signature[:40], "CODE-12345", "STATE-12345", "REFRESH-1234567"):
        assert secret not in text
    for cookie in cookies:
        assert cookie not in text


def test_event_keeps_numbers_and_other_values():
    event = {
        "status_code": 500,
        "tags": ["a", "b", "c"],
        "user": {"id": 7},
        "query": [["code", "x"]],
    }
    assert mask_event(event) == event | {"query": [["code", MASK]]}
