"""Entity tags, and conditional requests (RFC 9110 section 13).

If-Modified-Since and If-Unmodified-Since are ignored, because no Last-Modified is sent (sections
13.1.3 and 13.1.4).
"""

import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any, TypeVar

from django.utils.http import parse_etags
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from ..models import Stat

ViewMethod = TypeVar("ViewMethod", bound=Callable[..., Any])

_HEADERS = ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH")
# Apache, Jetty and others add the coding to the entity tag of a response that they compress.
_CODING_SUFFIX = re.compile(r'(?:--?|[;:])(?:gzip|deflate|br|zstd)"\Z')


class PreconditionFailed(APIException):
    """A 412 (RFC 9110 section 15.5.13)."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_code = "precondition_failed"


def conditional(method: ViewMethod) -> ViewMethod:
    """Document that this method of a view evaluates conditions and returns an ETag."""
    method.openapi_conditional = "etag"  # type: ignore[attr-defined]
    return method


def conditional_without_etag(method: ViewMethod) -> ViewMethod:
    """Document that this method of a view evaluates conditions."""
    method.openapi_conditional = ""  # type: ignore[attr-defined]
    return method


def etag_of(stat: Stat) -> str:
    """Return the entity tag of a figure. Every change of the figure changes it.

    After a restored backup, other changes lead to the same version, but at another time.
    """
    return f'"{stat.pk}-{stat.version}-{stat.updated_at.timestamp():.6f}"'


def etag_of_list(revision: int, request: Request) -> str:
    """Return the entity tag of a list. It depends on the format and on the query string."""
    format_name = request.accepted_renderer.format if request.accepted_renderer else ""
    query = f"{format_name}?{request.META.get('QUERY_STRING', '')}"
    return f'"{revision}-{sha256(query.encode()).hexdigest()[:16]}"'


def is_conditional(request: Request) -> bool:
    """Return True if the request has If-Match or If-None-Match."""
    return any(name in request.META for name in _HEADERS)


def evaluate(request: Request, etag: str | None) -> bool:
    """Evaluate the conditions of a request, and return True if the response is a 304.

    `etag` is the current entity tag at the request's URL, or None if it has none. The order is that
    of RFC 9110 section 13.2.2.

    Raises:
        PreconditionFailed: a condition is false, and the response is not a 304.
    """
    if_match, if_none_match = (request.META.get(name) for name in _HEADERS)
    if if_match is not None and not _lists(if_match, etag):
        raise PreconditionFailed(_mismatch(request, etag))
    if if_none_match is None or not _lists(if_none_match, etag):
        return False
    if request.method in ("GET", "HEAD"):
        return True
    raise PreconditionFailed(
        f"If-None-Match excludes the current ETag, {etag}, so nothing was changed. Remove "
        "If-None-Match, or send If-Match to change a version that you know."
    )


def _lists(header: str, etag: str | None) -> bool:
    """Return True if there is an `etag`, and `header` is `*` or lists it.

    Our entity tags identify a version of the data. A tag that a proxy has made weak, or given a
    suffix, still identifies that version, so If-Match accepts it too. With the strong comparison of
    section 13.1.1, no client behind such a proxy could change a figure.
    """
    if etag is None:
        return False
    if header == etag:  # as most clients send it
        return True
    tags = parse_etags(header)
    return tags == ["*"] or etag in map(_normalize, tags)


def _normalize(tag: str) -> str:
    """Return `tag` as this site sent it, without the additions of a compressing proxy."""
    return _CODING_SUFFIX.sub('"', tag.removeprefix("W/"))


def _mismatch(request: Request, etag: str | None) -> str:
    if etag is None:
        return f"{request.path} has no ETag, so If-Match never matches. Remove If-Match."
    return (
        f"If-Match does not list the current ETag, {etag}, so nothing was changed. Fetch "
        f"{request.path} again to see its current state, then repeat the request with that ETag."
    )
