"""A minimal HTTP/1.1 client that sends the same bytes again and again.

It reads responses with a length, in chunks, or up to the end of the connection. It decodes and
stores nothing, so that its own share of the time stays small.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

TIMEOUT = 120.0  # seconds; a peer is slow with a list of 100,000 rows


@dataclass(frozen=True, slots=True)
class Response:
    """A response. `first_byte` and `whole` are seconds after the request was sent."""

    status: int
    body: bytes
    first_byte: float
    whole: float


class Connection:
    """A connection to a server on this machine, for one request that is repeated."""

    def __init__(self, port: int, path: str, headers: Mapping[str, str]) -> None:
        self._port = port
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        self._request = "\r\n".join([*lines, "", ""]).encode("ascii")
        self._socket: socket.socket | None = None
        self._file: BinaryIO

    def open(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=TIMEOUT)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._file = self._socket.makefile("rb")
        return self._socket

    def close(self) -> None:
        if self._socket is not None:
            self._file.close()
            self._socket.close()
            self._socket = None

    def send(self) -> Response:
        """Send the request and return its response. Connects if necessary. Raises OSError."""
        started = time.perf_counter()
        try:
            self.open().sendall(self._request)
            return self._receive(started)
        except BaseException:
            self.close()
            raise

    def _receive(self, started: float) -> Response:
        read_line = self._file.readline
        status = _status(read_line())
        length, chunked, keep = -1, False, True
        while (line := read_line()) not in (b"\r\n", b""):
            name, _, value = line.lower().partition(b":")
            if name == b"content-length":
                length = int(value)
            elif name == b"transfer-encoding":
                chunked = b"chunked" in value
            elif name == b"connection":
                keep = b"close" not in value
        first, body = self._chunks() if chunked else (0.0, self._file.read(length))
        ended = time.perf_counter()
        if 0 <= length != len(body):
            raise OSError(f"received {len(body)} of {length} bytes")
        if not keep or (length < 0 and not chunked):
            self.close()
        return Response(status, body, (first or ended) - started, ended - started)

    def _chunks(self) -> tuple[float, bytes]:
        """Return the arrival time of the first byte, and the body (RFC 9112, section 7.1)."""
        first, pieces = 0.0, []
        while size := int(self._file.readline().partition(b";")[0], 16):
            first = first or time.perf_counter()
            pieces.append(self._file.read(size))
            self._file.readline()
        self._file.readline()
        return first, b"".join(pieces)


def _status(line: bytes) -> int:
    parts = line.split(None, 2)
    if len(parts) < 2 or not parts[0].startswith(b"HTTP/1."):
        raise OSError(f"not an HTTP response: {line[:60]!r}")
    return int(parts[1])


def send_once(port: int, path: str, headers: Mapping[str, str]) -> Response:
    """Send one request on a new connection, and return its response."""
    connection = Connection(port, path, {**headers, "Connection": "close"})
    try:
        return connection.send()
    finally:
        connection.close()
