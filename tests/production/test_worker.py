"""The worker of the production server with slow connections."""

import select
import socket
import sys
from contextlib import closing
from http.client import HTTPConnection

import pytest
import requests

from tests.imports import ROOT
from tools.rehearsal.services import Process, free_port, listens, until

THREADS = 4
SLOW = 3 * THREADS  # connections


class Server(Process):
    """gunicorn with one worker of four threads, and an application that reads the body."""

    def __init__(self, folder, **limits):
        super().__init__(folder, "gunicorn")
        self.port = free_port()
        settings = "".join(f"worker.{name} = {value}\n" for name, value in limits.items())
        (folder / "config.py").write_text(
            f"from deploy import worker\n{settings}"
            f"bind = '127.0.0.1:{self.port}'\nworkers = 1\nthreads = {THREADS}\n"
            "worker_class = 'deploy.worker.BoundedThreadWorker'\ncontrol_socket_disable = True\n"
        )
        (folder / "slow_app.py").write_text(
            "def application(environ, start_response):\n"
            "    if environ['PATH_INFO'] == '/large':\n"
            "        start_response('200 OK', [('Content-Length', str(64 * 1024 * 1024))])\n"
            "        return [b'x' * (64 * 1024 * 1024)]\n"
            "    if environ['PATH_INFO'] == '/unread':\n"
            "        start_response('413 Too Large', [('Content-Length', '0')])\n"
            "        return [b'']\n"
            "    try:\n"
            "        body = environ['wsgi.input'].read()\n"
            "    except TimeoutError:\n"
            "        body = b'too slow'\n"
            "    start_response('200 OK', [('Content-Length', str(len(body)))])\n"
            "    return [body]\n"
        )
        options = ["--config", str(folder / "config.py"), "--pythonpath", f"{ROOT},{folder}"]
        self.run([sys.executable, "-m", "gunicorn", *options, "slow_app:application"], cwd=ROOT)
        until(lambda: listens(self.port), "gunicorn")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path)
    yield server
    server.end()
    assert "Traceback" not in server.log.read_text()


REQUESTS = {
    "no byte": b"",
    "half a header": b"GET / HTTP/1.1\r\nHost: x",
    "no body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n",
    "one byte of body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx",
    "half a chunk": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    "a response it does not read": b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("sent", REQUESTS.values(), ids=REQUESTS)
def test_slow_clients_leave_threads_for_others(server, sent):
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(SLOW)]
    try:
        for connection in slow:
            connection.sendall(sent)
        for _ in range(3):  # well before the deadline of the slow ones
            assert requests.post(server.url, b"honest", timeout=60).content == b"honest"
    finally:
        for connection in slow:
            connection.close()


def test_client_that_is_cut_off_gets_a_response(server):
    """Without a response, nginx would consider the server broken, and not use it for a while."""
    slow = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(SLOW)]
    try:
        for connection in slow:
            connection.sendall(REQUESTS["one byte of body"])
        ended = select.select(slow, [], [], 15)[0]  # before their deadline
        assert ended
        assert all(connection.recv(10_000).startswith(b"HTTP/1.1 200") for connection in ended)
    finally:
        for connection in slow:
            connection.close()


def response_of(connection):
    """Return the response to a body that is too slow."""
    response = b""
    while not response.endswith(b"too slow") and (piece := connection.recv(10_000)):
        response += piece
    return response


def test_body_has_a_deadline(tmp_path):
    server = Server(tmp_path, MAX_WAIT_SECONDS=0.2)
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
            connection.sendall(REQUESTS["one byte of body"])
            assert response_of(connection).endswith(b"too slow")
    finally:
        server.end()


def test_dripping_does_not_extend_the_deadline(tmp_path):
    server = Server(tmp_path, MAX_WAIT_SECONDS=0.5)
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=0.1) as connection:
            connection.sendall(REQUESTS["one byte of body"])
            for _ in range(200):  # it would take 20 seconds if the server waited for all of them
                if select.select([connection], [], [], 0.1)[0]:
                    break
                connection.sendall(b"x")
            connection.settimeout(30)
            assert response_of(connection).endswith(b"too slow")
    finally:
        server.end()


def test_connections_are_kept_alive_and_large_bodies_pass(server):
    with requests.Session() as session:
        body = b"x" * (5 * 1024 * 1024)
        for content in (b"", b"small", body, iter([body, b"chunked"])):
            expected = content if isinstance(content, bytes) else body + b"chunked"
            response = session.post(server.url, content, timeout=60)
            assert response.content == expected
            assert response.headers["Connection"] == "keep-alive"
        assert len(session.get(f"{server.url}/large", timeout=60).content) == 64 * 1024 * 1024


def test_connection_is_usable_after_a_refused_body(server):
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    with closing(connection):
        connection.connect()
        source = connection.sock.getsockname()
        for _ in range(3):
            connection.request("POST", "/unread", b"x" * (8 * 1024 * 1024))
            refused = connection.getresponse()
            assert (refused.status, refused.read()) == (413, b"")
            assert refused.headers["Connection"] == "keep-alive"
            connection.request("POST", "/", b"next")
            assert connection.getresponse().read() == b"next"
            assert connection.sock.getsockname() == source


def test_client_that_sends_a_refused_body_gets_the_response_and_no_reset(server):
    """After a reset, nginx would consider the server broken, and not use it for a while."""
    body = b"x" * (12 * 1024 * 1024)
    head = b"POST /unread HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(head % len(body) + body)
        assert connection.recv(10_000).startswith(b"HTTP/1.1 413")
        assert connection.recv(10_000) == b""
