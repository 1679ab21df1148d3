from types import SimpleNamespace

import pytest
from django.core.cache.backends.locmem import LocMemCache
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from accounts import accelerator as accelerator_module
from accounts.api import throttle as throttle_module
from accounts.api.throttle import TokensThrottle
from accounts.models import Tally


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


@pytest.mark.django_db
def test_limit_answers_429_and_when_to_try_again(client, monkeypatch):
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
    assert Tally.objects.get().count == limit + 1


@pytest.mark.django_db
@pytest.mark.parametrize("value", [0, -1000, 10**9, "text", [1]])
def test_whoever_writes_to_the_shared_cache_moves_no_limit(client, settings, monkeypatch, value):
    class Hostile(LocMemCache):
        def get(self, *args, **kwargs):
            return value

        def incr(self, *args, **kwargs):
            return value

    settings.COGNITO = {**settings.COGNITO, "SHARED_CACHE": "default"}
    monkeypatch.setattr(accelerator_module, "caches", {"default": Hostile("hostile", {})})
    monkeypatch.setattr(TokensThrottle, "get_rate", lambda self: "2/min")
    monkeypatch.setattr(throttle_module, "time", SimpleNamespace(time=lambda: 1_800_000_012.0))
    path = "/api/auth/get-tokens"
    statuses = [client.post(path, {}, "application/json").status_code for _ in range(3)]
    assert statuses == [400, 400, 429]


@pytest.mark.django_db
def test_next_window_counts_anew(monkeypatch):
    request = Request(APIRequestFactory().post("/api/auth/get-tokens"))
    throttle = TokensThrottle()
    throttle.num_requests = 1
    at = 1_800_000_000.0
    monkeypatch.setattr(throttle_module, "time", SimpleNamespace(time=lambda: at))
    assert throttle.allow_request(request, None)
    assert not throttle.allow_request(request, None)
    at += 60
    assert throttle.allow_request(request, None)
