"""Requests to our application inside this process, as a server would hand them over."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

from ..measuring import Refused


def requests_of(path: str, headers: Mapping[str, str]) -> Callable[[], int]:
    """A function that makes one request and returns the length of its answer's body."""
    from sso_project.wsgi import application  # Django is set up only now

    own = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}

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
            **own,
        }
        statuses: list[str] = []

        def start(status: str, *more: Any) -> Callable[[bytes], object]:
            statuses.append(status)
            return statuses.append  # type: ignore[return-value] # nobody writes that way

        answer: Any = application(environ, start)
        length = sum(len(piece) for piece in answer)
        answer.close()
        if not statuses[0].startswith("200"):
            raise Refused(f"{path} answers {statuses[0]}")
        return length

    return request
