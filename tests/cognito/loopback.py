"""An HTTP server on a free port that follows the script of a test."""

import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs


class Received(NamedTuple):
    method: str
    path: str
    headers: dict
    body: str
    connection: tuple  # the client's address: the same for requests on one connection

    @property
    def form(self):
        return {name: values[0] for name, values in parse_qs(self.body).items()}


def respond(status=200, body=b"{}", **headers):
    """Return a step that sends a response. Header names are written with underscores."""

    def play(handler):
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return play


def hang_up(handler):
    """Read the request, then close the connection."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def raw(*chunks, pause=0.0):
    """Return a step that sends these bytes with a pause after each, and closes."""

    def play(handler):
        handler.close_connection = True
        for chunk in chunks:
            try:
                handler.connection.sendall(chunk)
            except OSError:
                return  # the client has disconnected, as some tests expect
            time.sleep(pause)

    return play


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        script = self.server.script
        with self.server.lock:
            self.server.received.append(
                Received(self.command, self.path, dict(self.headers), body, self.client_address)
            )
            play = script.pop(0) if len(script) > 1 else script[0]
        play(self)

    do_POST = do_GET

    def log_message(self, *args):
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, client_address):
        if not isinstance(sys.exception(), ConnectionError):  # disconnected clients are expected
            super().handle_error(request, client_address)


class ScriptedServer:
    """A scripted server. `play(a, b)` uses a for the first request and b for all others."""

    def __enter__(self):
        self._http = _Server(("127.0.0.1", 0), _Handler)
        self._http.script, self._http.received = [respond()], []
        self._http.lock = threading.Lock()
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *failure):
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._http.server_port}"

    @property
    def received(self):
        return self._http.received

    def play(self, *script):
        self._http.script = list(script)
