"""The load generator against a small real server."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tools.bench.client import Connection, send_once
from tools.bench.load import RequestSpec, all_at_once, in_another_process, send_repeatedly

HOST = {"Host": "localhost"}


class Handler(BaseHTTPRequestHandler):
    """A handler with a response per path; it counts requests and connections in its server."""

    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.server.connections += 1

    def do_GET(self):
        with self.server.lock:
            self.server.requests += 1
            number = self.server.requests
        getattr(self, f"answer_{self.path[1:]}")(number)

    def answer_same(self, number):
        self._whole(200, b"x" * 17_000)

    def answer_closing(self, number):
        self.close_connection = True
        self._whole(200, b"bye", ("Connection", "close"))

    def answer_failing(self, number):
        self._whole(500 if number == 3 else 200, b"body")

    def answer_shrinking(self, number):
        self._whole(200, b"x" * (9 if number == 3 else 10))

    def answer_changing(self, number):
        self._whole(200, b"%010d" % number)

    def answer_cut(self, number):
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"half")
        self.close_connection = True

    def answer_chunks(self, number):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in (b"5\r\nfirst\r\n", b"6\r\nsecond\r\n", b"0\r\n\r\n"):
            self.wfile.write(piece)

    def answer_endless(self, number):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"up to the end")
        self.close_connection = True

    def answer_token(self, number):
        is_valid = self.headers["Authorization"] == "Bearer good"
        self._whole(200 if is_valid else 401, b"{}")

    def _whole(self, status, body, *headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    class Server(ThreadingHTTPServer):
        daemon_threads, request_queue_size = True, 100
        requests = connections = 0
        lock = threading.Lock()

    with Server(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def spec(server, path, **more):
    return RequestSpec(server.server_port, path, HOST, **more)


def test_response_with_a_length_is_read_on_one_connection(server):
    connection = Connection(server.server_port, "/same", HOST)
    responses = [connection.send() for _ in range(3)]
    connection.close()
    assert {(response.status, len(response.body)) for response in responses} == {(200, 17_000)}
    assert all(0 < response.first_byte <= response.whole for response in responses)
    assert server.connections == 1


def test_closed_connection_is_opened_again(server):
    connection = Connection(server.server_port, "/closing", HOST)
    assert [connection.send().body for _ in range(3)] == [b"bye"] * 3
    assert server.connections == 3


def test_chunks_are_joined(server):
    connection = Connection(server.server_port, "/chunks", HOST)
    assert [connection.send().body for _ in range(2)] == [b"firstsecond"] * 2
    connection.close()
    assert server.connections == 1


def test_response_without_a_length_is_read_to_the_end(server):
    assert send_once(server.server_port, "/endless", HOST).body == b"up to the end"


def test_headers_are_sent(server):
    good = {**HOST, "Authorization": "Bearer good"}
    assert send_once(server.server_port, "/token", good).status == 200
    assert send_once(server.server_port, "/token", HOST).status == 401


def test_incomplete_response_is_an_error(server):
    with pytest.raises(OSError, match="received 4 of 100"):
        send_once(server.server_port, "/cut", HOST)


def test_load_of_several_connections_is_counted(server):
    load = send_repeatedly(spec(server, "/same", length=17_000), connections=4, seconds=0.1)
    assert load.problems == {}
    assert load.responses == server.requests >= 4
    assert load.rate == pytest.approx(load.responses / load.seconds)
    assert 0 < load.median <= load.p99
    assert load.slowest >= load.median


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/failing", "status 500 instead of 200"),
        ("/shrinking", "9 bytes instead of 10"),
        ("/changing", "another body of the same length"),
    ],
)
def test_one_wrong_response_among_good_ones_is_a_problem(server, path, problem):
    load = send_repeatedly(spec(server, path), connections=1, seconds=0.1)
    assert load.problems.get(problem, 0) >= 1


def test_body_may_change_if_not_constant(server):
    one = spec(server, "/changing", constant=False)
    assert send_repeatedly(one, connections=2, seconds=0.05).problems == {}


@pytest.mark.parametrize(
    ("length", "is_problem"), [(16_984, False), (16_983, True), (17_017, True)]
)
def test_length_may_change_by_a_text_if_not_constant(server, length, is_problem):
    one = spec(server, "/same", length=length, constant=False)
    assert bool(send_repeatedly(one, connections=1, seconds=0.01).problems) is is_problem


def test_response_of_unexpected_length_is_a_problem(server):
    load = send_repeatedly(spec(server, "/same", length=16_999), connections=1, seconds=0.01)
    assert load.problems["17000 bytes instead of 16999"] == load.responses


@pytest.mark.parametrize("connections", [1, 3])
def test_missing_response_is_a_problem_and_does_not_wait(connections):
    load = send_repeatedly(RequestSpec(1, "/", HOST), connections=connections, seconds=0.01)
    assert load.responses == 0
    assert any("ConnectionRefusedError" in problem for problem in load.problems)


def test_all_at_once_sends_one_request_on_each_connection(server):
    load = all_at_once(spec(server, "/same"), connections=20, beside=spec(server, "/chunks"))
    assert (load.responses, load.problems) == (20, {})
    assert server.requests > 20
    assert load.beside > 0


def test_errors_of_the_other_request_are_reported(server):
    load = all_at_once(spec(server, "/same"), connections=2, beside=spec(server, "/token"))
    assert load.problems["other request: status 401 instead of 200"] >= 1


def test_load_runs_in_a_separate_process(server):
    load = in_another_process("send_repeatedly", spec(server, "/same"), connections=2, seconds=0.05)
    assert (load.problems, load.responses) == ({}, server.requests)
    load = in_another_process("all_at_once", spec(server, "/same"), connections=3)
    assert load.responses == 3
