"""Read an event of AWS Lambda: check that it is an HTTP request, and return its headers.

Payloads: https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html (HTTP API 2.0, REST
1.0), urls-invocation.html (function URL) and services-alb.html.
"""

from __future__ import annotations

import json
import logging
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from accounts.problems.catalog import error_body

# nginx and gunicorn drop every other name as well.
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
# An event for a Lambda authorizer looks like a request, but expects a policy in return.
_AUTHORIZER = {"methodArn", "routeArn"}
_TEXTS = {"body", "httpMethod", "path", "rawPath", "rawQueryString", "resource", "routeKey"}
_SEVERAL_TEXTS = {"cookies", "headers", "multiValueHeaders", "multiValueQueryStringParameters",
                  "pathParameters", "queryStringParameters"}  # fmt: skip
_CONTEXT_TEXTS = {"domainName", "path", "stage"}
_NO_REQUEST = (
    "This event is not an HTTP request of an HTTP API, a REST API, a function URL or a load"
    " balancer."
)

_log = logging.getLogger(__name__)


def http_request(event: object) -> dict[str, Any] | None:
    """Return `event` with every member that apig-wsgi reads, or None if it is not HTTP.

    Schedules, warm-up calls, queues, WebSocket messages and Lambda authorizers send no HTTP
    request. Members that are null count as missing.
    """
    if not isinstance(event, dict) or _AUTHORIZER & event.keys():
        return None
    request = _without_nulls({"requestContext": {}} | event)
    if not isinstance(request["requestContext"], dict):
        return None
    context = request["requestContext"] = _without_nulls(request["requestContext"])
    if "elb" in context or request.get("version", "1.0") == "1.0":
        essentials = {"httpMethod", "path"} <= request.keys()
    elif request["version"] == "2.0" and isinstance(context.get("http"), dict):
        http = {"protocol": "HTTP/1.1", "sourceIp": "", **_without_nulls(context["http"])}
        request = {"headers": {}, "cookies": [], "rawQueryString": "", **request}
        request["requestContext"] = context | {"http": http}
        essentials = "rawPath" in request and "method" in http and _is_texts(http)
    else:
        return None
    return request if essentials and _has_types(request) and _has_body(request) else None


def _without_nulls(members: dict[str, Any]) -> dict[str, Any]:
    # `elb` marks a load balancer even if its value is null.
    return {name: value for name, value in members.items() if value is not None or name == "elb"}


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_texts(value: object) -> bool:
    """Return True if `value` is a list of texts, or a mapping of texts to texts or such lists."""
    if isinstance(value, dict):
        lists = [_as_list(item) for item in value.values()]
        return _is_texts([*value]) and all(texts and _is_texts(texts) for texts in lists)
    return isinstance(value, list) and all(map(_is_text, value))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _has_types(request: dict[str, Any]) -> bool:
    """Return False if a member that is read later is not of the type that AWS documents."""
    context = request["requestContext"]
    return (
        all(_is_text(request[name]) for name in _TEXTS & request.keys())
        and all(_is_texts(request[name]) for name in _SEVERAL_TEXTS & request.keys())
        and all(_is_text(context[name]) for name in _CONTEXT_TEXTS & context.keys())
        and isinstance(context.get("identity", {}), dict)
    )


def _has_body(request: dict[str, Any]) -> bool:
    """Return False if `isBase64Encoded` is set but the body is not valid base64."""
    try:
        if request.get("isBase64Encoded"):
            b64decode(request.get("body", ""))
    except ValueError:
        return False
    return True


def request_headers(event: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the values of each header by its lower-case name, in the encoding of WSGI.

    Names with an underscore are left out: in an environ, `X_Forwarded_For` and `X-Forwarded-For`
    are the same name, so a client could replace a header that only AWS may set. Names outside of
    ASCII are left out too: a few letters become ASCII in upper case.
    """
    headers: dict[str, list[str]] = {}
    for name, value in (event.get("multiValueHeaders") or event.get("headers") or {}).items():
        if _HEADER_NAME.fullmatch(name):
            headers.setdefault(name.lower(), []).extend(map(to_wsgi, _as_list(value)))
    # HTTP/2 clients may send several Cookie headers (RFC 9113 section 8.2.3).
    if cookies := [*map(to_wsgi, event.get("cookies") or ()), *headers.pop("cookie", ())]:
        headers["cookie"] = ["; ".join(cookies)]
    return headers


def to_wsgi(text: str) -> str:
    """Return `text` as PEP 3333 represents it: each character is one byte."""
    return text.encode(errors="replace").decode("iso-8859-1")


def no_request(event: object) -> dict[str, Any]:
    """Return the response to an event that is not an HTTP request, such as a warm-up call.

    The status is 200, so that the invocation does not count as failed. It is 400 if an API sent the
    event, so that for example a WebSocket connection is refused.
    """
    members = sorted(map(str, event)) if isinstance(event, dict) else type(event).__name__
    _log.info("Not an HTTP request: an event with %s", members)
    return {
        "statusCode": 400 if "requestContext" in members else 200,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(error_body(_NO_REQUEST, "no_request")),
        "isBase64Encoded": False,
    }
