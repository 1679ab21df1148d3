"""A WSGI guard that refuses oversized and malformed requests before Django parses them.

A refused request still passes through Django, without its body and its oversized headers. So its
response has a request ID, a log line, metrics and CORS headers like any other. `RefusalMiddleware`
creates it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse

from accounts.core.event_loop import EventLoopMiddleware
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
TIMED_OUT = Refusal(408, "timeout", "The body took too long to arrive. Send the request again.")
LENGTH_REQUIRED = Refusal(
    411, "length_required", "This server requires the size of the body. Send Content-Length."
)
# The headers that a refusal needs, by the beginning of their names.
_ESSENTIAL = ("HTTP_HOST", "HTTP_ORIGIN", "HTTP_ACCEPT", "HTTP_X_FORWARDED_", "HTTP_X_REQUEST_ID")

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class RequestGuard:
    """WSGI middleware that checks the headers and limits the body.

    It reads small bodies, so that a view never gets part of a body, or an empty one in place of a
    body without Content-Length. The view reads a large body, after it has checked permissions.
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
    """Replace the body with one that cannot exceed its limit or end early.

    Return a refusal if the body is invalid, else None.
    """
    chunked, length = is_chunked(environ), body_length(environ)
    if not chunked and not length:
        return None
    # A body without a length can be read to its end only if the server says that it marks the end.
    # PEP 3333 has no such flag; gunicorn and others set `wsgi.input_terminated`.
    if chunked and not environ.get("wsgi.input_terminated"):
        return LENGTH_REQUIRED  # RFC 9110 section 15.5.12
    limit = max_body_bytes(environ.get("PATH_INFO", ""))
    stream = BoundedBody(environ["wsgi.input"], limit, None if chunked else length)
    small_limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if limit > small_limit and (chunked or length > small_limit):
        environ["wsgi.input"] = stream
        if chunked:  # Django reads up to this length; the stream ends, or raises, before it
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
    """A stream of at most `limit` bytes, and of exactly `length` bytes unless that is None.

    Raises:
        RequestDataTooBig: the body has more bytes than `limit`.
        TimeoutError: the server stopped waiting for the body.
        OSError: the body ended early, or its chunks are malformed.
    """

    def __init__(self, stream: Any, limit: int, length: int | None) -> None:
        self._stream = stream
        self._limit = limit
        self._length = length
        self._position = 0

    def read(self, size: int | None = -1) -> bytes:
        return self._read_with(self._stream.read, size)

    def readline(self, size: int | None = -1) -> bytes:
        return self._read_with(self._stream.readline, size)

    def _read_with(self, read: Callable[[int], bytes], size: int | None) -> bytes:
        end = self._limit + 1 if self._length is None else self._length
        remaining = end - self._position
        requested = remaining if size is None or size < 0 else min(size, remaining)
        if not requested:
            return b""
        try:
            data = read(requested)
        except OSError:
            raise
        except Exception as error:  # the server's own, such as gunicorn's InvalidHeader
            raise OSError("the body is malformed") from error
        self._position += len(data)
        if self._position > self._limit:
            raise RequestDataTooBig("The request body is too large.")
        # A line can be shorter than requested, other data only at the end.
        is_end = not data or (len(data) < requested and read == self._stream.read)
        if is_end and self._length is not None:
            raise OSError("the body ended early")
        return data


def refuse(headers: MutableMapping[str, Any], refusal: Refusal) -> None:
    """Remove all headers that the refusal does not need, and store `refusal` in `headers`."""
    for name in [name for name in headers if name.startswith(("HTTP_", "CONTENT_"))]:
        if not name.startswith(_ESSENTIAL) or len(headers[name]) > MAX_PARSED_HEADER_BYTES:
            del headers[name]
    headers[REFUSAL] = refusal


def get_refusal(request: HttpRequest) -> Refusal | None:
    """Return the guard's refusal of `request`, or None if it was accepted."""
    origin = getattr(request, "environ", None) or getattr(request, "scope", {})
    refusal: Refusal | None = origin.get(REFUSAL)
    return refusal


class RefusalMiddleware(EventLoopMiddleware):
    """Return the response to a refused request: an error of the API, or text for a browser."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        refusal = get_refusal(request)
        if refusal is None:
            return None
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
