"""Calls to Cognito are bounded and counted."""

import threading

import pytest

from accounts import cognito_calls, metrics
from accounts.cognito.config import CognitoConfig
from accounts.cognito.errors import CognitoUnavailable, GrantRejected
from accounts.cognito.transport import Response
from accounts.cognito_calls import WatchedTokenEndpoint, counted_fetch

CONFIG = CognitoConfig(
    pool_id="eu-west-1_AbCdEfGhI",
    client_id="1example23456789abcdefghij",
    client_secret="a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0u1v2w3x4y5z",
    domain="my-prefix",
)


class Transport:
    """Answers revocations when told to."""

    def __init__(self):
        self.waiting = threading.Semaphore(0)
        self.go_on = threading.Event()
        self.answer = Response(200, b"{}")

    def post_form(self, url, fields, **options):
        self.waiting.release()
        assert self.go_on.wait(10)
        return self.answer


class Sink:
    def __init__(self):
        self.told = []

    def count(self, name, labels):
        self.told.append((name, labels))

    def observe(self, name, seconds, labels):
        self.told.append((name, labels))


@pytest.fixture
def sink(monkeypatch):
    sink = Sink()
    monkeypatch.setattr(metrics, "_sinks", [sink])
    return sink


@pytest.fixture
def transport():
    return Transport()


@pytest.fixture
def endpoint(transport, monkeypatch):
    monkeypatch.setattr(cognito_calls, "WAIT_FOR_A_PLACE", 0.05)
    return WatchedTokenEndpoint(CONFIG, transport, calls_at_once=2)


def test_slow_cognito_takes_no_more_threads_than_it_may(endpoint, transport, sink):
    threads = [threading.Thread(target=endpoint.revoke, args=("token",)) for _ in range(2)]
    for thread in threads:
        thread.start()
        assert transport.waiting.acquire(timeout=10)
    with pytest.raises(CognitoUnavailable, match="too many calls"):
        endpoint.revoke("token")
    transport.go_on.set()
    for thread in threads:
        thread.join()
    endpoint.revoke("token")
    outcomes = sorted(labels["outcome"] for _, labels in sink.told)
    assert outcomes == ["crowded", "ok", "ok", "ok"]


def test_place_is_given_back_after_a_refusal(endpoint, transport, sink):
    transport.go_on.set()
    transport.answer = Response(400, b'{"error": "invalid_grant"}')
    for _ in range(5):
        with pytest.raises(GrantRejected):
            endpoint.refresh("token")
    assert sink.told == [("token_endpoint", {"call": "refresh", "outcome": "grant_rejected"})] * 5


def test_downloads_of_keys_are_counted_by_outcome(sink):
    def broken():
        raise CognitoUnavailable("away")

    assert counted_fetch(lambda: b"keys")() == b"keys"
    with pytest.raises(CognitoUnavailable):
        counted_fetch(broken)()
    told = [("jwks_fetches", {"outcome": "ok"}), ("jwks_fetches", {"outcome": "failed"})]
    assert sink.told == told
