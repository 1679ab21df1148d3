"""The shared cache, and what happens without it."""

import logging

import pytest

from accounts.provider import shared_cache as module
from accounts.provider.shared_cache import RETRY_PAUSE_SECONDS, SharedCache


class Cache:
    """A Django cache that can raise an error for each call, and counts the calls."""

    def __init__(self):
        self.values, self.error, self.read_only, self.calls = {}, None, False, 0

    def get(self, key):
        self.calls += 1
        if self.error:
            raise self.error
        return self.values.get(key)

    def set(self, key, value, seconds):
        self.calls += 1
        if self.error:
            raise self.error
        if self.read_only:
            raise ConnectionError("READONLY You can't write against a read only replica.")
        self.values[key] = value


@pytest.fixture
def cache(monkeypatch, settings):
    settings.CACHES = {**settings.CACHES, "shared": settings.CACHES["default"]}
    settings.COGNITO = {**settings.COGNITO, "SHARED_CACHE": "shared"}
    cache = Cache()
    monkeypatch.setattr(module, "caches", {"shared": cache})
    return cache


@pytest.fixture
def now():
    return [100.0]


@pytest.fixture
def wall():
    return [1_000_000.0]


@pytest.fixture
def shared_cache(cache, now, wall):
    return SharedCache(clock=lambda: now[0], wall_clock=lambda: wall[0])


DOWN = ConnectionError("connection refused")


def stored(cache, key="a"):
    """Return the name and the signed value of the entry for `key`."""
    return next(item for item in cache.values.items() if item[0].endswith(f":{key}"))


def test_value_is_stored(shared_cache):
    shared_cache.set("a", {"b": [1]}, seconds=5)
    assert shared_cache.get("a", max_age=5) == {"b": [1]}


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "text",
        "a:b",
        "é\u2028",
        5,
        1.5,
        True,
        [1, 2],
        {"value": 1, "until": 9e9},
        b"bytes",
        "x" * 10**6,
        ":" * 1000,
    ],
)
def test_malformed_value_counts_as_absent(shared_cache, cache, value):
    shared_cache.set("a", 1, seconds=5)
    cache.values[stored(cache)[0]] = value
    assert shared_cache.get("a", max_age=5) is None
    assert not shared_cache.is_down()


def test_value_with_one_changed_character_counts_as_absent(shared_cache, cache):
    shared_cache.set("a", {"b": 1}, seconds=5)
    name, signed_value = stored(cache)
    for index, character in enumerate(signed_value):
        other = chr(ord(character) ^ 1)
        cache.values[name] = signed_value[:index] + other + signed_value[index + 1 :]
        assert shared_cache.get("a", max_age=5) is None, index
    cache.values[name] = signed_value
    assert shared_cache.get("a", max_age=5) == {"b": 1}


def test_value_of_another_key_counts_as_absent(shared_cache, cache):
    shared_cache.set("a", 1, seconds=5)
    name, signed_value = stored(cache)
    cache.values[f"{name[:-1]}b"] = signed_value
    assert shared_cache.get("b", max_age=5) is None


@pytest.mark.parametrize(
    "foreign",
    [{"SECRET_KEY": "of-a-neighbor"}, {"PUBLIC_URL": "https://another.example"}],
    ids=lambda foreign: next(iter(foreign)),
)
def test_value_of_another_site_counts_as_absent(shared_cache, cache, settings, foreign):
    ours, key = settings.COGNITO, settings.SECRET_KEY
    settings.SECRET_KEY = foreign.get("SECRET_KEY", key)
    settings.COGNITO = {**ours, "PUBLIC_URL": foreign.get("PUBLIC_URL", ours["PUBLIC_URL"])}
    shared_cache.set("a", "foreign", seconds=5)
    signed_value = stored(cache)[1]
    settings.SECRET_KEY, settings.COGNITO = key, ours
    shared_cache.set("a", "ours", seconds=5)
    for name in cache.values:
        cache.values[name] = signed_value
    assert shared_cache.get("a", max_age=5) is None


def test_servers_that_prefer_different_issuers_of_the_pool_share_values(
    shared_cache, cache, settings
):
    pool_id = "eu-west-1_AbCdEf123"
    settings.COGNITO = {**settings.COGNITO, "POOL_ID": pool_id, "ISSUER": ""}
    shared_cache.set("a", 1, seconds=5)
    updated = f"https://issuer-cognito-idp.eu-west-1.amazonaws.com/{pool_id}"
    settings.COGNITO = {**settings.COGNITO, "ISSUER": updated}
    assert shared_cache.get("a", max_age=5) == 1


def test_replayed_value_expires(shared_cache, wall):
    shared_cache.set("a", 1, seconds=0.4)
    wall[0] += 0.39
    assert shared_cache.get("a", max_age=5) == 1
    wall[0] += 0.02
    assert shared_cache.get("a", max_age=5) is None


def test_value_stored_for_longer_than_max_age_counts_as_absent(shared_cache):
    """This includes a value of a process whose clock is ahead, which could be replayed too long."""
    shared_cache.set("a", 1, seconds=5)
    assert shared_cache.get("a", max_age=0.4) is None


def test_broken_cache_raises_no_error(shared_cache, cache):
    cache.error = DOWN
    assert shared_cache.get("a", max_age=1) is None
    shared_cache.set("a", 1, seconds=1)
    assert shared_cache.is_down()


def test_broken_cache_is_not_used_during_the_pause(shared_cache, cache, now):
    cache.error = DOWN
    for _ in range(10):
        shared_cache.get("a", max_age=1)
    assert cache.calls == 1
    now[0] += RETRY_PAUSE_SECONDS
    for _ in range(10):
        shared_cache.get("a", max_age=1)
    assert cache.calls == 2


def test_one_thread_tries_after_the_pause_and_the_others_do_not_wait(shared_cache, cache, now):
    cache.error = DOWN
    shared_cache.get("a", max_age=1)
    now[0] += RETRY_PAUSE_SECONDS
    values = []

    class Hanging(Exception):
        pass

    def hang(key, value, seconds):
        values.append(shared_cache.get("a", max_age=1))  # as another thread at the same time
        raise Hanging

    cache.set = hang
    shared_cache.get("a", max_age=1)
    assert values == [None]


def test_outage_and_recovery_are_logged_once(shared_cache, cache, now, caplog):
    caplog.set_level(logging.WARNING)
    cache.error = DOWN
    for _ in range(5):
        shared_cache.get("a", max_age=1)
        now[0] += RETRY_PAUSE_SECONDS
    cache.error = None
    for _ in range(5):
        shared_cache.get("a", max_age=1)
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 2
    assert "is not used: connection refused" in messages[0]
    assert "responds again" in messages[1]


def test_read_only_cache_is_down_and_does_not_flap(shared_cache, cache, now, caplog):
    caplog.set_level(logging.WARNING)
    cache.read_only = True
    for _ in range(5):
        shared_cache.get("a", max_age=1)
        shared_cache.set("a", 1, seconds=1)
        assert shared_cache.is_down()
        now[0] += RETRY_PAUSE_SECONDS
    assert len(caplog.records) == 1
    cache.read_only = False
    shared_cache.set("a", 1, seconds=1)
    assert shared_cache.get("a", max_age=1) == 1
    assert len(caplog.records) == 2


def test_cache_that_loses_values_is_down(shared_cache, cache):
    cache.set = lambda *args: None
    assert shared_cache.is_down()


def test_probes_do_not_change_pause_log_and_state(shared_cache, cache, now, caplog):
    cache.error = DOWN
    assert shared_cache.is_down()
    cache.error = None
    shared_cache.set("a", 1, seconds=1)
    assert shared_cache.get("a", max_age=1) == 1  # a failed probe starts no pause
    cache.error = DOWN
    shared_cache.get("a", max_age=1)
    cache.error = None
    assert not shared_cache.is_down()
    assert shared_cache.get("a", max_age=1) is None  # a successful probe ends no pause
    now[0] += RETRY_PAUSE_SECONDS
    assert shared_cache.get("a", max_age=1) == 1
    assert len(caplog.records) == 2


def test_site_without_a_cache_does_not_use_one(shared_cache, cache, settings):
    settings.COGNITO = {**settings.COGNITO, "SHARED_CACHE": ""}
    shared_cache.set("a", 1, seconds=1)
    assert shared_cache.get("a", max_age=1) is None
    assert not shared_cache.is_down()
    assert cache.calls == 0
