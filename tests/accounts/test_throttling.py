import pytest
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from accounts.throttling import TokensThrottle


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()
    yield
    cache.clear()


def key(**meta):
    request = Request(APIRequestFactory().post("/api/auth/get-tokens", **meta))
    return TokensThrottle().get_cache_key(request, None)


def test_another_address_has_a_limit_of_its_own():
    assert key(REMOTE_ADDR="192.0.2.1") != key(REMOTE_ADDR="192.0.2.2")


def test_spoofed_header_changes_nothing():
    spoofed = key(REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR="198.51.100.7")
    assert spoofed == key(REMOTE_ADDR="192.0.2.1")


def test_trusted_proxy_tells_the_client(settings):
    settings.TRUSTED_PROXIES = ["192.0.2.1"]
    first = key(REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR="spoofed, 198.51.100.7")
    assert first == key(REMOTE_ADDR="198.51.100.7")


def test_addresses_of_one_ipv6_network_share_a_limit():
    assert key(REMOTE_ADDR="2001:db8::1") == key(REMOTE_ADDR="2001:db8::ffff:1")
    assert key(REMOTE_ADDR="2001:db8::1") != key(REMOTE_ADDR="2001:db8:0:1::1")


def test_request_without_an_address_is_limited_too():
    assert key(REMOTE_ADDR="").endswith("None")


def test_limit_answers_429_and_when_to_try_again(client):
    limit = TokensThrottle().num_requests
    for _ in range(limit):
        assert client.post("/api/auth/get-tokens", {}, "application/json").status_code == 400
    answer = client.post(
        "/api/auth/get-tokens",
        {},
        "application/json",
        headers={"X-Forwarded-For": "198.51.100.7"},
    )
    assert (answer.status_code, answer.json()["code"]) == (429, "throttled")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
