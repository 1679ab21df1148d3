"""Keep responses within the limits of AWS: compress them, or replace them with an error.

Otherwise AWS would respond with a 502 that has neither our error nor the CORS headers.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable
from typing import Any
from wsgiref.headers import Headers

from django.utils.text import compress_string

from accounts.problems.catalog import error_body

from .lambda_event import request_headers
from .lambda_request import Application, StartResponse
from .platform_limits import platform_of

# Never HTML: a page can hold a CSRF token and text that an attacker chooses, and the compressed
# length would reveal the token (BREACH, https://breachattack.com).
_COMPRESSED_TYPES = ("application/json", "text/csv")
MIN_COMPRESSED_BYTES = 16 * 1024  # compressing less takes more time than it saves
_MAX_RANDOM_BYTES = 100  # as in django.middleware.gzip, against BREACH too
_WEIGHT = re.compile(r"q=(0(\.[0-9]{0,3})?|1(\.0{0,3})?)", re.IGNORECASE)
# Headers that describe the content, which an error replaces.
_CONTENT_HEADERS = re.compile(r"(?i)content-(?!security)|etag|last-modified|cache-control|expires")

_log = logging.getLogger(__name__)


def weight(accept_encoding: str, coding: str, default: float) -> float:
    """Return the weight of `coding` in Accept-Encoding (RFC 9110 section 12.5.3).

    0 means that the client does not accept it. If the header lists neither `coding` nor `*`, the
    weight is `default`.
    """
    weights: dict[str, float] = {}
    for item in accept_encoding.lower().split(","):
        name, _, parameter = (part.strip() for part in item.partition(";"))
        number = _WEIGHT.fullmatch(parameter or "q=1")
        weights[name.removeprefix("x-")] = float(number[1]) if number else 0
    return weights.get(coding, weights.get("*", default))


class CompressedResponse:
    """WSGI middleware that compresses the API's JSON and CSV with gzip.

    A compressed response gets a weak entity tag (RFC 9110 section 8.8.3.3), because its bytes
    differ each time.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        started: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            started[:] = status, headers, exc_info
            return written.append

        written: list[bytes] = []
        pieces = self._application(environ, start)
        try:
            body = b"".join([*written, *pieces])
        finally:
            getattr(pieces, "close", lambda: None)()
        status, pairs, exc_info = started
        headers = Headers(pairs)
        if status.startswith("304"):
            _use_tag_of_client(headers, environ.get("HTTP_IF_NONE_MATCH", ""))
        elif _is_compressible(headers):
            _vary(headers)
            body = _compress(headers, body, environ.get("HTTP_ACCEPT_ENCODING", ""))
        start_response(status, headers.items(), exc_info)
        return [body]


def _is_compressible(headers: Headers) -> bool:
    media_type = (headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    return media_type in _COMPRESSED_TYPES and "Content-Encoding" not in headers


def _compress(headers: Headers, body: bytes, accept_encoding: str) -> bytes:
    is_required = weight(accept_encoding, "identity", 1) == 0
    is_worth_it = is_required or len(body) >= MIN_COMPRESSED_BYTES
    if not body or not is_worth_it or weight(accept_encoding, "gzip", 0) == 0:
        return body
    compressed: bytes = compress_string(body, max_random_bytes=_MAX_RANDOM_BYTES)
    # Lambda encodes compressed bodies in base64, which adds a third.
    if len(compressed) * 4 > len(body) * 3 and not is_required:
        return body
    headers["Content-Encoding"] = "gzip"
    if "Content-Length" in headers:
        headers["Content-Length"] = str(len(compressed))
    etag = headers.get("ETag") or ""
    if etag.startswith('"'):
        headers["ETag"] = f"W/{etag}"
    return compressed


def _use_tag_of_client(headers: Headers, if_none_match: str) -> None:
    """Give a 304 the weak entity tag of the compressed response that the client has stored."""
    etag = headers.get("ETag") or ""
    if etag.startswith('"'):
        _vary(headers)
        if f"W/{etag}" in if_none_match:
            headers["ETag"] = f"W/{etag}"


def _vary(headers: Headers) -> None:
    """Add Accept-Encoding to Vary. Uncompressed responses depend on it too."""
    names = [name.strip() for name in (headers.get("Vary") or "").split(",") if name.strip()]
    if not {"*", "accept-encoding"} & {name.lower() for name in names}:
        headers["Vary"] = ", ".join([*names, "Accept-Encoding"])


def fit(response: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    """Return `response`, or an error if it exceeds the limit of the platform that sent `event`.

    The response to HEAD is the response to GET without the body (RFC 9110 section 9.3.2).
    """
    limit = platform_of(event).max_response_bytes
    # No character takes more than 12 bytes: two escapes such as \\ud83d.
    if limit and len(response["body"]) * 12 > limit // 2:
        # The runtime for Python 3.11 escapes like this; later runtimes escape less.
        size = len(json.dumps(response))
        if size > limit:
            response = _too_large(response, event, size, limit)
    return response | {"body": ""} if _method(event) == "HEAD" else response


def _too_large(
    response: dict[str, Any], event: dict[str, Any], size: int, limit: int
) -> dict[str, Any]:
    platform = platform_of(event).name
    _log.warning("A response of %d bytes is too large for the %s.", size, platform)
    status = response["statusCode"]
    detail = (
        f"The response, with status {status}, has {size:,} bytes. The limit of the {platform} is"
        f" {limit:,}. Request less at once: with limit= for a page of a list, or with a filter for"
        " a CSV file. Or send Accept-Encoding: gzip."
    )
    is_page = "text/html" in ",".join(request_headers(event).get("accept", ()))
    content_type = "text/plain; charset=utf-8" if is_page else "application/json"
    body = f"{detail}\n" if is_page else json.dumps(error_body(detail, "response_too_large"))
    # Not a 4xx for a method that changes data: the change has been made.
    new_status = 400 if _method(event) in ("GET", "HEAD") else 500
    error = response | {
        "statusCode": status if status >= 400 else new_status,
        "body": body,
        "isBase64Encoded": False,
    }
    for member in {"headers", "multiValueHeaders"} & response.keys():
        headers = {k: v for k, v in response[member].items() if not _CONTENT_HEADERS.match(k)}
        for name, value in (("content-type", content_type), ("cache-control", "no-store")):
            headers[name] = value if member == "headers" else [value]
        error[member] = headers
    return error


def _method(event: dict[str, Any]) -> str:
    return str(event.get("httpMethod") or event["requestContext"]["http"]["method"])
