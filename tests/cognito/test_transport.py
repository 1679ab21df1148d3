"""The transport: retries, deadlines and connections."""

import os
import socket
import threading
import time

import pytest
import responses

from accounts.cognito.errors import CognitoUnavailable, ConfigurationError
from accounts.cognito.transport import Transport
from tests.cognito.loopback import hang_up, raw, respond

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"


class Pauses(list):
    """A replacement for sleep that records the pauses."""

    def __call__(self, seconds):
        self.append(seconds)


@pytest.fixture
def pauses():
    return Pauses()


@pytest.fixture(autouse=True)
def no_proxy_variables(monkeypatch):
    """Remove the proxy variables of this machine; tests of proxies set their own."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def transport(pauses):
    return Transport(sleep=pauses, jitter=lambda: 1.0, read_seconds=2.0)


@pytest.fixture
def nobody():
    """The URL of a local port without a server."""
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{unheard.getsockname()[1]}/"


def post(transport, url, *, repeatable=True, **changes):
    return transport.post_form(f"{url}/oauth2/token", {"a": "b"}, repeatable=repeatable, **changes)


def test_document_is_downloaded(transport, server):
    server.play(respond(body=b'{"keys": []}'))
    assert transport.get(f"{server.url}/jwks.json") == b'{"keys": []}'
    (request,) = server.received
    assert (request.method, request.path) == ("GET", "/jwks.json")
    assert request.headers["Accept-Encoding"] == "identity"
    assert "Authorization" not in request.headers


def test_form_is_posted_with_the_given_authorization(transport, server):
    response = transport.post_form(
        f"{server.url}/x", {"a": "ä b&c"}, authorization="Basic abc", repeatable=False
    )
    assert (response.status, response.body) == (200, b"{}")
    (request,) = server.received
    assert request.form == {"a": "ä b&c"}
    assert request.headers["Authorization"] == "Basic abc"
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"


def test_body_stays_out_of_the_repr(transport, server):
    server.play(respond(body=b"tokens"))
    assert "tokens" not in repr(post(transport, server.url))


def test_form_without_authorization_carries_none_even_with_a_netrc(
    transport, server, tmp_path, monkeypatch
):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    post(transport, server.url)
    post(transport, server.url, authorization="Basic ours")
    assert "Authorization" not in server.received[0].headers
    assert server.received[1].headers["Authorization"] == "Basic ours"


def test_client_errors_are_responses(transport, server, pauses):
    server.play(respond(400, b'{"error":"invalid_grant"}'))
    response = post(transport, server.url)
    assert (response.status, response.body) == (400, b'{"error":"invalid_grant"}')
    assert (len(server.received), pauses) == (1, [])


def test_missing_document_is_unavailable(transport, server):
    server.play(respond(404))
    with pytest.raises(CognitoUnavailable, match="responded with 404") as failed:
        transport.get(server.url)
    assert failed.value.data["status"] == 404


def test_connections_are_kept_alive_and_cookies_are_not(transport, server):
    server.play(respond(Set_Cookie="XSRF-TOKEN=abc; Path=/"))
    for _ in range(3):
        post(transport, server.url)
    assert len({request.connection for request in server.received}) == 1
    assert not any("Cookie" in request.headers for request in server.received)


def test_threads_do_not_share_connections(transport, server):
    threads = [threading.Thread(target=post, args=(transport, server.url)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len({request.connection for request in server.received}) == 4


def test_forked_process_opens_connections_of_its_own(transport, server, monkeypatch):
    post(transport, server.url)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    post(transport, server.url)
    assert len({request.connection for request in server.received}) == 2


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_temporary_error_is_retried_after_growing_pauses(transport, server, pauses, status):
    server.play(respond(status), respond(status), respond(body=b"good"))
    assert post(transport, server.url).body == b"good"
    assert pauses == [0.2, 0.4]


def test_lasting_error_is_raised_after_three_attempts(transport, server, pauses):
    server.play(respond(503))
    with pytest.raises(CognitoUnavailable, match="responded with 503") as failed:
        post(transport, server.url)
    assert len(server.received) == 3
    assert (failed.value.retry_after, failed.value.data["status"]) == (None, 503)


def test_pauses_are_random_shares(server, pauses):
    server.play(respond(500))
    shares = iter([0.0, 0.5, 1.0])
    with pytest.raises(CognitoUnavailable):
        post(Transport(sleep=pauses, jitter=lambda: next(shares)), server.url)
    assert pauses == [0.0, 0.2]


def test_closed_connection_is_retried(transport, server):
    server.play(hang_up, respond(body=b"good"))
    assert post(transport, server.url).body == b"good"


@pytest.mark.parametrize("trouble", [respond(429), respond(500), hang_up, raw(HEAD + b"{")])
def test_non_repeatable_request_is_sent_once(transport, server, pauses, trouble):
    server.play(trouble, respond())
    with pytest.raises(CognitoUnavailable):
        post(transport, server.url, repeatable=False)
    assert (len(server.received), pauses) == (1, [])


def test_non_repeatable_request_is_sent_once_if_the_response_is_late(server, pauses):
    server.play(raw(b"", pause=0.5))
    transport = Transport(read_seconds=0.05, sleep=pauses)
    with pytest.raises(CognitoUnavailable, match="in time"):
        post(transport, server.url, repeatable=False)
    assert (len(server.received), pauses) == (1, [])


@pytest.mark.parametrize("repeatable", [True, False])
def test_refused_connection_is_always_retried(transport, nobody, pauses, repeatable):
    with pytest.raises(CognitoUnavailable, match="cannot be reached"):
        post(transport, nobody, repeatable=repeatable)
    assert len(pauses) == 2


def test_error_of_a_proxy_is_not_retried(transport, nobody, pauses, monkeypatch):
    monkeypatch.setenv("https_proxy", nobody)
    with pytest.raises(CognitoUnavailable):
        post(transport, "https://auth.example.com", repeatable=False)
    assert pauses == []


def test_proxy_is_not_used_for_loopback(transport, server, nobody, monkeypatch):
    monkeypatch.setenv("http_proxy", nobody)
    assert post(transport, server.url).status == 200


def test_silently_closed_connection_is_replaced(transport, server):
    is_closed = threading.Event()

    def answer_and_leave(handler):
        respond()(handler)
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)
        is_closed.set()

    server.play(answer_and_leave, respond(body=b"good"))
    post(transport, server.url)
    assert is_closed.wait(60)
    assert post(transport, server.url, repeatable=False).body == b"good"


def test_retry_after_is_waited_for(transport, server, pauses):
    server.play(respond(429, Retry_After="2"), respond())
    post(transport, server.url)
    assert pauses == [2.2]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("60", 60),
        ("1000000000000", 300),
        ("9" * 5000, 300),
        ("Fri, 15 Jan 2027 08:01:00 GMT", 60),
        ("Fri, 15 Jan 2027 09:00:00 GMT", 300),
    ],
)
def test_retry_after_beyond_the_deadline_is_passed_on_within_bounds(
    server, pauses, clock, header, seconds
):
    server.play(respond(503, Retry_After=header))
    with pytest.raises(CognitoUnavailable) as failed:
        post(Transport(sleep=pauses, now=clock), server.url)
    assert failed.value.retry_after == seconds
    assert (len(server.received), pauses) == (1, [])


@pytest.mark.parametrize(
    "header",
    [
        "",
        "soon",
        "-5",
        "1.5",
        "²",
        "Fri, 99 Jan 2027 08:00:00 GMT",
        "Fri, 15 Jan 99999999999999999999 08:00:00 GMT",
    ],
)
def test_unreadable_retry_after_is_ignored(transport, server, pauses, header):
    server.play(respond(503, Retry_After=header), respond())
    post(transport, server.url)
    assert pauses == [0.2]


def test_probe_reports_the_redirect_for_a_browser(transport, server):
    server.play(respond(302, b"", Location="/error?error=redirect_mismatch"))
    response = transport.probe(f"{server.url}/oauth2/authorize", {"redirect_uri": "https://a/b c"})
    assert (response.status, response.body) == (302, b"")
    assert response.headers["location"] == "/error?error=redirect_mismatch"
    (request,) = server.received
    assert request.path == "/oauth2/authorize?redirect_uri=https%3A%2F%2Fa%2Fb+c"
    assert request.headers["Accept"].startswith("text/html")
    assert "redirect_mismatch" not in repr(response)


@pytest.mark.parametrize("status", [200, 400, 404, 429, 500, 503])
def test_probe_accepts_any_status(transport, server, status):
    server.play(respond(status))
    assert transport.probe(server.url, {}).status == status
    assert len(server.received) == 1


def test_probe_reports_a_missing_response(transport, server):
    server.play(hang_up)
    with pytest.raises(CognitoUnavailable):
        transport.probe(server.url, {})
    assert len(server.received) == 1


def test_retry_after_in_the_past_is_now(server, pauses, clock):
    server.play(respond(503, Retry_After="Fri, 15 Jan 2027 07:00:00 GMT"), respond())
    post(Transport(sleep=pauses, jitter=lambda: 1.0, now=clock), server.url)
    assert pauses == [0.2]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304])
def test_redirect_is_not_followed(transport, server, status):
    server.play(respond(status, Location=f"{server.url}/elsewhere"), respond())
    with pytest.raises(CognitoUnavailable, match="redirect"):
        post(transport, server.url, authorization="Basic abc")
    assert len(server.received) == 1


def test_response_of_a_mebibyte_is_read_and_a_larger_one_is_not(transport, server):
    server.play(respond(body=b"x" * 1_048_576), respond(body=b"x" * 1_048_577))
    assert len(post(transport, server.url).body) == 1_048_576
    with pytest.raises(CognitoUnavailable, match="too large"):
        post(transport, server.url)
    assert len(server.received) == 2


def test_compressed_response_is_not_decompressed(transport, server):
    server.play(respond(body=b"\x1f\x8bbomb", Content_Encoding="gzip"))
    assert post(transport, server.url).body == b"\x1f\x8bbomb"


@pytest.mark.parametrize(
    "broken",
    [
        HEAD + b"{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n",
    ],
)
def test_incomplete_or_malformed_response_is_unavailable(transport, server, broken):
    server.play(raw(broken))
    with pytest.raises(CognitoUnavailable) as failed:
        post(transport, server.url)
    assert failed.value.__cause__ is not None
    assert len(server.received) == 3


def test_chunked_response_is_read(transport, server):
    server.play(raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"))
    assert post(transport, server.url).body == b"{}"


def test_silent_server_is_given_up_after_the_read_timeout(server, pauses):
    server.play(raw(b"", pause=60))
    began = time.monotonic()
    with pytest.raises(CognitoUnavailable, match="did not respond in time"):
        post(Transport(read_seconds=0.05, sleep=pauses), server.url)
    assert time.monotonic() - began < 30
    assert len(server.received) == 3


@pytest.mark.parametrize("framing", [b"Content-Length: 1000", b"Transfer-Encoding: chunked"])
def test_slow_response_is_cut_off_at_the_deadline(server, framing):
    chunk = b"1\r\nx\r\n" if b"chunked" in framing else b"x"
    server.play(raw(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n", *[chunk] * 900, pause=0.05))
    began = time.monotonic()
    with pytest.raises(CognitoUnavailable, match="in time"):
        post(Transport(), server.url, timeout=0.2)
    assert time.monotonic() - began < 30
    assert len(server.received) == 1


def test_timeout_of_one_call_replaces_the_total(server, pauses):
    server.play(raw(b"", pause=60))
    began = time.monotonic()
    with pytest.raises(CognitoUnavailable, match="in time"):
        post(Transport(sleep=pauses), server.url, timeout=0.1)
    assert time.monotonic() - began < 30
    assert (len(server.received), pauses) == (1, [])


def test_no_attempt_begins_after_the_deadline(server, clock):
    server.play(respond(500))
    transport = Transport(clock=clock, sleep=clock.forward, jitter=lambda: 1.0, total_seconds=0.5)
    with pytest.raises(CognitoUnavailable):
        post(transport, server.url)
    assert len(server.received) == 2  # a third would begin after 0.2 + 0.4 seconds


def test_sleep_beyond_the_deadline_raises_the_error(server, clock):
    server.play(respond(500), raw(b"", pause=0.2))
    transport = Transport(clock=clock, sleep=lambda seconds: clock.forward(100))
    with pytest.raises(CognitoUnavailable, match="in time"):
        post(transport, server.url)


def test_longest_call_covers_total_and_the_last_read():
    assert Transport(total_seconds=4, read_seconds=1).max_call_seconds == 5


@pytest.mark.parametrize(
    "url",
    ["http://example.com/x", "file:///etc/passwd", "data:application/json,{}", "ftp://h/x", "x"],
)
def test_unsafe_url_gets_no_request(transport, url):
    with pytest.raises(ConfigurationError) as refused:
        transport.get(url)
    assert list(refused.value.problems) == [url]


def test_unusable_proxy_is_a_configuration_error_without_retry(transport, pauses, monkeypatch):
    monkeypatch.setenv("https_proxy", "gopher://localhost:1")
    with pytest.raises(ConfigurationError, match="proxy"):
        transport.get("https://keys.example.com/x")
    assert pauses == []


@responses.activate
def test_host_projects_can_use_the_responses_library(transport):
    responses.get("https://keys.example.com/jwks.json", body=b"{}")
    assert transport.get("https://keys.example.com/jwks.json") == b"{}"
