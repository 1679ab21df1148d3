"""Headers and bodies that no honest client sends: too large, too deep, contradictory, or nonsense.

They go to the proxy and to the instances.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator

from ..attack import CLOSED, REFUSED, Attack, Attacker, Response, json_body

EXCHANGE = "/api/auth/get-tokens"
_JSON = ("Content-Type", "application/json")
_FORM = ("Content-Type", "application/x-www-form-urlencoded")
# The values are expensive for a slow parser; each is below the limit of a connection.
CONTENT_TYPES = (
    'a/b;q="' + ";" * 7_000 + '"',
    "multipart/form-data; boundary=" + "x" * 5_000,
    "multipart/form-data",
    "a/b" + ";a=b" * 1_500,
    "text/plain; charset=idna",
    "application/json; charset=" + "x" * 3_000,
    "\x0b" * 5_000,
)
HEADERS = (
    *(("Content-Type", value) for value in CONTENT_TYPES),
    ("X-Junk", "x" * 20_000),
    ("Cookie", "; ".join(f"signin_{number}=x" for number in range(2_000))),
    ("Accept", ",".join(["a/b;q=0.1"] * 800)),
    ("Accept-Encoding", "gzip;q=" + "0" * 7_000),
    ("If-None-Match", '"' + '","' * 2_000),
    ("Range", "bytes=" + "0-1," * 1_500),
    ("X-Forwarded-For", ",".join(["203.0.113.9"] * 600)),
    ("X_Forwarded_For", "203.0.113.9"),
    ("Expect", "200-maybe"),
    ("Authorization", "Bearer " + "\xff" * 500),
    ("Authorization", "Basic " + "=" * 5_000),
)
# gunicorn or nginx may reject these with their own status, or close the connection.
NOT_HTTP = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Nul: a\x00b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: elsewhere\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET  /  HTTP/1.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 500 + b"\r\n",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde",
    b"\r\n" * 2_000,
)
CHUNKED = (
    b"ffffffffffffffff\r\nabc",
    b"-1\r\nabc\r\n0\r\n\r\n",
    b"zz\r\nabc\r\n0\r\n\r\n",
    b"3;" + b"x" * 9_000 + b"\r\nabc\r\n0\r\n\r\n",
    b"3\r\nabcdef\r\n0\r\n\r\n",
    b"1\r\n[\r\n" * 20_000 + b"0\r\n\r\n",
)
JSON_BODIES = (
    b"[" * 50_000,
    b'{"code":' * 20_000,
    b'{"code": "\\u0000", "redirectUri": "\\u0000"}',
    b'{"code": "\\ud800", "redirectUri": "\\udfff"}',
    b'{"code": 1' + b"0" * 20_000 + b', "redirectUri": 1e400000}',
    b'{"code": NaN, "redirectUri": [], "codeVerifier": {}}',
    b"\xff\xfe\x00\x00",
    b'"' + b"x" * 900_000 + b'"',
    json_body({"code": "x" * 500_000, "redirectUri": "http://localhost/"}),
)
FORMS = (
    b"&".join(b"a%d=b" % number for number in range(5_000)),
    b"code=%00&redirectUri=%ff%fe",
    b"%" * 50_000,
    b"a=" + b"+" * 2_000_000,
)


def junk_headers(attacker: Attacker) -> Iterator[Response]:
    while True:
        header = attacker.random.choice(HEADERS)
        path = attacker.random.choice(
            ("/healthz", "/api/info/server", EXCHANGE, "/accounts/login/")
        )
        yield attacker.request("GET", path, [header], port=attacker.any_port)


def content_types(attacker: Attacker) -> Iterator[Response]:
    """Send headers that are parsed in quadratic time to paths that do not use them."""
    while True:
        value = attacker.random.choice(CONTENT_TYPES[:2])
        path = attacker.random.choice(("/healthz", "/", "/nothing/here", "/api/info/server"))
        yield attacker.request("GET", path, [("Content-Type", value)], port=attacker.any_port)


def not_http(attacker: Attacker) -> Iterator[Response]:
    while True:
        yield attacker.send_and_leave(attacker.random.choice(NOT_HTTP), attacker.any_port)


def json_bodies(attacker: Attacker) -> Iterator[Response]:
    while True:
        body = attacker.random.choice(JSON_BODIES)
        yield attacker.request("POST", EXCHANGE, [_JSON], body, attacker.any_port)


def form_bodies(attacker: Attacker) -> Iterator[Response]:
    while True:
        path = attacker.random.choice((EXCHANGE, "/accounts/logout/", "/admin/break-glass/"))
        body = attacker.random.choice(FORMS)
        yield attacker.request("POST", path, [_FORM], body, attacker.any_port)


def chunked_bodies(attacker: Attacker) -> Iterator[Response]:
    """Send contradictory chunks. An incomplete one only costs a short wait."""
    while True:
        body = attacker.random.choice(CHUNKED)
        coding = attacker.random.choice(("chunked", "chunked", "gzip, chunked", "chunked, chunked"))
        headers = [_JSON, ("Transfer-Encoding", coding)]
        raw = attacker.raw("POST", EXCHANGE, headers, body)
        yield attacker.send_and_leave(raw, attacker.any_port)


def gzip_bombs(attacker: Attacker) -> Iterator[Response]:
    bomb = gzip.compress(b" " * 50_000_000)
    while True:
        headers = [_JSON, ("Content-Encoding", attacker.random.choice(("gzip", "deflate", "br")))]
        yield attacker.request("POST", EXCHANGE, headers, bomb, attacker.any_port)


_CLOSED = REFUSED | {CLOSED}
ATTACKS = (
    # 200 and 302: the regular responses of paths that do not read the header.
    Attack("junk headers", junk_headers, 3, _CLOSED | {200, 302, 304, 417}),
    Attack("costly Content-Type", content_types, 3),
    # 505: an HTTP version, 501: a method or coding that gunicorn does not support.
    Attack("bytes that are not HTTP", not_http, 3, _CLOSED | {200, 501, 505}),
    Attack("junk JSON", json_bodies, 2),
    Attack("junk forms", form_bodies, 2),
    Attack("junk chunks", chunked_bodies, 2, _CLOSED | {501}),
    Attack("compressed bodies", gzip_bombs, 2),
)
