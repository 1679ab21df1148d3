"""gunicorn's threaded worker, with limits on the time that a thread waits for a client.

gunicorn's threads wait for slow clients without a limit. As many slow connections as there are
threads would stop the server.
"""

from __future__ import annotations

import errno
import selectors
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from gunicorn import util
from gunicorn.workers.gthread import ThreadWorker

MAX_IDLE_SECONDS = 10.0  # from a connection to the first byte of its first request
MAX_WAIT_SECONDS = 20.0  # per request, plus the time for the data at MIN_BYTES_PER_SECOND
MIN_BYTES_PER_SECOND = 20_000
# The rest of a refused body is read and dropped. If the connection were closed instead, a proxy
# that is still sending the body, or has reused the connection, would mark this instance as failed.
MAX_DRAINED_BYTES = 16 * 1024 * 1024


class WaitingClients:
    """The connections that threads of this process wait for, the longest wait first."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._sockets: dict[ClientSocket, None] = {}

    def add(self, client: ClientSocket) -> None:
        """Add `client`. If there are too many, cut off the one with the longest wait."""
        with self._lock:
            if len(self._sockets) >= self.limit:
                oldest = next(iter(self._sockets))
                del self._sockets[oldest]
                oldest.cut_off()
            self._sockets[client] = None

    def remove(self, client: ClientSocket) -> None:
        with self._lock:
            self._sockets.pop(client, None)


class ClientSocket(socket.socket):
    """A client's connection that raises TimeoutError when the client is too slow."""

    def __init__(self, connection: socket.socket, waiting: WaitingClients) -> None:
        super().__init__(fileno=connection.detach())
        self._waiting = waiting
        self.start_request()

    def start_request(self) -> None:
        """Reset the counters for a new request."""
        self._waited, self._transferred, self._reading = 0.0, 0, True

    def setblocking(self, flag: bool) -> None:
        if self.fileno() != -1:  # gunicorn calls this before it closes a connection again
            super().setblocking(flag)

    def cut_off(self) -> None:
        """Wake the thread that waits for this client.

        A thread that reads a body gets its end, and can still send a response. Without a response,
        a proxy would mark this instance as failed.
        """
        try:
            self.shutdown(socket.SHUT_RD if self._reading else socket.SHUT_RDWR)
        except OSError:  # the client has disconnected
            return

    def recv(self, size: int, flags: int = 0) -> bytes:
        self._reading = True
        data: bytes = self._bounded(partial(super().recv, size, flags))
        self._transferred += len(data)
        return data

    def send(self, data: Any, flags: int = 0) -> int:
        self._reading = False
        sent: int = self._bounded(partial(super().send, data, flags))
        self._transferred += sent
        return sent

    def sendall(self, data: Any, flags: int = 0) -> None:
        view = memoryview(data)
        while view:
            view = view[self.send(view, flags) :]

    def _bounded(self, transfer: Callable[[], Any]) -> Any:
        timeout = self.gettimeout()
        if timeout == 0.0:
            return transfer()
        self.settimeout(0.0)
        try:
            return transfer()
        except BlockingIOError:
            return self._wait(transfer, timeout)
        finally:
            self.settimeout(timeout)

    def _wait(self, transfer: Callable[[], Any], timeout: float | None) -> Any:
        allowed = MAX_WAIT_SECONDS + self._transferred / MIN_BYTES_PER_SECOND - self._waited
        started = time.monotonic()
        self._waiting.add(self)
        try:
            self.settimeout(max(0.001, min(allowed, allowed if timeout is None else timeout)))
            return transfer()
        except TimeoutError as error:
            # For this errno, gunicorn closes the connection without logging a traceback.
            raise TimeoutError(errno.ECONNRESET, "the client is too slow") from error
        finally:
            self._waited += time.monotonic() - started
            self._waiting.remove(self)


class BoundedThreadWorker(ThreadWorker):  # type: ignore[misc] # untyped
    """A threaded worker that lets slow clients occupy at most half of the threads."""

    def init_process(self) -> None:
        self.waiting = WaitingClients(limit=max(1, self.cfg.threads // 2))
        super().init_process()

    def handle(self, conn: Any) -> Any:
        keepalive = super().handle(conn)
        if not keepalive:
            # Closed here, because gunicorn's main thread would wait two seconds for each client.
            util.close_graceful(conn.sock, max_drain=MAX_DRAINED_BYTES)
        return keepalive

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        """Drop the rest of the body. Return False if it is too long, to close the connection.

        gunicorn's own method drops at most 64 kB, for five seconds.
        """
        deadline = time.monotonic() + MAX_WAIT_SECONDS
        finish = partial(conn.parser.finish_body, deadline=deadline, max_bytes=MAX_DRAINED_BYTES)
        return keepalive and bool(finish())

    def enqueue_req(self, conn: Any) -> None:
        """Pass a connection to a thread, but a new one only after its first bytes have arrived."""
        if isinstance(conn.sock, ClientSocket):
            conn.sock.start_request()
            super().enqueue_req(conn)
            return
        conn.sock = ClientSocket(conn.sock, self.waiting)
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + MAX_IDLE_SECONDS
        self.pending_conns.append(conn)
        self.poller.register(
            conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn)
        )
