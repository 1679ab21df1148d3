"""The response headers that scripts of another origin can read (Fetch standard, section 3.3)."""

import re

import pytest
from django.conf import settings

from tests.imports import ROOT

API_DOCS = (ROOT / "docs/api.md").read_text(encoding="utf-8")
EXPOSED = {name.lower() for name in settings.CORS_EXPOSE_HEADERS}
SAFELISTED = {"cache-control", "content-language", "content-length", "content-type", "expires",
              "last-modified", "pragma"}  # fmt: skip
# The request headers in docs/api.md.
REQUEST_HEADERS = {"accept-encoding", "authorization", "x-csrftoken", "if-match", "if-none-match",
               "x-access-token", "x-refresh-token"}  # fmt: skip
# Headers for the browser itself.
FOR_BROWSERS = re.compile(
    r"access-control-|content-security-policy|cross-origin-opener-policy|referrer-policy|"
    r"vary|x-content-type-options|x-frame-options"
)


def header_names(text):
    """Return the lower-case names of headers that a Markdown text shows as code."""
    code = re.findall(r"`([A-Za-z-]+)(?::[^`\n]*)?`", text)
    pattern = r"(?i)allow|etag|link|location|sunset|deprecation|[a-z]+(-[a-z]+)+"
    return {name.lower() for name in code if re.fullmatch(pattern, name)}


def response_headers_table():
    table = API_DOCS.split("\n| response header |", 1)[1].split("\n\n", 1)[0]
    return header_names("\n".join(line.split("|")[1] for line in table.splitlines()[2:]))


def test_documented_response_headers_are_exposed():
    assert response_headers_table() == EXPOSED


def test_every_other_header_of_the_docs_is_one_that_clients_send():
    names = header_names(API_DOCS) - {"x-error-codes"}  # a member of the OpenAPI document
    assert names - EXPOSED - SAFELISTED - REQUEST_HEADERS == set()


def test_new_header_of_the_docs_is_noticed():
    shown = header_names("Read `RateLimit-Reset`, `Link: <…>; rel=next` and `Deprecation`.")
    assert shown - EXPOSED == {"ratelimit-reset", "link", "deprecation"}


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post", "delete", "options"])
@pytest.mark.parametrize("path", ["/api/user", "/api/info/server", "/api/nosuch"])
def test_every_header_of_the_api_is_exposed_or_for_the_browser(cognito_client, path, method):
    for client in (cognito_client("linus", session=False), cognito_client.anonymous()):
        response = getattr(client, method)(path, headers={"origin": "http://localhost:3000"})
        assert set(response["access-control-expose-headers"].lower().split(", ")) >= EXPOSED
        names = {name.lower() for name in response.headers} - EXPOSED - SAFELISTED
        assert {name for name in names if not FOR_BROWSERS.match(name)} == set()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/user", "/user", "/profile/", "/admin/"])
def test_scripts_of_other_origins_cannot_use_the_session(cognito_client, path):
    client = cognito_client("linus", bearer=False)
    for method in ("get", "options"):
        preflight = {"access-control-request-method": "GET"} if method == "options" else {}
        headers = {"origin": "http://localhost:3000", **preflight}
        response = getattr(client, method)(path, headers=headers)
        assert "access-control-allow-credentials" not in response.headers
        is_api = path in ("/api/user", "/user")
        assert ("access-control-allow-origin" in response.headers) is is_api
