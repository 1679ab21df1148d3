"""The guard for ASGI servers: the same limits, and bodies in memory."""

import asyncio

import pytest
from django.core.handlers.asgi import ASGIHandler

from sso_project.asgi_guard import AsgiRequestGuard, read_body

# Django checks its connections at the start of each request, even if the view uses none.
pytestmark = pytest.mark.django_db

MB = 1024 * 1024


def send_request(application, *pieces, path="/", headers=(), method="POST", ends=True):
    """Send one request through the guard and return the messages of the response."""
    messages = [
        {"type": "http.request", "body": piece, "more_body": number < len(pieces) - 1}
        for number, piece in enumerate(pieces)
    ] or [{"type": "http.request"}]
    if not ends:
        messages[-1] = {"type": "http.disconnect"}
    sent = []

    async def receive():
        return messages.pop(0) if messages else await asyncio.sleep(60)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "query_string": b"",
             "headers": [(name.encode(), value.encode()) for name, value in headers]}  # fmt: skip
    asyncio.run(AsgiRequestGuard(application)(scope, receive, send))
    return sent


class Echo:
    async def __call__(self, scope, receive, send):
        self.scope = scope
        self.message = await receive()


def refusal(*pieces, **options):
    echo = Echo()
    send_request(echo, *pieces, **options)
    refused = echo.scope.get("sso_project.refusal")
    assert not refused or not echo.message["body"]
    return (refused.status, refused.code) if refused else None


@pytest.mark.parametrize(("path", "limit"), [("/nosuch", MB), ("/api/stats/bulk", 12 * MB)])
def test_body_is_limited_with_and_without_a_length(path, limit):
    length = [("content-length", str(limit + 1))]
    assert refusal(b"x" * limit, path=path) is None
    assert refusal(b"x" * limit, b"x", path=path) == (413, "too_large")
    assert refusal(path=path, headers=length) == (413, "too_large")


def test_body_is_passed_to_the_application_unchanged():
    echo = Echo()
    send_request(echo, b"a", b"b", b"c")
    assert echo.message == {"type": "http.request", "body": b"abc", "more_body": False}


@pytest.mark.parametrize("headers", [[("transfer-encoding", "chunked")], []])
def test_body_without_a_length_gets_one(headers):
    """Without it, Django REST framework reads no body (HTTP/1.1 chunks, or HTTP/2)."""
    echo = Echo()
    send_request(echo, b"a", b"bc", headers=headers)
    assert echo.scope["headers"] == [(b"content-length", b"3")]


def test_compressed_body_without_a_length_is_refused():
    assert refusal(b"a", headers=[("content-encoding", "gzip")]) == (415, "unsupported_encoding")


@pytest.mark.django_db(transaction=True)
def test_patch_without_a_length_is_stored(cognito_client):
    client = cognito_client("grace", groups=["editors"])
    figure = {"kpi": "revenue", "year": 2020, "month": 1, "value": 1}
    made = client.post("/api/stats", figure, format="json").json()
    headers = [("host", "testserver"), ("content-type", "application/json"),
               ("authorization", client._credentials["HTTP_AUTHORIZATION"])]  # fmt: skip
    path = f"/api/stats/{made['id']}"
    send_request(ASGIHandler(), b'{"val', b'ue": 99}', path=path, method="PATCH", headers=headers)
    assert client.get(path).json()["value"] == 99


def test_body_that_ends_early_is_refused():
    assert refusal(b"a", b"b", ends=False) == (400, "incomplete_body")


def test_body_has_a_deadline(monkeypatch):
    monkeypatch.setattr("sso_project.asgi_guard.MAX_BODY_SECONDS", 0.01)

    async def never():
        await asyncio.sleep(60)

    refused, _ = asyncio.run(read_body(never, 1))
    assert refused.status == 408


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([("content-type", "a/b;" * 8_000)], (431, "header_too_large")),
        ([("content-type", "a/b"), ("content-type", "c/d")], (400, "malformed_content_type")),
        ([("content-encoding", "gzip"), ("content-length", "1")], (415, "unsupported_encoding")),
        ([("content_type", "x" * 2_000)], None),  # Django does not see it either
    ],
)
def test_headers_are_checked(headers, expected):
    assert refusal(b"x", headers=headers) == expected


def test_site_responds_with_the_refusal():
    start, body = send_request(
        ASGIHandler(), path="/healthz", headers=[("content-type", "x" * 2_000)]
    )[:2]
    assert start["status"] == 431
    assert b"header_too_large" in body["body"]


def test_other_protocols_are_passed_on():
    echo = Echo()

    async def receive():
        return {"type": "lifespan.startup"}

    asyncio.run(AsgiRequestGuard(echo)({"type": "lifespan"}, receive, None))
    assert echo.message == {"type": "lifespan.startup"}


def test_body_that_headers_rule_out_is_not_awaited():
    """HTTP/1.1 has no body without Content-Length and Transfer-Encoding (RFC 9112 section 6.3)."""

    async def never():
        raise AssertionError("the guard waits for a body")

    echo = Echo()
    scope = {"type": "http", "http_version": "1.1", "path": "/", "headers": []}
    asyncio.run(AsgiRequestGuard(echo)(scope, never, None))
    assert echo.message == {"type": "http.request", "body": b"", "more_body": False}
    for version, name in (
        ("2", "x-empty"),
        ("1.1", "content-length"),
        ("1.1", "transfer-encoding"),
    ):
        value = {"content-length": b"1", "transfer-encoding": b"chunked"}.get(name, b"")
        changed = {**scope, "http_version": version, "headers": [(name.encode(), value)]}
        with pytest.raises(AssertionError, match="waits"):
            asyncio.run(AsgiRequestGuard(Echo())(changed, never, None))
