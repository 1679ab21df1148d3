from types import SimpleNamespace

import pytest
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from accounts.api import throttle as throttle_module
from accounts.api.throttle import TokensThrottle
from accounts.models import Tally

LOCMEM = "django.core.cache.backends.locmem.LocMemCache"


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


@pytest.fixture
def shared_cache(settings):
    settings.COGNITO = {**settings.COGNITO, "SHARED_CACHE": "default"}
    settings.CACHES = {"default": {"BACKEND": LOCMEM, "LOCATION": "throttling"}}
    cache.clear()


@pytest.fixture
def no_shared_cache(settings):
    settings.COGNITO = {**settings.COGNITO, "SHARED_CACHE": ""}


@pytest.mark.django_db
@pytest.mark.parametrize("counted_in", ["shared_cache", "no_shared_cache"])
def test_limit_answers_429_and_when_to_try_again(client, request, counted_in, monkeypatch):
    request.getfixturevalue(counted_in)
    monkeypatch.setattr(throttle_module, "time", SimpleNamespace(time=lambda: 1_800_000_012.0))
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
    assert answer.headers["Retry-After"] == "48"
    assert Tally.objects.count() == (counted_in == "no_shared_cache")


@pytest.mark.django_db
def test_next_window_counts_anew(no_shared_cache, monkeypatch):
    request = Request(APIRequestFactory().post("/api/auth/get-tokens"))
    throttle = TokensThrottle()
    throttle.num_requests = 1
    at = 1_800_000_000.0
    monkeypatch.setattr(throttle_module, "time", SimpleNamespace(time=lambda: at))
    assert throttle.allow_request(request, None)
    assert not throttle.allow_request(request, None)
    at += 60
    assert throttle.allow_request(request, None)
