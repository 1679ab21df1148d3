"""Calls to Cognito are limited and counted."""

import threading
from contextlib import ExitStack, contextmanager

import pytest

from accounts.cognito.config import CognitoConfig
from accounts.cognito.errors import CognitoUnavailable, GrantRejected, TokenEndpointError
from accounts.cognito.transport import Response
from accounts.core import metrics
from accounts.provider import bounded_endpoint
from accounts.provider.bounded_endpoint import BoundedTokenEndpoint, CallSlots, count_fetches

CONFIG = CognitoConfig(
    pool_id="eu-west-1_AbCdEfGhI",
    client_id="1example23456789abcdefghij",
    client_secret="a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0u1v2w3x4y5z",
    domain="my-prefix",
)


class Transport:
    """A transport that responds when `resume` is set."""

    def __init__(self):
        self.waiting = threading.Semaphore(0)
        self.resume = threading.Event()
        self.response = Response(200, b"{}")

    def post_form(self, url, fields, **options):
        self.waiting.release()
        assert self.resume.wait(10)
        return self.response


class Sink:
    def __init__(self):
        self.samples = []

    def count(self, name, labels):
        self.samples.append((name, labels))

    def observe(self, name, seconds, labels):
        self.samples.append((name, labels))


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
    monkeypatch.setattr(bounded_endpoint, "MAX_SLOT_WAIT_SECONDS", 0.05)
    return BoundedTokenEndpoint(CONFIG, transport, None, calls_at_once=2)


def test_slow_cognito_blocks_only_the_maximum_of_threads(endpoint, transport, sink):
    threads = [threading.Thread(target=endpoint.revoke, args=("token",)) for _ in range(2)]
    for thread in threads:
        thread.start()
        assert transport.waiting.acquire(timeout=60)
    with pytest.raises(CognitoUnavailable, match="too many calls"):
        endpoint.revoke("token")
    transport.resume.set()
    for thread in threads:
        thread.join()
    endpoint.revoke("token")
    outcomes = sorted(labels["outcome"] for _, labels in sink.samples)
    assert outcomes == ["crowded", "ok", "ok", "ok"]


def test_slot_is_released_after_a_refusal(endpoint, transport, sink):
    transport.resume.set()
    transport.response = Response(400, b'{"error": "invalid_grant"}')
    for _ in range(5):
        with pytest.raises(GrantRejected):
            endpoint.refresh("token")
    assert (
        sink.samples == [("token_endpoint", {"call": "refresh", "outcome": "grant_rejected"})] * 5
    )


def test_downloads_of_keys_are_counted_by_outcome(sink):
    def broken():
        raise CognitoUnavailable("away")

    assert count_fetches(lambda: b"keys")() == b"keys"
    with pytest.raises(CognitoUnavailable):
        count_fetches(broken)()
    assert sink.samples == [
        ("jwks_fetches", {"outcome": "ok"}),
        ("jwks_fetches", {"outcome": "failed"}),
    ]


@pytest.fixture
def no_wait(monkeypatch):
    """A call without a free slot fails immediately."""
    monkeypatch.setattr(bounded_endpoint, "MAX_SLOT_WAIT_SECONDS", 0)


@contextmanager
def hold(slots, *subnets):
    """Hold one slot for each subnet while there are free ones, and yield their number."""
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
    ("total", "maximum"), [(1, 1), (2, 1), (3, 2), (4, 3), (8, 6), (16, 12), (32, 24)]
)
def test_slots_are_reserved_for_signed_in_users(no_wait, total, maximum):
    slots = CallSlots(total)
    subnets = [f"192.0.2.{number}" for number in range(100)]
    with hold(slots, *subnets) as count:
        assert count == maximum
        with hold(slots, *[None] * 100) as users:
            assert users == total - maximum


@pytest.mark.parametrize(
    ("total", "maximum"), [(1, 1), (2, 1), (3, 1), (4, 2), (8, 3), (16, 6), (32, 12)]
)
def test_subnet_leaves_half_of_the_free_slots_to_others(no_wait, total, maximum):
    slots = CallSlots(total)
    with hold(slots, *["192.0.2.1"] * 100) as count:
        assert count == maximum
        if total > 2:
            with hold(slots, "192.0.2.2") as second_count:
                assert second_count == 1


def test_signed_in_users_may_take_every_slot(no_wait):
    slots = CallSlots(8)
    with hold(slots, *[None] * 100) as count:
        assert count == 8
        with pytest.raises(CognitoUnavailable), slots.slot("192.0.2.1"):
            pass


def test_slot_is_free_after_a_failure(no_wait):
    slots = CallSlots(2)
    for subnet in ["192.0.2.1", None] * 3:
        with pytest.raises(GrantRejected), slots.slot(subnet):
            raise GrantRejected("no", error="invalid_grant")
    assert not slots._anonymous  # subnets without a slot are not stored
    with hold(slots, "192.0.2.2", None) as count:
        assert count == 2


def test_waiting_thread_gets_the_released_slot(monkeypatch):
    monkeypatch.setattr(bounded_endpoint, "MAX_SLOT_WAIT_SECONDS", 20)
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
def test_call_of_a_user_does_not_wait_for_anonymous_calls(endpoint, transport, call, arguments):
    """One of two slots is reserved: a second anonymous call gets none, the user's call gets one."""
    transport.response = Response(400, b'{"error": "invalid_grant"}')

    def call_anonymously():
        with pytest.raises(GrantRejected):
            endpoint.exchange(code="a", redirect_uri="b", code_verifier=None, subnet="192.0.2.1")

    def call_as_user():
        with pytest.raises(TokenEndpointError):
            getattr(endpoint, call)(*arguments)

    threads = [threading.Thread(target=call_anonymously), threading.Thread(target=call_as_user)]
    for thread in threads:
        thread.start()
        assert transport.waiting.acquire(timeout=60)
        with pytest.raises(CognitoUnavailable, match="too many calls"):
            endpoint.refresh("token", subnet="192.0.2.2")
    transport.resume.set()
    for thread in threads:
        thread.join()
