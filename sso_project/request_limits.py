"""The limits of a request, checked in its headers before Django parses them.

`headers` is a WSGI environ, or ASGI headers under the names of one (`HTTP_ACCEPT`, `CONTENT_TYPE`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from accounts.cognito.token_parsing import MAX_TOKEN_LENGTH

MAX_HEADER_BYTES = 8192
# For headers that Django, DRF or WhiteNoise parse, some of them in more than linear time.
MAX_PARSED_HEADER_BYTES = 1024
# Enough for ten sign-in attempts, a session and the cookies of other sites of the domain.
MAX_COOKIE_BYTES = 16_384
# Python before 3.11.10 decodes escaped cookie values in quadratic time (CVE-2024-7592).
MAX_COOKIE_BACKSLASHES = 64
MAX_TOKEN_HEADER_BYTES = MAX_TOKEN_LENGTH + len("Bearer ")

_PARSED = re.compile(
    r"(HTTP_)?CONTENT_\w+|HTTP_(ACCEPT\w*|ACCESS_CONTROL_\w+|CONNECTION|EXPECT|FORWARDED|HOST|IF_\w+"
    r"|ORIGIN|RANGE|SEC_FETCH_\w+|TE|TRANSFER_ENCODING|X_CSRFTOKEN|X_FORWARDED_\w+|X_REQUEST_ID"
    r"|X_REQUESTED_WITH)"
)
_TCHARS = r"[!#$%&'+.^`|~\w-]+"  # RFC 9110 section 5.6.2, without the * of RFC 8187
# RFC 9110 section 8.3.1, but an unquoted boundary may hold the characters of a quoted one.
_QUOTED, _PLAIN = r'"[\t !#-\[\]-~]*"', r"[!#-+\--:<-\[\]-~]+"
_CONTENT_TYPE = re.compile(
    rf"{_TCHARS}/{_TCHARS}([ \t]*;([ \t]*{_TCHARS}=({_QUOTED}|{_PLAIN}))?)*[ \t]*", re.ASCII
)
_CHARSET = re.compile(r';[ \t]*charset="?([^\s;"]*)', re.IGNORECASE)
# Some of Python's other codecs (idna, punycode) take quadratic time.
_CHARSETS = {"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin-1", "windows-1252"}
_LENGTH = re.compile(r"[0-9]{1,15}", re.ASCII)


@dataclass(frozen=True)
class Refusal:
    """The response to a refused request, with `code` and `detail` as in errors of the API."""

    status: int
    code: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)


def max_header_bytes(name: str) -> int:
    """Return the maximum length of the header with the WSGI name `name`."""
    if _PARSED.fullmatch(name):
        return MAX_PARSED_HEADER_BYTES
    if name == "HTTP_COOKIE":
        return MAX_COOKIE_BYTES
    if name == "HTTP_AUTHORIZATION":
        return MAX_TOKEN_HEADER_BYTES
    if name in ("HTTP_X_ACCESS_TOKEN", "HTTP_X_REFRESH_TOKEN") and settings.SPA_COMPAT:
        return MAX_TOKEN_HEADER_BYTES
    return MAX_HEADER_BYTES


def max_body_bytes(path: str) -> int:
    """Return the maximum length of a request body for `path`."""
    is_large = re.fullmatch(settings.LARGE_BODY_PATHS, path)
    limit: int = settings.MAX_LARGE_BODY_BYTES if is_large else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return limit


def is_chunked(headers: Mapping[str, Any]) -> bool:
    return bool(headers.get("HTTP_TRANSFER_ENCODING", ""))


def body_length(headers: Mapping[str, Any]) -> int:
    """Return Content-Length, or 0 if there is none. `check_headers` ensures that it is a number."""
    return int(headers.get("CONTENT_LENGTH") or 0)


def check_headers(headers: Mapping[str, Any], path: str) -> Refusal | None:
    """Return the refusal of a request to `path`, or None if its headers are acceptable."""
    for name, value in headers.items():
        # Most headers are short, and no limit is lower than this one.
        if (
            (name.startswith("HTTP_") or name in ("CONTENT_TYPE", "CONTENT_LENGTH"))
            and len(value) > MAX_PARSED_HEADER_BYTES
            and len(value) > (limit := max_header_bytes(name))
        ):
            title = name.removeprefix("HTTP_").replace("_", "-").title()
            detail = f"The header {title} is longer than {limit:,} bytes. Send a shorter one."
            return Refusal(431, "header_too_large", detail)  # RFC 6585 section 5
    if headers.get("HTTP_COOKIE", "").count("\\") > MAX_COOKIE_BACKSLASHES:
        detail = "The header Cookie has too many backslashes. Delete this site's cookies."
        return Refusal(400, "malformed_cookie", detail)
    return _check_content_type(headers) or _check_body(headers, path)


def _check_content_type(headers: Mapping[str, Any]) -> Refusal | None:
    value = headers.get("CONTENT_TYPE", "")
    if not value:
        return None
    if not _CONTENT_TYPE.fullmatch(value):
        detail = "The header Content-Type is malformed. Send one like application/json."
        return Refusal(400, "malformed_content_type", detail)
    for charset in _CHARSET.findall(value):
        if charset.lower() not in _CHARSETS:
            detail = "This charset is not supported. Send the body as UTF-8."
            return Refusal(415, "unsupported_charset", detail)
    return None


def _check_body(headers: Mapping[str, Any], path: str) -> Refusal | None:
    length = headers.get("CONTENT_LENGTH", "")
    if length and not _LENGTH.fullmatch(length):
        detail = "The header Content-Length is not a number of bytes."
        return Refusal(400, "malformed_content_length", detail)
    chunked = is_chunked(headers)
    if chunked and headers["HTTP_TRANSFER_ENCODING"].strip().lower() != "chunked":
        detail = "The only transfer coding that this server decodes is chunked."
        return Refusal(501, "unsupported_transfer_encoding", detail)  # RFC 9112 section 6.1
    if not chunked and not body_length(headers):
        return None
    coding = headers.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if coding not in ("", "identity"):
        detail = "This server does not decode compressed request bodies. Send it uncompressed."
        accepted = {"Accept-Encoding": "identity"}  # RFC 9110 section 15.5.16
        return Refusal(415, "unsupported_encoding", detail, accepted)
    if body_length(headers) > (limit := max_body_bytes(path)):
        return too_large(limit)
    return None


def too_large(limit: int) -> Refusal:
    detail = f"The request body is larger than {limit / 1024 / 1024:g} MB. Send a smaller one."
    return Refusal(413, "too_large", detail)
