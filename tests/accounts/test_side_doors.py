"""No token leaves by a side door: log, error page, mail, Sentry, span, admin, export, crash report.

In each test, a view of a host project holds live tokens in its local variables and breaks.
"""

import contextlib
import dataclasses
import importlib
import inspect
import io
import json
import logging
import pkgutil
import re
import sys
import traceback

import django
import pytest
from django.contrib import admin
from django.core import mail
from django.core.management import call_command
from django.core.signals import got_request_exception
from django.http import HttpResponse
from django.urls import NoReverseMatch, include, path, reverse
from django.utils.log import AdminEmailHandler

import accounts
from accounts.core.masking import MASK, MaskSecrets, mask, mask_span
from accounts.models import RefreshResult, SignIn
from accounts.provider import provider
from accounts.testing import CognitoClient
from accounts.testing.fake import FakeUser
from accounts.tokens.storage import open_tokens
from tests.accounts.sentry_events import sentry_events

CODE, STATE, HEADER = "CODE-1234567890", "STATE-1234567890", "REFRESH-1234567890"
QUERY = f"?code={CODE}&state={STATE}"
BROKEN = "the disk is full"

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

log = logging.getLogger("host")


def broken_view(request):
    own = request.sign_in.access_token()
    other = request.sign_in.on_behalf_of(resource="https://books.example.com")
    log.warning("Calling the API with Authorization: Bearer %s", own)
    tokens = open_tokens(request.sign_in)
    raise RuntimeError(BROKEN, len(own), len(other), tokens)


def fetching_view(request):
    return HttpResponse(len(request.sign_in.access_token()))


urlpatterns = [
    path("broken", broken_view),
    path("fetching", fetching_view),
    path("", include("sso_project.urls")),
]


@pytest.fixture
def browser(cognito):
    browser = CognitoClient(raise_request_exception=False)
    browser.sign_in(FakeUser("ada", groups=("admins",), email="ada@example.com"), cognito)
    SignIn.objects.get().on_behalf_of(resource="https://films.example.com")
    return browser


def break_view(browser):
    response = browser.get(f"/broken{QUERY}", headers={"x-refresh-token": HEADER})
    assert response.status_code == 500
    return response


@pytest.fixture
def leaks(browser):
    """A function that returns the names of the secrets in a text."""
    sign_in = SignIn.objects.get()
    tokens = open_tokens(sign_in)
    parts = {
        "refresh token": tokens.refresh_token,
        "client secret": provider().client_secret.value,
        "key of the sign-in": sign_in.key,
        "ciphertext": sign_in.sealed_tokens,
        "session": browser.cookies["sessionid"].value,
        "header": HEADER,
    }
    named = {"access token": tokens.access_token, "ID token": tokens.id_token}
    for name, token in named.items():
        _, payload, signature = token.split(".")
        parts |= {f"payload of the {name}": payload[:60], f"signature of the {name}": signature}
    assert all(len(str(part)) >= 10 for part in parts.values())

    def leaks(text):
        issued = {}
        for result in RefreshResult.objects.exclude(sealed_result=""):
            tokens = provider().cipher.open(result.sealed_result).get("tokens")
            if tokens is not None:  # else it is a failure
                token = tokens["access_token"]
                issued[f"exchanged token {result.pk}"] = token.rpartition(".")[2]
                issued[f"ciphertext {result.pk}"] = result.sealed_result
        assert issued
        return [name for name, part in (parts | issued).items() if str(part) in text]

    return leaks


def test_log(browser, leaks):
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(MaskSecrets())
    logging.getLogger().addHandler(handler)
    try:
        break_view(browser)
    finally:
        logging.getLogger().removeHandler(handler)
    text = stream.getvalue()
    assert BROKEN in text
    assert f"Authorization: Bearer {MASK}" in text
    assert leaks(text) == []
    assert CODE not in text


def test_error_page(browser, leaks, settings):
    settings.DEBUG = True
    page = break_view(browser).content.decode()
    assert BROKEN in page
    assert "broken_view" in page
    assert leaks(page) == []
    assert CODE not in page
    assert STATE not in page


def test_mail_to_admins(browser, leaks, settings, monkeypatch):
    monkeypatch.setattr("django.core.mail.message.DNS_NAME", "app.example.com")
    operator = "operator@example.com"
    settings.ADMINS = [operator if django.VERSION >= (6,) else ("Operator", operator)]
    handler = AdminEmailHandler(include_html=True)
    logging.getLogger("django.request").addHandler(handler)
    try:
        break_view(browser)
    finally:
        logging.getLogger("django.request").removeHandler(handler)
    [message] = mail.outbox
    text = message.subject + message.body + str(message.alternatives)
    assert BROKEN in message.body
    assert leaks(text) == []
    assert CODE not in text


def test_sentry_event(browser, leaks):
    with sentry_events() as events:
        break_view(browser)
    text = json.dumps(events)
    assert BROKEN in text
    assert "broken_view" in text
    assert leaks(text) == []
    assert not any(part in text for part in (CODE, STATE))


class Span:
    """A span of OpenTelemetry, as its instrumentation of Django fills it."""

    def __init__(self, url):
        self.attributes = {"url.full": url, "http.method": "GET"}

    def set_attribute(self, name, value):
        self.attributes[name] = value


def test_span(browser, leaks):
    errors = []

    def remember(**kwargs):
        errors.append(sys.exception())

    got_request_exception.connect(remember)
    try:
        break_view(browser)
    finally:
        got_request_exception.disconnect(remember)
    span = Span(f"https://app.example.com/broken{QUERY}")
    mask_span(span, None)
    url = f"https://app.example.com/broken?code={MASK}&state={MASK}"
    assert span.attributes == {"url.full": url, "http.method": "GET"}
    recorded = "".join(traceback.format_exception(errors[0]))  # the event "exception" of a span
    assert BROKEN in recorded
    assert leaks(recorded) == []


def test_admin(browser, leaks, settings):
    user = SignIn.objects.get().user
    user.is_staff = user.is_superuser = True
    user.save()
    pages = ["/admin/"]
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        pages.append(reverse(f"{name}_changelist"))
        for instance in model._default_manager.all()[:2]:
            with contextlib.suppress(NoReverseMatch):
                pages.append(reverse(f"{name}_change", args=[instance.pk]))
    texts = {page: browser.get(page, follow=True).content.decode() for page in pages}
    assert any("ada@example.com" in text for text in texts.values())
    assert {page: leaks(text) for page, text in texts.items() if leaks(text)} == {}


def test_export(browser, leaks, tmp_path):
    stream = io.StringIO()
    call_command("cognito_export_user", "ada", stdout=stream)
    text = stream.getvalue()
    assert "ada@example.com" in text
    assert leaks(text) == []


@pytest.mark.parametrize("path", ["/broken", "/fetching"])
def test_crash_report_with_local_variables(browser, leaks, cognito, path):
    """Crash reporters and `TracebackException` show the repr of every local variable."""
    reports = []

    def report(**kwargs):
        error = traceback.TracebackException.from_exception(sys.exception(), capture_locals=True)
        reports.append("".join(error.format()))

    if path == "/fetching":
        SignIn.objects.update(renew_at="2020-01-01T00:00Z", access_expires_at="2020-01-01T00:00Z")
        cognito.down = True
    got_request_exception.connect(report)
    try:
        browser.get(path + QUERY, headers={"x-refresh-token": HEADER})
    finally:
        got_request_exception.disconnect(report)
    if path == "/broken":
        assert BROKEN in reports[0]
        assert "own = '********'" in reports[0]
    for text in reports:
        assert leaks(text) == []
        assert CODE not in mask(text)


SECRET_NAME = re.compile(r"token$|secret$|verifier$|nonce$|password$|^code$|^body$|signing_input")
ERROR_CODES = {"Problem", "ErrorText"}  # their `code` is that of an error


def classes():
    for module in pkgutil.walk_packages(accounts.__path__, "accounts."):
        if ".migrations" not in module.name:
            loaded = importlib.import_module(module.name)
            for value in vars(loaded).values():
                if inspect.isclass(value) and value.__module__ == module.name:
                    yield value


def secret_fields(cls):
    if dataclasses.is_dataclass(cls):
        fields = {field.name: str(field.type) for field in dataclasses.fields(cls)}
    else:
        fields = {name: str(kind) for name, kind in getattr(cls, "__annotations__", {}).items()}
    texts = {name for name, kind in fields.items() if re.search(r"\bstr\b|\bbytes\b", kind)}
    found = {name for name in texts if SECRET_NAME.search(name)}
    return found - {"code"} if cls.__name__ in ERROR_CODES else found


def test_no_object_shows_its_secrets():
    holders = {}
    for cls in classes():
        is_tuple = issubclass(cls, tuple) and hasattr(cls, "_fields")
        if not (dataclasses.is_dataclass(cls) or is_tuple) or not secret_fields(cls):
            continue
        if is_tuple:
            instance = cls._make(f"<{name}>" for name in cls._fields)
        else:
            instance = object.__new__(cls)
            for field in dataclasses.fields(cls):
                object.__setattr__(instance, field.name, f"<{field.name}>")
        holders[cls.__name__] = [n for n in secret_fields(cls) if f"<{n}>" in repr(instance)]
    assert {name: shown for name, shown in holders.items() if shown} == {}
    assert {"TokenSet", "StoredTokens", "Bearer", "CodeGrant", "SignInAttempt"} <= holders.keys()
