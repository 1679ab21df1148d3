"""The attacks of `make hostile`, against a fake server."""

import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tools.hostile import attackers
from tools.hostile.attack import CLOSED, OPEN, Attack, Attacker, Response
from tools.hostile.attacks import insiders, odd_paths, slow, uploads
from tools.hostile.attacks.forgeries import decode, encode
from tools.hostile.target import Target
from tools.hostile.watch import FolderWatch


class Door(ThreadingHTTPServer):
    """A fake server that records requests and responds with 401."""

    daemon_threads = True

    def __init__(self):
        door, self.requests = self, []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                address = self.client_address[0]
                door.requests.append((address, self.path, dict(self.headers)))
                self.send_response(401)
                self.send_header("Set-Cookie", "a=b; Path=/")
                self.end_headers()

            def log_message(self, *args):
                pass

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def door() -> Iterator[Door]:
    with Door() as made:
        thread = Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def target(door):
    token = f"{encode({'kid': 'a'})}.{encode({'sub': 'b'})}.c"
    return Target(door.server_port, (door.server_port,), "http://localhost:1", "client", token,
                  "sessionid=a", "/signin?code=a", "sessionid=b; csrftoken=c")  # fmt: skip


def test_attack_sends_at_its_rate_from_its_own_addresses(door, target):
    def send(attacker):
        while True:
            yield attacker.request("GET", "/api/user", [("X-Test", "1")])

    attack = Attack("a", send, per_second=20, acceptable=frozenset({401}), addresses=2)
    log = attackers.run_attack(attack, target, number=7, seconds=0.5)
    assert log.statuses == {401: log.requests}
    assert 1 <= log.requests <= 10  # at most the rate, even on a fast machine
    assert {address for address, _, _ in door.requests} <= {"127.9.7.1", "127.9.7.2"}
    assert door.requests[0][1:] == (
        "/api/user",
        {"Host": f"localhost:{door.server_port}", "X-Test": "1", "Connection": "close"},
    )


def test_first_response_of_each_status_is_kept(target):
    def send(attacker):
        yield attacker.request("GET", "/")
        yield Response(500, "HTTP/1.1 500 first")
        yield Response(500, "HTTP/1.1 500 second")

    log = attackers.run_attack(Attack("a", send, per_second=100), target, number=1, seconds=10)
    assert log.statuses == {401: 1, 500: 2}
    assert log.examples[401].startswith("HTTP/1.0 401 ")
    assert log.examples[500] == "HTTP/1.1 500 first"


def test_exception_of_an_attack_is_raised(target, monkeypatch):
    def send(attacker):
        yield Response(401)
        raise LookupError("broken attack")

    attacks = (Attack("broken", send, 100), Attack("good", lambda _: iter([Response(401)]), 1))
    monkeypatch.setattr(attackers, "ATTACKS", attacks)
    with pytest.raises(LookupError, match="broken attack"):
        attackers.run_attacks(["broken", "good"], target, 0.2)


def test_attacker_connects_to_the_target_alone(target):
    with pytest.raises(ValueError, match="not a port of the target"):
        Attacker(target, 1).connect(target.proxy_port + 1)


def test_response_is_read(target):
    response = Attacker(target, 1).request("GET", "/")
    assert response.status == 401
    assert response.header("set-cookie") == "a=b; Path=/"
    assert response.header("Location") == ""
    assert response.cookies() == "a=b"


def test_connection_that_ends_without_a_response_is_closed(target):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        silent = Target(port, (), "", "", "", "", "", "")
        thread = Thread(target=lambda: listener.accept()[0].close())
        thread.start()
        assert Attacker(silent, 1).send(b"hello").status == CLOSED
        thread.join()


def test_slow_connections_are_held_and_closed_at_the_end():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        target = Target(listener.getsockname()[1], (), "", "", "", "", "", "")
        responses = slow._drip(Attacker(target, 1), b"GET / HTTP/1.1\r\n", 3, None)
        assert [next(responses).status for _ in range(6)] == [OPEN] * 6
        accepted = [listener.accept()[0] for _ in range(3)]
        responses.close()
        for connection in accepted:
            with connection:
                connection.settimeout(10)
                received = connection.recv(100) + connection.recv(100)
                assert received.startswith(b"GET / HTTP/1.1\r\n")
                assert connection.recv(100) == b""


@pytest.mark.parametrize(
    ("location", "stays"),
    [
        ("", True),
        ("/profile/", True),
        ("http://localhost:{port}/", True),
        ("http://localhost:1/login", True),  # the hosted UI
        ("//elsewhere.example/", False),
        ("/\\elsewhere.example", False),
        ("https://elsewhere.example", False),
    ],
)
def test_redirect_to_another_host_is_found(target, location, stays):
    response = Response(302, f"HTTP/1.1 302\r\nLocation: {location.format(port=target.proxy_port)}")
    assert odd_paths.stays(response, Attacker(target, 1)) is stays


def test_forged_token_is_built_from_a_genuine_one(target):
    assert decode(target.expired_access_token) == ({"kid": "a"}, {"sub": "b"})


def test_uploads_pass_the_check_for_cross_site_requests():
    assert b'name="csrfmiddlewaretoken"\r\n\r\n' + b"a" * 32 in uploads.body(1)
    assert len(uploads.body(1)) > uploads.MEGABYTE
    assert insiders.wide_sheet().startswith(b"PK")


def test_peak_of_a_folder_is_measured(tmp_path):
    (tmp_path / "before").write_bytes(b"x" * 100)
    watch = FolderWatch(tmp_path)
    file = tmp_path / "folder" / "upload"
    file.parent.mkdir()
    file.write_bytes(b"x" * 1000)
    watch.sample()
    file.unlink()
    watch.sample()
    assert watch.peak == 1000
