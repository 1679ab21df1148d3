"""The guard in front of Django: its limits, and the request that Django gets."""

import io
import json
import logging
import time

import pytest
from django.core.exceptions import RequestDataTooBig
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory

from accounts.cognito.token_parsing import MAX_TOKEN_LENGTH
from sso_project.request_guard import BoundedBody, RequestGuard
from sso_project.request_limits import (
    MAX_COOKIE_BACKSLASHES,
    MAX_COOKIE_BYTES,
    MAX_HEADER_BYTES,
    MAX_PARSED_HEADER_BYTES,
    check_headers,
    max_body_bytes,
)

# Django checks its connections at the start of each request, even if the view uses none.
pytestmark = pytest.mark.django_db

MB = 1024 * 1024
WRITES = [
    ("POST", "/api/auth/get-tokens"),
    ("POST", "/auth/get-tokens"),
    ("POST", "/api/stats"),
    ("PUT", "/api/stats/1"),
    ("PATCH", "/api/stats/1"),
    ("DELETE", "/api/stats/1"),
    ("POST", "/api/stats/bulk"),
    ("POST", "/stats/bulk"),
    ("POST", "/dashboard/figures/add/"),
    ("POST", "/accounts/logout/"),
    ("POST", "/profile/sign-out-everywhere/"),
    ("POST", "/admin/logout/"),
    ("POST", "/admin/stats/stat/import/"),
    ("POST", "/nosuch"),
    ("GET", "/"),
]


class Echo:
    """A WSGI application that reads the body as Django does."""

    def __call__(self, environ, start_response):
        self.environ = environ
        length = int(environ.get("CONTENT_LENGTH") or 0)
        self.body = environ["wsgi.input"].read(length) if length else b""
        return []


def environ_of(path="/", method="POST", body=b"", chunked=False, terminated=True, **headers):
    environ = RequestFactory().generic(method, path, b"").environ
    environ |= {"PATH_INFO": path, "wsgi.input": io.BytesIO(body)}
    environ |= {"wsgi.input_terminated": terminated, **headers}
    if chunked:
        environ.pop("CONTENT_LENGTH", None)
        environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    else:
        environ.setdefault("CONTENT_LENGTH", str(len(body)))
    if body:
        environ.setdefault("CONTENT_TYPE", "application/json")
    return environ


def refusal(environ):
    """Return the status and code of the guard's refusal, or None if Django gets the request."""
    echo = Echo()
    RequestGuard(echo)(environ, None)
    refused = echo.environ.get("sso_project.refusal")
    return (refused.status, refused.code) if refused else None


def response_to(environ):
    """Return the status, headers and body of the site's response."""
    started = []
    body = b"".join(
        RequestGuard(WSGIHandler())(
            environ, lambda status, headers: started.extend((status, headers))
        )
    )
    return int(started[0][:3]), dict(started[1]), body


# --- Headers --------------------------------------------------------------------------------------

LIMITS = {
    "CONTENT_TYPE": MAX_PARSED_HEADER_BYTES,
    "HTTP_ACCEPT": MAX_PARSED_HEADER_BYTES,
    "HTTP_ACCEPT_ENCODING": MAX_PARSED_HEADER_BYTES,
    "HTTP_ACCESS_CONTROL_REQUEST_HEADERS": MAX_PARSED_HEADER_BYTES,
    "HTTP_CONTENT_DISPOSITION": MAX_PARSED_HEADER_BYTES,
    "HTTP_CONTENT_ENCODING": MAX_PARSED_HEADER_BYTES,
    "HTTP_FORWARDED": MAX_PARSED_HEADER_BYTES,
    "HTTP_HOST": MAX_PARSED_HEADER_BYTES,
    "HTTP_IF_MATCH": MAX_PARSED_HEADER_BYTES,
    "HTTP_IF_MODIFIED_SINCE": MAX_PARSED_HEADER_BYTES,
    "HTTP_IF_NONE_MATCH": MAX_PARSED_HEADER_BYTES,
    "HTTP_ORIGIN": MAX_PARSED_HEADER_BYTES,
    "HTTP_RANGE": MAX_PARSED_HEADER_BYTES,
    "HTTP_X_CSRFTOKEN": MAX_PARSED_HEADER_BYTES,
    "HTTP_X_FORWARDED_FOR": MAX_PARSED_HEADER_BYTES,
    "HTTP_X_REQUEST_ID": MAX_PARSED_HEADER_BYTES,
    "HTTP_REFERER": MAX_HEADER_BYTES,
    "HTTP_USER_AGENT": MAX_HEADER_BYTES,
    "HTTP_X_AMZN_TRACE_ID": MAX_HEADER_BYTES,
    "HTTP_X_ANYTHING": MAX_HEADER_BYTES,
    "HTTP_COOKIE": MAX_COOKIE_BYTES,
    "HTTP_AUTHORIZATION": MAX_TOKEN_LENGTH + 7,
    "HTTP_X_ACCESS_TOKEN": MAX_TOKEN_LENGTH + 7,
    "HTTP_X_REFRESH_TOKEN": MAX_TOKEN_LENGTH + 7,
}


@pytest.mark.parametrize(("name", "limit"), LIMITS.items(), ids=LIMITS)
def test_header_is_accepted_at_its_limit_and_refused_above(name, limit):
    start = "application/json;a=" if name == "CONTENT_TYPE" else ""
    assert check_headers({name: start.ljust(limit, "x")}, "/") is None
    refused = check_headers({name: start.ljust(limit + 1, "x")}, "/")
    assert (refused.status, refused.code) == (431, "header_too_large")
    assert f"{limit:,}" in refused.detail


@pytest.mark.parametrize("name", ["HTTP_X_ACCESS_TOKEN", "HTTP_X_REFRESH_TOKEN"])
def test_token_headers_are_limited_without_spa_compat(name, settings):
    settings.SPA_COMPAT = False
    assert check_headers({name: "x" * MAX_HEADER_BYTES}, "/") is None
    assert check_headers({name: "x" * (MAX_HEADER_BYTES + 1)}, "/").status == 431


def test_ten_sign_in_attempts_use_half_of_the_cookie_limit(client):
    for number in range(10):
        client.get(f"/accounts/login/?next=/{str(number) * 255}")
    header = "; ".join(f"{name}={cookie.value}" for name, cookie in client.cookies.items())
    assert len([name for name in client.cookies if name.startswith("signin_")]) == 10
    assert len(header) < MAX_COOKIE_BYTES / 2


def test_backslashes_in_cookies_are_limited():
    start = 'a="'
    accepted = {"HTTP_COOKIE": start + "\\" * MAX_COOKIE_BACKSLASHES}
    assert check_headers(accepted, "/") is None
    refused = check_headers({"HTTP_COOKIE": accepted["HTTP_COOKIE"] + "\\"}, "/")
    assert (refused.status, refused.code) == (400, "malformed_cookie")


COSTLY = {
    "HTTP_ACCEPT": 'a/b;q="' + ";" * 1_000,
    "HTTP_AUTHORIZATION": "Bearer " + "e30." * 8_000,
    "HTTP_COOKIE": 'a="' + "\\" * MAX_COOKIE_BACKSLASHES + "x" * 16_000 + '"',
    "HTTP_IF_NONE_MATCH": 'W/"a",' * 170,
    "HTTP_RANGE": "bytes=" + "1-," * 300,
    "HTTP_REFERER": "http://" + "[" * 8_000,
    "HTTP_X_FORWARDED_FOR": "1," * 512,
    "CONTENT_TYPE": "a/b;" + 'c="";' * 160,
}


@pytest.mark.parametrize(("name", "value"), COSTLY.items(), ids=COSTLY)
def test_accepted_header_is_parsed_quickly(name, value, client):
    """Compare with another request in the same process. The guard prevents a factor of 1000."""

    def seconds(path, **headers):
        fastest = 10.0
        for _ in range(5):
            environ = environ_of(path, "GET", **headers)
            started = time.thread_time()
            assert response_to(environ)[0] in (200, 401, 404)
            fastest = min(fastest, time.thread_time() - started)
        return fastest

    assert seconds("/api/nosuch", HTTP_HOST="localhost", **{name: value}) < 10 * max(
        0.002, seconds("/nosuch", HTTP_HOST="localhost")
    )


@pytest.mark.parametrize(
    "value",
    [
        "application/json",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json;",
        "application/vnd.api+json ; version=1 ; charset=utf-8",
        "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
        'multipart/form-data; boundary="----=_Part_1 (2)"',
        "multipart/form-data; boundary=----=_Part_0_1.2",
        "text/plain;charset=iso-8859-1",
        "",
    ],
)
def test_common_content_type_is_accepted(value):
    assert check_headers({"CONTENT_TYPE": value}, "/") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("json", (400, "malformed_content_type")),
        ("application/", (400, "malformed_content_type")),
        ("application/json, text/plain", (400, "malformed_content_type")),
        ("application/json; charset", (400, "malformed_content_type")),
        ('application/json; charset="utf-8', (400, "malformed_content_type")),
        ("application/json; charset*=utf-8''utf-8", (400, "malformed_content_type")),
        ('a/b;q="' + ";" * 500, (400, "malformed_content_type")),
        ("application/json; x=\u00e9\u2028", (400, "malformed_content_type")),
        ("application/json; charset=punycode", (415, "unsupported_charset")),
        ("application/json; charset=utf-8; charset=idna", (415, "unsupported_charset")),
        ('application/json; CHARSET="utf-16"', (415, "unsupported_charset")),
    ],
)
def test_malformed_content_type_is_refused(value, expected):
    refused = check_headers({"CONTENT_TYPE": value}, "/")
    assert (refused.status, refused.code) == expected


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/", "/api/stats", "/static/css/site.css"])
def test_oversized_header_is_refused_at_every_path(path):
    value = 'a/b;q="' + ";" * 30_000
    status, headers, _ = response_to(environ_of(path, "GET", CONTENT_TYPE=value))
    assert status == 431
    assert len(headers["X-Request-ID"]) == 16


def test_long_content_type_is_refused_quickly():
    def seconds(value):
        fastest = 1.0
        for _ in range(20):
            environ = environ_of("/healthz", "GET", CONTENT_TYPE=value)
            started = time.thread_time()
            response_to(environ)
            fastest = min(fastest, time.thread_time() - started)
        return fastest

    assert seconds('a/b;q="' + ";" * 30_000) < 10 * seconds("a/b;q=1" + ";")


# --- Bodies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_body_is_passed_to_django_unchanged(chunked):
    for method, path in WRITES:
        echo = Echo()
        RequestGuard(echo)(environ_of(path, method, b"{}" * 1000, chunked), None)
        assert "sso_project.refusal" not in echo.environ, path
        assert echo.body == b"{}" * 1000


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_chunked_body_requires_a_server_that_marks_its_end(method, path):
    environ = environ_of(path, method, b"{}", chunked=True, terminated=False)
    assert refusal(environ) == (411, "length_required")


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "deflate", "identity, gzip", "x"])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_compressed_body_is_refused(coding, chunked):
    for method, path in WRITES:
        environ = environ_of(path, method, b"{}", chunked, HTTP_CONTENT_ENCODING=coding)
        status, headers, body = response_to(environ)
        assert (path, status) == (path, 415)
        assert headers["Accept-Encoding"] == "identity"
        assert json.loads(body)["code"] == "unsupported_encoding"


def test_identity_encoding_is_accepted():
    assert refusal(environ_of(body=b"{}", HTTP_CONTENT_ENCODING="identity")) is None


@pytest.mark.parametrize("coding", ["gzip, chunked", "gzip", "identity", "chunked, chunked", "x"])
def test_other_transfer_codings_are_refused(coding):
    environ = environ_of(body=b"{}", chunked=True) | {"HTTP_TRANSFER_ENCODING": coding}
    assert refusal(environ) == (501, "unsupported_transfer_encoding")


@pytest.mark.parametrize("length", ["-1", "+2", "2, 2", "2_0", "0x2", " 2", "\u0662", "9" * 16])
def test_malformed_length_is_refused(length):
    environ = environ_of(body=b"{}", CONTENT_LENGTH=length)
    assert refusal(environ) == (400, "malformed_content_length")


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/api/stats/bulk", 12 * MB),
        ("/api/stats/bulk/", 12 * MB),
        ("/stats/bulk", 12 * MB),
        ("/admin/stats/stat/import/", 12 * MB),
        ("/api/stats", MB),
        ("/api/stats/bulk/x", MB),
        ("/x/api/stats/bulk", MB),
        ("/api/stats/bulk\n", MB),
        ("/admin/stats/stat/import/x", MB),
        ("/nosuch", MB),
    ],
)
def test_limit_of_a_path_applies_to_chunked_bodies_too(path, limit):
    assert max_body_bytes(path) == limit
    assert refusal(environ_of(path, CONTENT_LENGTH=str(limit + 1))) == (413, "too_large")
    exact, above = b"x" * limit, b"x" * (limit + 1)
    assert refusal(environ_of(path, body=exact)) is None
    assert refusal(environ_of(path, body=exact, chunked=True)) is None
    if limit == MB:
        assert refusal(environ_of(path, body=above, chunked=True)) == (413, "too_large")
    else:  # the view reads the body and raises the error
        with pytest.raises(RequestDataTooBig):
            refusal(environ_of(path, body=above, chunked=True))


@pytest.mark.parametrize("path", ["/api/stats", "/api/stats/bulk"])
def test_body_that_ends_early_is_refused(path):
    assert refusal(environ_of(path, body=b"{}", CONTENT_LENGTH="3")) == (400, "incomplete_body")


def test_large_body_is_not_read_before_the_view_reads_it():
    stream = io.BytesIO(b"x" * (2 * MB))
    environ = environ_of("/api/stats/bulk", CONTENT_LENGTH=str(2 * MB)) | {"wsgi.input": stream}
    RequestGuard(lambda environ, start_response: [])(environ, None)
    assert stream.tell() == 0


class Failing:
    def __init__(self, error):
        self.error = error

    def read(self, size):
        raise self.error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TimeoutError(), (408, "timeout")),
        (ConnectionResetError(), (400, "incomplete_body")),
        (ValueError("a chunk without its end"), (400, "incomplete_body")),
    ],
)
def test_connection_error_is_a_client_error(error, expected):
    environ = environ_of(chunked=True) | {"wsgi.input": Failing(error)}
    assert refusal(environ) == expected


def test_bounded_body_reads_and_raises():
    body = BoundedBody(io.BytesIO(b"ab\ncd"), limit=5, length=5)
    assert (body.readline(), body.read(1), body.read(), body.read()) == (b"ab\n", b"c", b"d", b"")
    with pytest.raises(OSError, match="ended early"):
        BoundedBody(io.BytesIO(b"abc"), limit=9, length=5).read()
    with pytest.raises(OSError, match="ended early"):
        BoundedBody(io.BytesIO(b""), limit=9, length=5).readline()
    with pytest.raises(RequestDataTooBig):
        BoundedBody(io.BytesIO(b"abc"), limit=2, length=None).read()


# --- Responses to clients -------------------------------------------------------------------------


def test_refusal_of_an_api_request_is_an_api_error():
    environ = environ_of("/api/stats", CONTENT_LENGTH=str(MB + 1), HTTP_ACCEPT="text/html")
    status, headers, body = response_to(environ)
    assert (status, headers["Content-Type"]) == (413, "application/json")
    detail = "The request body is larger than 1 MB. Send a smaller one."
    assert json.loads(body) == {"detail": detail, "code": "too_large", "error": detail}


def test_refusal_of_a_page_is_text():
    environ = environ_of("/profile/", CONTENT_LENGTH=str(MB + 1), HTTP_ACCEPT="text/html,*/*")
    status, headers, body = response_to(environ)
    assert (status, headers["Content-Type"]) == (413, "text/plain; charset=utf-8")
    assert body == b"The request body is larger than 1 MB. Send a smaller one.\n"


def test_refusal_has_cors_headers():
    origin = "http://localhost:3000"
    environ = environ_of("/api/stats", CONTENT_LENGTH=str(MB + 1), HTTP_ORIGIN=origin)
    _, headers, _ = response_to(environ)
    assert headers["access-control-allow-origin"] == origin


def test_refusal_is_logged_with_its_request_id(settings, caplog):
    settings.LOG_FORMAT = "json"
    with caplog.at_level(logging.INFO, "sso_project.observability.request_log"):
        response_to(environ_of("/api/stats", CONTENT_LENGTH=str(MB + 1)))
    [record] = [r for r in caplog.records if r.name == "sso_project.observability.request_log"]
    assert record.fields["status"] == 413


def test_nothing_of_a_refused_request_reaches_django():
    environ = environ_of("/api/stats", CONTENT_LENGTH=str(MB + 1), HTTP_COOKIE="sessionid=x",
                         HTTP_AUTHORIZATION="Bearer x", HTTP_ACCEPT="x" * 2000)  # fmt: skip
    echo = Echo()
    RequestGuard(echo)(environ, None)
    names = {name for name in echo.environ if name.startswith(("HTTP_", "CONTENT_"))}
    assert names <= {"HTTP_HOST", "CONTENT_LENGTH"}
    assert (echo.environ["CONTENT_LENGTH"], echo.body) == ("0", b"")
