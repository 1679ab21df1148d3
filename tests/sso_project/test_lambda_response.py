"""Responses on AWS Lambda: compression, and the size limits of the platforms."""

import gzip
import json
from base64 import b64decode, b64encode
from random import Random

import pytest
from apig_wsgi import make_lambda_handler

from sso_project.lambda_request import LambdaRequest
from sso_project.lambda_response import MIN_COMPRESSED_BYTES, CompressedResponse, fit, weight
from sso_project.platform_limits import platform_of
from tests.sso_project.lambda_events import function_url, http_api, load_balancer, rest_api

FRONTS = {"HTTP API": http_api, "function URL": function_url, "REST API": rest_api,
          "load balancer": load_balancer}  # fmt: skip
every_front = pytest.mark.parametrize("front", FRONTS.values(), ids=FRONTS)
GZIP = {"accept-encoding": "gzip, deflate, br"}
LONG = "x" * MIN_COMPRESSED_BYTES


def respond(event, body, *headers, status="200 OK", kind="application/json"):
    """Handle `event` with an application that returns `body`."""

    def application(environ, start_response):
        start_response(status, [("Content-Type", kind), *headers])
        return [body.encode() if isinstance(body, str) else body]

    adapter = make_lambda_handler(
        LambdaRequest(CompressedResponse(application)),
        binary_support=True,
        non_binary_content_type_prefixes=["text/", "application/json"],
    )
    return fit(adapter(event, None), event)


def headers_of(response):
    single = {name: [value] for name, value in response.get("headers", {}).items()}
    headers = response.get("multiValueHeaders", single)
    return {name.lower(): values[-1] for name, values in headers.items()}


def body_of(response):
    body = response["body"]
    content = b64decode(body) if response["isBase64Encoded"] else body.encode()
    if headers_of(response).get("content-encoding") == "gzip":
        content = gzip.decompress(content)
    return content.decode()


@every_front
@pytest.mark.parametrize("kind", ["application/json", "text/csv; charset=utf-8", "Text/CSV"])
def test_data_is_compressed_if_the_client_accepts_it(front, kind):
    response = respond(front("/", headers=GZIP), LONG, kind=kind)
    assert headers_of(response)["content-encoding"] == "gzip"
    assert response["isBase64Encoded"] is True
    assert len(response["body"]) < MIN_COMPRESSED_BYTES / 10
    assert body_of(response) == LONG


@every_front
def test_data_is_not_compressed_for_other_clients(front):
    response = respond(front("/"), LONG)
    assert "content-encoding" not in headers_of(response)
    assert (response["isBase64Encoded"], response["body"]) == (False, LONG)
    assert headers_of(response)["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "text/plain", "", "image/png"])
def test_pages_are_never_compressed(kind):
    response = respond(http_api("/", headers=GZIP), LONG, kind=kind)
    assert {"content-encoding", "vary"} & headers_of(response).keys() == set()


def test_short_or_incompressible_data_is_not_compressed():
    noise = b64encode(Random(1).randbytes(2 * MIN_COMPRESSED_BYTES)).decode()
    for body in (LONG[1:], "", noise):
        assert "content-encoding" not in headers_of(respond(http_api("/", headers=GZIP), body))


def test_encoded_data_is_not_compressed_again():
    event = http_api("/", headers=GZIP)
    response = respond(event, LONG, ("Content-Encoding", "br"))
    assert headers_of(response)["content-encoding"] == "br"


def test_compressed_length_is_random():
    sizes = {len(respond(http_api("/", headers=GZIP), LONG)["body"]) for _ in range(20)}
    assert len(sizes) > 1


def test_content_length_is_that_of_the_compressed_body():
    response = respond(http_api("/", headers=GZIP), LONG, ("Content-Length", str(len(LONG))))
    assert headers_of(response)["content-length"] == str(len(b64decode(response["body"])))


@pytest.mark.parametrize(
    ("vary", "expected"),
    [("Cookie", "Cookie, Accept-Encoding"), ("accept-encoding", "accept-encoding"), ("*", "*"),
     ("origin, Cookie", "origin, Cookie, Accept-Encoding")],
)  # fmt: skip
def test_vary_keeps_its_other_headers(vary, expected):
    response = respond(http_api("/", headers=GZIP), LONG, ("Vary", vary))
    assert headers_of(response)["vary"] == expected


@pytest.mark.parametrize(
    ("header", "gzip_weight", "identity_weight"),
    [("", 0, 1), ("gzip", 1, 1), ("GZIP", 1, 1), ("x-gzip", 1, 1), ("br", 0, 1), ("*", 1, 1),
     ("gzip;q=0", 0, 1), ("gzip;q=0.000", 0, 1), ("gzip; q=0", 0, 1), ("gzip;Q=0", 0, 1),
     ("gzip;q=0, *", 0, 1), ("*;q=0", 0, 0), ("*;q=0, gzip", 1, 0), ("gzip;q=0.5, *;q=0", 0.5, 0),
     ("identity;q=0", 0, 0), ("gzip, identity;q=0", 1, 0), ("br, gzip ;q=0.001", 0.001, 1),
     ("gzip;q=2", 0, 1), ("gzip;q=-1", 0, 1), ("gzip;q=nan", 0, 1), ("gzip;q=", 0, 1),
     ("gzip;level=9", 0, 1), ("gzipped", 0, 1), ("no-gzip", 0, 1), (",,;,", 0, 1)],
)  # fmt: skip
def test_accept_encoding_has_weights(header, gzip_weight, identity_weight):
    assert weight(header, "gzip", 0) == gzip_weight
    assert weight(header, "identity", 1) == identity_weight


def test_short_data_is_compressed_if_the_client_requires_it():
    event = http_api("/", headers={"accept-encoding": "gzip, identity;q=0"})
    response = respond(event, "{}")
    assert headers_of(response)["content-encoding"] == "gzip"
    assert body_of(response) == "{}"


def test_tag_of_a_compressed_response_is_weak():
    tag = ("ETag", '"5-abc"')
    assert headers_of(respond(http_api("/"), LONG, tag))["etag"] == '"5-abc"'
    event = http_api("/", headers=GZIP)
    assert headers_of(respond(event, LONG, tag))["etag"] == 'W/"5-abc"'
    assert headers_of(respond(event, LONG, ("ETag", 'W/"5-abc"')))["etag"] == 'W/"5-abc"'


@pytest.mark.parametrize(("sent", "tag"), [('W/"5-abc"', 'W/"5-abc"'), ('"5-abc"', '"5-abc"')])
def test_not_modified_has_the_tag_that_the_client_sent(sent, tag):
    event = http_api("/", headers={**GZIP, "if-none-match": f'"4", {sent}'})
    response = respond(event, "", ("ETag", '"5-abc"'), status="304 Not Modified")
    assert headers_of(response)["etag"] == tag
    assert headers_of(response)["vary"] == "Accept-Encoding"
    assert response["body"] == ""


def test_head_has_the_headers_of_get_and_no_body():
    get, head = (respond(http_api("/", method=m, headers=GZIP), LONG, ("ETag", '"5"'))
                 for m in ("GET", "HEAD"))  # fmt: skip
    assert head == {**get, "body": ""}


def largest(front, character="x", **request):
    """Return the longest text of `character` within the response limit of `front`."""
    event = front("/", **request)
    overhead = len(json.dumps(respond(event, "", kind="text/plain")))
    limit = platform_of(event).max_response_bytes
    return character * ((limit - overhead) // (len(json.dumps(character)) - 2))


@every_front
@pytest.mark.parametrize("character", ["x", '"', "\n", "\x01", "é", "€", "😀", "\\"])
def test_response_at_the_limit_passes_and_a_larger_one_does_not(front, character):
    body = largest(front, character)
    response = respond(front("/"), body, kind="text/plain")
    limit = platform_of(front("/")).max_response_bytes
    assert limit - 12 < len(json.dumps(response)) <= limit
    assert response["statusCode"] == 200
    assert respond(front("/"), body + character, kind="text/plain")["statusCode"] == 400


@every_front
def test_binary_response_is_measured_as_base64(front):
    limit = platform_of(front("/")).max_response_bytes
    body = bytes(limit * 3 // 4)
    assert len(json.dumps(respond(front("/"), body, kind="image/png"))) < 5000
    assert respond(front("/"), body[:-4000], kind="image/png")["statusCode"] == 200


@every_front
def test_response_that_is_too_large_becomes_an_error(front, caplog):
    copied = [("Access-Control-Allow-Origin", "https://spa.example.com"), ("X-Request-ID", "0123"),
            ("Content-Security-Policy", "default-src 'none'"), ("Set-Cookie", "a=1"),
            ("Vary", "origin"), ("Access-Control-Expose-Headers", "ETag")]  # fmt: skip
    dropped = [("ETag", '"5"'), ("Content-Disposition", "attachment"), ("Content-Length", "9"),
               ("Cache-Control", "max-age=60")]  # fmt: skip
    response = respond(front("/"), largest(front) + "xx", *copied, *dropped)
    headers = headers_of(response)
    assert response["statusCode"] == 400
    assert headers["content-type"] == "application/json"
    assert headers["cache-control"] == "no-store"
    assert {"etag", "content-disposition", "content-length"} & headers.keys() == set()
    assert headers["access-control-allow-origin"] == "https://spa.example.com"
    assert headers["x-request-id"] == "0123"
    assert "default-src" in headers["content-security-policy"]
    assert "a=1" in [*response.get("cookies", ()), headers.get("set-cookie")]
    body = json.loads(response["body"])
    assert set(body) == {"detail", "code", "error"}
    assert body["code"] == "response_too_large"
    assert "limit=" in body["detail"]
    assert "too large" in caplog.text


def test_browser_gets_the_error_as_text():
    event = load_balancer("/", headers={"accept": "text/html,*/*;q=0.8"})
    response = respond(event, largest(load_balancer) + "x" * 99)
    assert headers_of(response)["content-type"] == "text/plain; charset=utf-8"
    assert "limit=" in response["body"]


@pytest.mark.parametrize(
    ("method", "status", "sent"),
    [("GET", "200 OK", 400), ("HEAD", "200 OK", 400), ("GET", "503 Unavailable", 503),
     ("POST", "400 Bad Request", 400), ("POST", "200 OK", 500), ("PATCH", "200 OK", 500)],
)  # fmt: skip
def test_status_is_a_server_error_for_methods_that_change_data(method, status, sent):
    event = load_balancer("/", method=method)
    response = respond(event, largest(load_balancer) + "x", status=status)
    assert response["statusCode"] == sent
