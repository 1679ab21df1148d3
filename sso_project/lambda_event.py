"""Read what an event on AWS Lambda says: whether it is an HTTP request, and its headers.

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

# nginx and gunicorn drop every other name as well.
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
# An authorizer's event looks like a request, but expects a policy in return.
_AUTHORIZER = {"methodArn", "routeArn"}
_NO_REQUEST = (
    "No request: this event is not an HTTP request of an HTTP API, a REST API, a function URL or a"
    " load balancer."
)

_log = logging.getLogger(__name__)


def http_request(event: object) -> dict[str, Any] | None:
    """Return `event` with every member that apig-wsgi reads, or None if it is no HTTP request.

    Schedules, warm-up calls, queues, WebSocket messages and Lambda authorizers send no HTTP
    request. Members that are null count as missing.
    """
    if not isinstance(event, dict) or _AUTHORIZER & event.keys():
        return None
    request = {name: value for name, value in event.items() if value is not None}
    context = request.setdefault("requestContext", {})
    if not isinstance(context, dict):
        return None
    if "elb" in context or request.get("version", "1.0") == "1.0":
        essentials = [request.get("httpMethod"), request.get("path")]
    elif request["version"] == "2.0" and isinstance(context.get("http"), dict):
        http = {"protocol": "HTTP/1.1", "sourceIp": "", **context["http"]}
        request["requestContext"] = context | {"http": http}
        request = {"headers": {}, "cookies": [], "rawQueryString": "", **request}
        essentials = [http.get("method"), request.get("rawPath")]
    else:
        return None
    is_request = all(isinstance(text, str) for text in essentials)
    return request if is_request and _is_body_readable(request) else None


def _is_body_readable(event: Mapping[str, Any]) -> bool:
    body = event.get("body", "")
    try:
        if event.get("isBase64Encoded"):
            b64decode(body)
    except (TypeError, ValueError):
        return False
    return isinstance(body, str)


def request_headers(event: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the values of each header, by its name in lower case.

    A name with an underscore is left out: WSGI writes `X_Forwarded_For` and `X-Forwarded-For`
    alike, so with the first a client could replace the second, which only AWS may set. A few
    letters beyond ASCII become ASCII in upper case, so their names are left out as well.
    """
    headers: dict[str, list[str]] = {}
    for name, value in (event.get("multiValueHeaders") or event.get("headers") or {}).items():
        values = [text for text in _as_list(value) if isinstance(text, str)]
        if values and _HEADER_NAME.fullmatch(name):
            headers.setdefault(name.lower(), []).extend(values)
    # HTTP/2 clients may send several Cookie headers (RFC 9113 section 8.2.3).
    if cookies := [*(event.get("cookies") or ()), *headers.pop("cookie", ())]:
        headers["cookie"] = ["; ".join(cookies)]
    return headers


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def no_request(event: object) -> dict[str, Any]:
    """Return the response to an event that is no HTTP request, such as a warm-up call.

    The status is 200, so that no invocation counts as failed. It is 400 for what comes from an API,
    such as a WebSocket connection, so that it is not accepted.
    """
    members = sorted(map(str, event)) if isinstance(event, dict) else type(event).__name__
    _log.info("No request: an event with %s", members)
    body = {"detail": _NO_REQUEST, "code": "no_request", "error": _NO_REQUEST}
    return {
        "statusCode": 400 if "requestContext" in members else 200,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }
