"""An attack, and the client that sends its requests.

Requests are bytes, because an HTTP library would not send most of them. They go to ports of the
target on 127.0.0.1, and come from loopback addresses that belong to the attack.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle
from random import Random

import requests

from .target import INSIDER, Target

# Instead of a status:
CLOSED = 0  # the connection was closed without a response
NO_RESPONSE = -1  # there was no response within TIMEOUT_SECONDS
OPEN = -2  # a slow connection that the server has not closed; honest requests show its effect
OFF_SITE = -3  # a redirect to another host
EXCHANGED_AGAIN = -4  # another code of one attempt was sent to Cognito
NAMES = {
    CLOSED: "closed",
    NO_RESPONSE: "no response",
    OPEN: "open",
    OFF_SITE: "redirect to another host",
    EXCHANGED_AGAIN: "exchanged again",
}
TIMEOUT_SECONDS = 10.0
MAX_HEAD_BYTES = 65_536
REFUSED = frozenset({400, 401, 403, 404, 405, 406, 408, 411, 413, 414, 415, 429, 431})
Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Response:
    """The status of a response, or what happened instead; its status line and headers."""

    status: int
    head: str = ""

    def header(self, name: str) -> str:
        """Return the first value of a header, or ""."""
        for line in self.head.split("\r\n"):
            if line.lower().startswith(f"{name.lower()}:"):
                return line.partition(":")[2].strip()
        return ""

    def cookies(self) -> str:
        """Return the Cookie header that a browser would send back."""
        lines = [line for line in self.head.split("\r\n") if line.lower().startswith("set-cookie:")]
        return "; ".join(line.partition(":")[2].partition(";")[0].strip() for line in lines)


@dataclass(frozen=True)
class Allowance:
    """The number of acceptable responses, per client IP address and time window."""

    count: int
    window_seconds: int

    def limit(self, began_at: float, seconds: float, addresses: int) -> int:
        """Return the acceptable number in `seconds` from the Unix time `began_at`."""
        first, last = (int(at // self.window_seconds) for at in (began_at, began_at + seconds))
        return self.count * addresses * (last - first + 1)


# The failed calls to Cognito that one client IP address can cause.
CALLS_A_MINUTE = Allowance(60, 60)


class Attacker:
    """A client for one attack, which uses `addresses` IP addresses in turn.

    `number` identifies the attack: it selects the addresses and seeds `random`.
    """

    def __init__(self, target: Target, number: int, addresses: int = 1) -> None:
        self.target = target
        self.random = Random(number)  # noqa: S311 (a run can be repeated)
        self._addresses = cycle([f"127.9.{number}.{host + 1}" for host in range(addresses)])
        self._insider_token = ""
        self._renew_at = 0.0

    @property
    def any_port(self) -> int:
        return self.random.choice(self.target.ports)

    @property
    def any_instance(self) -> int:
        return self.random.choice(self.target.instance_ports)

    def connect(self, port: int | None = None) -> socket.socket:
        """Open a connection to `port` of the target (default: the proxy)."""
        port = port or self.target.proxy_port
        if port not in self.target.ports:
            raise ValueError(f"{port} is not a port of the target")
        source = (next(self._addresses), 0)
        return socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS, source)

    def send(self, raw: bytes, port: int | None = None) -> Response:
        """Send `raw` on a new connection, and return the response."""
        with self.connect(port) as connection:
            try:
                connection.sendall(raw)
            except TimeoutError:
                return Response(NO_RESPONSE)
            except OSError:
                pass  # closed before all was sent: there may be a response
            return receive(connection)

    def send_and_leave(self, raw: bytes, port: int | None = None) -> Response:
        """Send an incomplete request, and disconnect if no response arrives within a second."""
        with self.connect(port) as connection:
            connection.settimeout(1.0)
            with suppress(OSError):
                connection.sendall(raw)
            response = receive(connection)
        return response if response.status != NO_RESPONSE else Response(CLOSED)

    def request(
        self,
        method: str,
        path: str,
        headers: Headers = (),
        body: bytes = b"",
        port: int | None = None,
    ) -> Response:
        """Send a request with a Host and, if it has a body, a Content-Length."""
        return self.send(self.raw(method, path, headers, body), port)

    def raw(self, method: str, path: str, headers: Headers = (), body: bytes = b"") -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{self.target.proxy_port}"]
        lines += [f"{name}: {value}" for name, value in headers]
        names = {name.lower() for name, _ in headers}
        if body and not names & {"content-length", "transfer-encoding"}:
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join([*lines, "Connection: close", "", ""])
        return head.encode("utf-8", "surrogateescape") + body

    def insider_token(self) -> str:
        """Return a valid access token of INSIDER."""
        if time.monotonic() >= self._renew_at:
            url = f"{self.target.pool_url}/_local/token"
            tokens = requests.post(url, json={"as": INSIDER}, timeout=TIMEOUT_SECONDS).json()
            self._insider_token = tokens["access_token"]
            self._renew_at = time.monotonic() + tokens["expires_in"] / 2
        return self._insider_token


def receive(connection: socket.socket) -> Response:
    """Read the status line and headers of a response."""
    head = b""
    try:
        while b"\r\n\r\n" not in head and len(head) < MAX_HEAD_BYTES:
            piece = connection.recv(8192)
            if not piece:
                break
            head += piece
    except TimeoutError:
        return Response(NO_RESPONSE)
    except OSError:
        pass  # closed while sending
    text = head.partition(b"\r\n\r\n")[0].decode("latin-1")
    parts = text.split(" ", 2)
    if len(parts) < 2 or not parts[0].startswith("HTTP/1.") or not parts[1].isdigit():
        return Response(CLOSED)
    return Response(int(parts[1]), text)


def json_body(value: object) -> bytes:
    return json.dumps(value).encode()


Sender = Callable[[Attacker], Iterator[Response]]


@dataclass(frozen=True)
class Attack:
    """A kind of hostile request, how often it is sent, and which responses are acceptable.

    `send` yields the response to each request; closing the generator closes its connections.
    `at_most` limits how often an acceptable status may be received.
    """

    name: str
    send: Sender
    per_second: float
    acceptable: frozenset[int] = REFUSED
    at_most: Mapping[int, Allowance] = field(default_factory=dict)
    addresses: int = 1
