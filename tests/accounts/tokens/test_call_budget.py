"""Failed calls to Cognito are counted per subnet, exactly, in the database."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from django.core.cache.backends.locmem import LocMemCache
from django.db import connection
from django.test import RequestFactory

from accounts.core import request_meta
from accounts.models import RateCounter
from accounts.models.rate_limit import is_first_refusal, is_used_up, take
from accounts.problems.errors import TooManyFailures
from accounts.provider import shared_cache
from accounts.tokens import call_budget as tokens_call_budget
from accounts.tokens.call_budget import call_budget

pytestmark = pytest.mark.django_db
SUBNET = "192.0.2.1"


@pytest.fixture
def now(monkeypatch):
    """A list that holds the current time, 12 seconds into a window."""
    now = [1_800_000_012.0]
    monkeypatch.setattr(tokens_call_budget, "time", SimpleNamespace(time=lambda: now[0]))
    return now


def subnet(**meta):
    return request_meta.subnet_of(RequestFactory().get("/", **meta))


def fail():
    with pytest.raises(ZeroDivisionError), call_budget(SUBNET):
        raise ZeroDivisionError


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_key_can_be_taken_up_to_its_limit(limit):
    results = [take("a", limit=limit, seconds=60) for _ in range(limit + 3)]
    assert results == [True] * limit + [False] * 3
    assert RateCounter.objects.get().count == limit


def test_refusal_writes_nothing(django_assert_num_queries):
    take("a", limit=1, seconds=60)
    with django_assert_num_queries(1) as queries:
        assert not take("a", limit=1, seconds=60)
    assert queries.captured_queries[0]["sql"].startswith("SELECT")


def test_keys_are_counted_separately():
    assert take("a", limit=1, seconds=60)
    assert take("b", limit=1, seconds=60)


def test_checking_a_key_does_not_take_it():
    assert not is_used_up("a", limit=1)
    assert not RateCounter.objects.exists()
    take("a", limit=1, seconds=60)
    assert is_used_up("a", limit=1)
    assert not is_used_up("a", limit=2)


def test_first_refusal_is_reported_once():
    take("a", limit=2, seconds=60)
    assert not is_first_refusal("a", limit=2)
    take("a", limit=2, seconds=60)
    assert [is_first_refusal("a", limit=2) for _ in range(3)] == [True, False, False]
    assert not take("a", limit=2, seconds=60)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("limit", [1, 5])
def test_concurrent_requests_do_not_exceed_the_limit(limit):
    def attempt(number):
        try:
            return take("a", limit=limit, seconds=60)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(attempt, range(40)))
    assert results.count(True) == limit
    assert RateCounter.objects.get().count == limit


def test_failed_calls_use_up_the_budget(now, monkeypatch):
    monkeypatch.setattr(tokens_call_budget, "MAX_FAILED_CALLS", 3)
    for _ in range(3):
        fail()
    with pytest.raises(TooManyFailures) as caught, call_budget(SUBNET):
        pytest.fail("Cognito would be called")
    assert caught.value.retry_after == 48
    with call_budget("192.0.2.2"):
        pass
    now[0] += 48
    fail()


def test_successful_calls_are_refunded(limit_failed_calls):
    limit_failed_calls(2)
    fail()
    for _ in range(10):
        with call_budget(SUBNET):
            pass
    fail()
    with pytest.raises(TooManyFailures), call_budget(SUBNET):
        pass


def test_calls_in_progress_count(limit_failed_calls):
    """Otherwise, all calls of a burst would start before the first one has failed."""
    limit_failed_calls(1)
    with call_budget(SUBNET), pytest.raises(TooManyFailures), call_budget(SUBNET):
        pass


@pytest.mark.parametrize("value", [0, -1000, 10**9, "text", [1]])
def test_values_in_the_shared_cache_do_not_change_a_limit(settings, monkeypatch, value):
    class Hostile(LocMemCache):
        def get(self, *args, **kwargs):
            return value

        def incr(self, *args, **kwargs):
            return value

    settings.COGNITO = {**settings.COGNITO, "SHARED_CACHE": "default"}
    monkeypatch.setattr(shared_cache, "caches", {"default": Hostile("hostile", {})})
    assert [take("a", limit=2, seconds=60) for _ in range(3)] == [True, True, False]


def test_another_ip_address_is_another_subnet():
    assert subnet(REMOTE_ADDR="192.0.2.1") != subnet(REMOTE_ADDR="192.0.2.2")


def test_forwarded_header_of_an_untrusted_sender_is_ignored():
    spoofed = subnet(REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR="198.51.100.7")
    assert spoofed == "192.0.2.1"


def test_client_ip_comes_from_a_trusted_proxy(settings):
    settings.TRUSTED_PROXIES = ["192.0.2.1"]
    forwarded = subnet(REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR="spoofed, 198.51.100.7")
    assert forwarded == "198.51.100.7"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("", "", True),
    ],
)
def test_ip_addresses_of_one_ipv6_network_are_one_subnet(one, other, same):
    assert (subnet(REMOTE_ADDR=one) == subnet(REMOTE_ADDR=other)) is same
