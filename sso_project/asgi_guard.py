"""The guard of request_guard.py for ASGI servers, which always mark the end of a body."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from .request_guard import INCOMPLETE, REFUSAL, TIMED_OUT, refuse
from .request_limits import (
    Refusal,
    body_length,
    check_headers,
    is_chunked,
    max_body_bytes,
    too_large,
)

MAX_BODY_SECONDS = 60.0

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class AsgiRequestGuard:
    """ASGI middleware that checks the headers and reads the body up to its limit.

    Without it, Django writes a body of any size to a temporary file before it routes the request.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        headers = environ_headers(scope)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        refusal, body = check_headers(headers, path), b""
        if refusal is None and may_have_body(scope, headers):
            refusal, body = await read_body(receive, max_body_bytes(path))
        if body:
            scope = {**scope, "headers": with_length(scope["headers"], len(body))}
            headers = environ_headers(scope)
            refusal = check_headers(headers, path)  # now also the coding of a body without a length
        if refusal is not None:
            refuse(headers, refusal)
            scope = {**scope, REFUSAL: refusal, "headers": asgi_headers(headers)}
            body = b""
        messages: list[Mapping[str, Any]] = [
            {"type": "http.request", "body": body, "more_body": False}
        ]

        async def replay() -> Mapping[str, Any]:
            if messages:
                return messages.pop()
            # Skip the rest of a refused body, which Django does not expect.
            while (message := await receive())["type"] == "http.request":
                pass
            return message

        await self.application(scope, replay, send)


def may_have_body(scope: Scope, headers: Mapping[str, Any]) -> bool:
    """Return False if the request has no body by its headers (RFC 9112 section 6.3)."""
    is_http_1 = scope.get("http_version", "").startswith("1")
    return not is_http_1 or is_chunked(headers) or bool(body_length(headers))


async def read_body(receive: Receive, limit: int) -> tuple[Refusal | None, bytes]:
    """Return None and the whole body, or its refusal and b""."""
    body = bytearray()
    try:
        async with asyncio.timeout(MAX_BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return INCOMPLETE, b""
                body += message.get("body", b"")
                if len(body) > limit:
                    return too_large(limit), b""
                if not message.get("more_body", False):
                    return None, bytes(body)
    except TimeoutError:
        return TIMED_OUT, b""


def with_length(headers: Iterable[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    """Return `headers` with a Content-Length of `length`, and without Transfer-Encoding.

    Django REST framework treats a body without Content-Length as empty.
    """
    replaced = (b"content-length", b"transfer-encoding")
    unchanged = [(name, value) for name, value in headers if name.lower() not in replaced]
    return [*unchanged, (b"content-length", str(length).encode())]


def environ_headers(scope: Scope) -> dict[str, Any]:
    """Return the headers of `scope` under their names in a WSGI environ, repeated ones joined."""
    values = defaultdict(list)
    for raw_name, raw_value in scope.get("headers", []):
        if b"_" in raw_name:  # Django ignores these, because they look like a name with a hyphen
            continue
        name = raw_name.decode("latin1").upper().replace("-", "_")
        key = name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
        values[key].append(raw_value.decode("latin1"))
    return {name: ",".join(parts) for name, parts in values.items()}


def asgi_headers(headers: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    """Return the headers of an ASGI scope: the inverse of `environ_headers`."""
    return [
        (
            name.removeprefix("HTTP_").replace("_", "-").lower().encode("latin1"),
            value.encode("latin1"),
        )
        for name, value in headers.items()
        if isinstance(value, str)
    ]
