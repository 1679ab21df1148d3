"""gunicorn's threaded worker, with limits on how long a client may keep a thread waiting.

gunicorn reads requests and writes responses in the threads of its pool, and waits for slow clients
there without a limit. As many slow connections as there are threads would stop it.
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
MAX_WAIT_SECONDS = 20.0  # for one client during one request, and longer for what it does transfer
MIN_BYTES_PER_SECOND = 20_000
# Of a body that was refused unread. If the connection ended there, a proxy that is still sending
# the body or that has reused the connection would take this instance for broken, and not use it.
MAX_DRAINED_BYTES = 16 * 1024 * 1024


class WaitingClients:
    """The connections that threads of this process wait for, the one that waits longest first."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._sockets: dict[ClientSocket, None] = {}

    def add(self, client: ClientSocket) -> None:
        """Add `client`. If there are too many, cut off the one that waits longest."""
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
        """Start counting anew: what follows is about another request."""
        self._waited, self._transferred, self._reading = 0.0, 0, True

    def setblocking(self, flag: bool) -> None:
        if self.fileno() != -1:  # gunicorn asks for it before it closes a connection once more
            super().setblocking(flag)

    def cut_off(self) -> None:
        """Wake the thread that waits for this client.

        What was to be read ends here, so that a thread that waits for a body can still respond. A
        proxy that gets no response would take this instance for broken.
        """
        try:
            self.shutdown(socket.SHUT_RD if self._reading else socket.SHUT_RDWR)
        except OSError:  # it is gone
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
            # With this number gunicorn closes the connection without a traceback in the log.
            raise TimeoutError(errno.ECONNRESET, "the client is too slow") from error
        finally:
            self._waited += time.monotonic() - started
            self._waiting.remove(self)


class BoundedThreadWorker(ThreadWorker):  # type: ignore[misc] # untyped
    """A worker of which slow clients never occupy more than half of the threads."""

    def init_process(self) -> None:
        self.waiting = WaitingClients(limit=max(1, self.cfg.threads // 2))
        super().init_process()

    def handle(self, conn: Any) -> Any:
        keepalive = super().handle(conn)
        if not keepalive:
            # Here and not in gunicorn's main thread, which would wait two seconds for each client.
            util.close_graceful(conn.sock, max_drain=MAX_DRAINED_BYTES)
        return keepalive

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        """Drop what is left of the body. Return False if the connection has to be closed for it.

        gunicorn's own method drops 64 kB at most, for five seconds.
        """
        deadline = time.monotonic() + MAX_WAIT_SECONDS
        finish = partial(conn.parser.finish_body, deadline=deadline, max_bytes=MAX_DRAINED_BYTES)
        return keepalive and bool(finish())

    def enqueue_req(self, conn: Any) -> None:
        """Hand a connection to a thread; a new one only when its first bytes are there."""
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
