"""Entity tags, and the conditions on them that a request may name (RFC 9110 section 13).

No Last-Modified is sent, so If-Modified-Since and If-Unmodified-Since are ignored (sections 13.1.3
and 13.1.4).
"""

import re
from hashlib import sha256

from django.utils.http import parse_etags
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from ..models import Stat

_HEADERS = ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH")
# Apache, Jetty and others add the coding to the tag of a response that they compress.
_CODING_SUFFIX = re.compile(r'(?:--?|[;:])(?:gzip|deflate|br|zstd)"\Z')


class PreconditionFailed(APIException):
    """RFC 9110 section 15.5.13."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_code = "precondition_failed"


def etag_of(stat: Stat) -> str:
    """Return the entity tag of one figure. Every change of the figure changes it."""
    return f'"{stat.pk}-{stat.version}"'


def etag_of_list(revision: int, request: Request) -> str:
    """Return the entity tag of a list. It depends on the format and on the query string."""
    form = request.accepted_renderer.format if request.accepted_renderer else ""
    query = f"{form}?{request.META.get('QUERY_STRING', '')}"
    return f'"{revision}-{sha256(query.encode()).hexdigest()[:16]}"'


def is_conditional(request: Request) -> bool:
    """Return True if `evaluate` has something to evaluate."""
    return any(name in request.META for name in _HEADERS)


def evaluate(request: Request, etag: str | None) -> bool:
    """Return True if the response is a 304. Evaluate in the order of RFC 9110 section 13.2.2.

    `etag` is the current entity tag at the request's URL, or None if nothing can be fetched there.

    Raises PreconditionFailed.
    """
    if_match, if_none_match = (request.META.get(name) for name in _HEADERS)
    if if_match is not None and not _lists(if_match, etag):
        raise PreconditionFailed(_mismatch(request, etag))
    if if_none_match is None or not _lists(if_none_match, etag):
        return False
    if request.method in ("GET", "HEAD"):
        return True
    raise PreconditionFailed(
        f"If-None-Match rules out the current ETag, {etag}, so nothing was changed. Leave "
        "If-None-Match out, or send If-Match to change a version that you have seen."
    )


def _lists(header: str, etag: str | None) -> bool:
    """Return True if `header` is `*` or lists `etag`, and there is an `etag`.

    Our tags name a version of the data, and no change keeps its version. A tag that a proxy made
    weak or gave a suffix still names that version, so If-Match accepts it too: with the strong
    comparison of section 13.1.1 no client behind such a proxy could ever change a figure.
    """
    tags = parse_etags(header)
    return etag is not None and (tags == ["*"] or etag in map(_as_sent, tags))


def _as_sent(tag: str) -> str:
    """Return `tag` without what a compressing proxy adds to it."""
    return _CODING_SUFFIX.sub('"', tag.removeprefix("W/"))


def _mismatch(request: Request, etag: str | None) -> str:
    if etag is None:
        return f"{request.path} has no ETag, so If-Match never matches. Leave If-Match out."
    return (
        f"If-Match does not list the current ETag, {etag}, so nothing was changed. Fetch "
        f"{request.path} again to see its current state, then repeat the request with that ETag."
    )
