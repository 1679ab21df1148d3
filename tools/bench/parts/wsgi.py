"""WSGI requests to our application in this process."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

from ..measuring import MeasurementError


def requests_of(path: str, headers: Mapping[str, str]) -> Callable[[], int]:
    """Return a function that sends one request and returns the length of the response body."""
    from sso_project.wsgi import application  # requires that Django is set up

    http_headers = {
        f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()
    }

    def request() -> int:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": io.StringIO(),
            "wsgi.url_scheme": "http",
            **http_headers,
        }
        statuses: list[str] = []

        def start(status: str, *more: Any) -> Callable[[bytes], object]:
            statuses.append(status)
            return statuses.append  # type: ignore[return-value] # nothing calls it

        response: Any = application(environ, start)
        length = sum(len(piece) for piece in response)
        response.close()
        if not statuses[0].startswith("200"):
            raise MeasurementError(f"{path} responds with {statuses[0]}")
        return length

    return request
