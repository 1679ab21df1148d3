"""Calls to Cognito are bounded and counted."""

import threading
from contextlib import ExitStack, contextmanager

import pytest

from accounts.cognito.config import CognitoConfig
from accounts.cognito.errors import CognitoUnavailable, GrantRejected, TokenEndpointError
from accounts.cognito.transport import Response
from accounts.core import metrics
from accounts.provider import bounded_endpoint
from accounts.provider.bounded_endpoint import CallSlots, WatchedTokenEndpoint, counted_fetch

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
    monkeypatch.setattr(bounded_endpoint, "WAIT_FOR_A_PLACE", 0.05)
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


@pytest.fixture
def impatient(monkeypatch):
    """Whoever finds no free slot gives up at once."""
    monkeypatch.setattr(bounded_endpoint, "WAIT_FOR_A_PLACE", 0)


@contextmanager
def held(slots, *subnets):
    """Hold as many slots as there are for these; yields how many that were."""
    with ExitStack() as stack:
        count = 0
        for subnet in subnets:
            try:
                stack.enter_context(slots.slot(subnet))
            except CognitoUnavailable:
                continue
            count += 1
        yield count


@pytest.mark.parametrize(
    ("total", "strangers"), [(1, 1), (2, 1), (3, 2), (4, 3), (8, 6), (16, 12), (32, 24)]
)
def test_strangers_leave_slots_to_signed_in_users(impatient, total, strangers):
    slots = CallSlots(total)
    crowd = [f"192.0.2.{number}" for number in range(100)]
    with held(slots, *crowd) as count:
        assert count == strangers
        with held(slots, *[None] * 100) as users:
            assert users == total - strangers


@pytest.mark.parametrize(
    ("total", "most"), [(1, 1), (2, 1), (3, 1), (4, 2), (8, 3), (16, 6), (32, 12)]
)
def test_one_subnet_leaves_half_of_the_rest_to_others(impatient, total, most):
    slots = CallSlots(total)
    with held(slots, *["192.0.2.1"] * 100) as count:
        assert count == most
        if total > 2:
            with held(slots, "192.0.2.2") as newcomers:
                assert newcomers == 1


def test_signed_in_users_may_take_every_slot(impatient):
    slots = CallSlots(8)
    with held(slots, *[None] * 100) as count:
        assert count == 8
        with pytest.raises(CognitoUnavailable), slots.slot("192.0.2.1"):
            pass


def test_slot_is_returned_after_a_failure(impatient):
    slots = CallSlots(2)
    for subnet in ["192.0.2.1", None] * 3:
        with pytest.raises(GrantRejected), slots.slot(subnet):
            raise GrantRejected("no", error="invalid_grant")
    assert not slots._strangers  # a subnet that left is not remembered
    with held(slots, "192.0.2.2", None) as count:
        assert count == 2


def test_thread_that_waits_gets_the_slot_that_is_returned(monkeypatch):
    monkeypatch.setattr(bounded_endpoint, "WAIT_FOR_A_PLACE", 20)
    slots, arrived = CallSlots(1), threading.Event()

    def arrive():
        with slots.slot("192.0.2.2"):
            arrived.set()

    with slots.slot("192.0.2.1"):
        thread = threading.Thread(target=arrive)
        thread.start()
        assert not arrived.is_set()
    assert arrived.wait(10)
    thread.join()


@pytest.mark.parametrize(("call", "arguments"), [("refresh", ("token",)), ("revoke", ("token",))])
def test_users_call_does_not_wait_behind_strangers(endpoint, transport, call, arguments):
    """Of two slots one is the strangers': a second stranger gets none, the user gets one."""
    transport.answer = Response(400, b'{"error": "invalid_grant"}')

    def stranger():
        with pytest.raises(GrantRejected):
            endpoint.exchange(code="a", redirect_uri="b", code_verifier=None, subnet="192.0.2.1")

    def user():
        with pytest.raises(TokenEndpointError):
            getattr(endpoint, call)(*arguments)

    threads = [threading.Thread(target=stranger), threading.Thread(target=user)]
    for thread in threads:
        thread.start()
        assert transport.waiting.acquire(timeout=10)
        with pytest.raises(CognitoUnavailable, match="too many calls"):
            endpoint.refresh("token", subnet="192.0.2.2")
    transport.go_on.set()
    for thread in threads:
        thread.join()
