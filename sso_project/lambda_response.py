"""Make responses small enough for AWS: compress them if the client allows it, else refuse them.

Without this, AWS answers with a 502 that has neither our error nor the CORS headers.
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

# Never pages: they hold a CSRF token next to text that an attacker can choose, and the compressed
# length would reveal the token (BREACH, https://breachattack.com).
_COMPRESSED_TYPES = ("application/json", "text/csv")
MIN_COMPRESSED_BYTES = 16 * 1024  # below it, the time costs more than the bytes
_MAX_RANDOM_BYTES = 100  # as django.middleware.gzip has them, also against BREACH
_WEIGHT = re.compile(r"q=(0(\.[0-9]{0,3})?|1(\.0{0,3})?)", re.IGNORECASE)
# Headers that describe the content which a refusal replaces.
_OF_CONTENT = re.compile(r"(?i)content-(?!security)|etag|last-modified|cache-control|expires")

_log = logging.getLogger(__name__)


def weight(accept_encoding: str, coding: str, default: float) -> float:
    """Return the weight of `coding` in Accept-Encoding (RFC 9110 section 12.5.3), 0 if refused.

    `default` is for a header that lists neither `coding` nor `*`.
    """
    weights: dict[str, float] = {}
    for item in accept_encoding.lower().split(","):
        name, _, parameter = (part.strip() for part in item.partition(";"))
        number = _WEIGHT.fullmatch(parameter or "q=1")
        weights[name.removeprefix("x-")] = float(number[1]) if number else 0
    return weights.get(coding, weights.get("*", default))


class CompressedResponse:
    """WSGI middleware that compresses the API's JSON and CSV with gzip.

    A compressed response gets a weak entity tag (RFC 9110 section 8.8.3.3): its bytes differ from
    one response to the next.
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
    # Lambda takes it in base64, which is a third longer.
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
    """Give a 304 the weak tag that the response which the client has stored came with."""
    etag = headers.get("ETag") or ""
    if etag.startswith('"'):
        _vary(headers)
        if f"W/{etag}" in if_none_match:
            headers["ETag"] = f"W/{etag}"


def _vary(headers: Headers) -> None:
    """Say that the response depends on Accept-Encoding, whether it is compressed or not."""
    names = [name.strip() for name in (headers.get("Vary") or "").split(",") if name.strip()]
    if not {"*", "accept-encoding"} & {name.lower() for name in names}:
        headers["Vary"] = ", ".join([*names, "Accept-Encoding"])


def fit(response: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    """Return `response`, or an error in its place if it is too large for what sent `event`.

    The response to a HEAD request is that to GET, without the body (RFC 9110 section 9.3.2).
    """
    limit = platform_of(event).max_response_bytes
    # No character takes more than 12 bytes: two escapes such as \\ud83d.
    if limit and len(response["body"]) * 12 > limit // 2:
        # As Lambda writes it for Python 3.11. Later versions escape less.
        size = len(json.dumps(response))
        if size > limit:
            response = _refuse(response, event, size, limit)
    return response | {"body": ""} if _method(event) == "HEAD" else response


def _refuse(
    response: dict[str, Any], event: dict[str, Any], size: int, limit: int
) -> dict[str, Any]:
    platform = platform_of(event).name
    _log.warning("A response of %d bytes is too large for the %s.", size, platform)
    status = response["statusCode"]
    detail = (
        f"The response, with status {status}, takes {size:,} bytes, and the {platform} passes on"
        f" {limit:,} at most. Request fewer rows at once: with limit= for pages, with a filter for"
        " a CSV. Or send Accept-Encoding: gzip."
    )
    is_page = "text/html" in ",".join(request_headers(event).get("accept", ()))
    kind = "text/plain; charset=utf-8" if is_page else "application/json"
    body = f"{detail}\n" if is_page else json.dumps(error_body(detail, "response_too_large"))
    # What changes data was carried out, so a client must not take this for its own mistake.
    new_status = 400 if _method(event) in ("GET", "HEAD") else 500
    refused = response | {
        "statusCode": status if status >= 400 else new_status,
        "body": body,
        "isBase64Encoded": False,
    }
    for member in {"headers", "multiValueHeaders"} & response.keys():
        headers = {k: v for k, v in response[member].items() if not _OF_CONTENT.match(k)}
        for name, value in (("content-type", kind), ("cache-control", "no-store")):
            headers[name] = value if member == "headers" else [value]
        refused[member] = headers
    return refused


def _method(event: dict[str, Any]) -> str:
    return str(event.get("httpMethod") or event["requestContext"]["http"]["method"])
