"""A WSGI guard before Django: it refuses what no view could want before Django parses it.

A refused request still passes through Django, without its body and without the headers that are
too large. So the response has a request ID, a line in the log, metrics and CORS headers like any
other; `RefusalMiddleware` makes it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from accounts.problems.catalog import INCOMPLETE_BODY, error_body

from .request_limits import (
    MAX_PARSED_HEADER_BYTES,
    Refusal,
    body_length,
    check_headers,
    is_chunked,
    max_body_bytes,
    too_large,
)

REFUSAL = "sso_project.refusal"
INCOMPLETE = Refusal(400, INCOMPLETE_BODY.code, INCOMPLETE_BODY.detail)
TIMED_OUT = Refusal(408, "timeout", "The body took too long to arrive. Send it again.")
LENGTH_REQUIRED = Refusal(
    411, "length_required", "This server needs to know the size of a body. Send Content-Length."
)
_KEPT = ("HTTP_HOST", "HTTP_ORIGIN", "HTTP_ACCEPT", "HTTP_X_FORWARDED_", "HTTP_X_REQUEST_ID")

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class RequestGuard:
    """WSGI middleware that checks headers and bounds the body.

    Small bodies are read here, so that a view never sees half of one, and never an empty one in
    place of one without Content-Length. Large ones are left to the view, which reads them only
    after it has checked the user's permissions.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        refusal = check_headers(environ, environ.get("PATH_INFO", "")) or bound_body(environ)
        if refusal is not None:
            refuse(environ, refusal)
            environ.update({"wsgi.input": io.BytesIO(), "CONTENT_LENGTH": "0"})
        return self.application(environ, start_response)


def bound_body(environ: Environ) -> Refusal | None:
    """Replace the body with one that cannot exceed its limit or end early."""
    chunked, length = is_chunked(environ), body_length(environ)
    if not chunked and not length:
        return None
    # Only a server that marks the end of a body can be read to the end (PEP 3333 has no such mark;
    # `wsgi.input_terminated` is what gunicorn and others set).
    if chunked and not environ.get("wsgi.input_terminated"):
        return LENGTH_REQUIRED  # RFC 9110 section 15.5.12
    limit = max_body_bytes(environ.get("PATH_INFO", ""))
    stream = BoundedBody(environ["wsgi.input"], limit, None if chunked else length)
    small: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if limit > small and (chunked or length > small):
        environ["wsgi.input"] = stream
        if chunked:  # Django reads no further than this; the stream ends, or raises, before
            environ["CONTENT_LENGTH"] = str(limit + 1)
        return None
    try:
        body = stream.read()
    except RequestDataTooBig:
        return too_large(limit)
    except TimeoutError:
        return TIMED_OUT
    except OSError:
        return INCOMPLETE
    environ.update({"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return None


class BoundedBody:
    """A stream of at most `limit` bytes; of exactly `length`, unless that is None.

    Raises:
        RequestDataTooBig: there are more bytes than `limit`.
        TimeoutError: the server gave up waiting for them.
        OSError: the body ended early, or its chunks are malformed.
    """

    def __init__(self, stream: Any, limit: int, length: int | None) -> None:
        self._stream = stream
        self._limit = limit
        self._length = length
        self._position = 0

    def read(self, size: int | None = -1) -> bytes:
        return self._take(self._stream.read, size)

    def readline(self, size: int | None = -1) -> bytes:
        return self._take(self._stream.readline, size)

    def _take(self, take: Callable[[int], bytes], size: int | None) -> bytes:
        end = self._limit + 1 if self._length is None else self._length
        left = end - self._position
        wanted = left if size is None or size < 0 else min(size, left)
        if not wanted:
            return b""
        try:
            piece = take(wanted)
        except OSError:
            raise
        except Exception as error:  # a server's own, such as gunicorn's InvalidHeader
            raise OSError("the body is malformed") from error
        self._position += len(piece)
        if self._position > self._limit:
            raise RequestDataTooBig("The request body is too large.")
        # A line may be short, a piece only at the end.
        is_end = not piece or (len(piece) < wanted and take == self._stream.read)
        if is_end and self._length is not None:
            raise OSError("the body ended early")
        return piece


def refuse(headers: MutableMapping[str, Any], refusal: Refusal) -> None:
    """Leave of a request only what its refusal needs, and note `refusal` in it."""
    for name in [name for name in headers if name.startswith(("HTTP_", "CONTENT_"))]:
        if not name.startswith(_KEPT) or len(headers[name]) > MAX_PARSED_HEADER_BYTES:
            del headers[name]
    headers[REFUSAL] = refusal


def refusal_of(request: HttpRequest) -> Refusal | None:
    """Return why the guard refused `request`, or None if it did not."""
    origin = getattr(request, "environ", None) or getattr(request, "scope", {})
    refusal: Refusal | None = origin.get(REFUSAL)
    return refusal


class RefusalMiddleware:
    """Respond to what the guard refused: JSON in the shape of the API, text for browsers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        refusal = refusal_of(request)
        if refusal is None:
            return self.get_response(request)
        response: HttpResponse
        if "text/html" in request.headers.get("Accept", "") and not request.path_info.startswith(
            "/api/"
        ):
            response = HttpResponse(f"{refusal.detail}\n", "text/plain; charset=utf-8")
        else:
            response = JsonResponse(error_body(refusal.detail, refusal.code))
        response.status_code = refusal.status
        for name, value in {**refusal.headers, "Cache-Control": "no-store"}.items():
            response.headers[name] = value
        return response
