"""The shared cache: fast while it is there, never missed when it is not."""

import logging

import pytest

from accounts.provider import shared_cache as module
from accounts.provider.shared_cache import PAUSE, Accelerator


class Cache:
    """What Django's cache interface gives, or an error for each call."""

    def __init__(self):
        self.values, self.error, self.read_only, self.asked = {}, None, False, 0

    def get(self, key):
        self.asked += 1
        if self.error:
            raise self.error
        return self.values.get(key)

    def set(self, key, value, seconds):
        self.asked += 1
        if self.error:
            raise self.error
        if self.read_only:
            raise ConnectionError("READONLY You can't write against a read only replica.")
        self.values[key] = value


@pytest.fixture
def cache(monkeypatch, settings):
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
def accelerator(cache, now, wall):
    return Accelerator(clock=lambda: now[0], wall_clock=lambda: wall[0])


DOWN = ConnectionError("nobody there")


def stored(cache, key="a"):
    """The name and the sealed value of the one entry that is not a probe's."""
    return next(item for item in cache.values.items() if item[0].endswith(f":{key}"))


def test_value_comes_back(accelerator):
    accelerator.set("a", {"b": [1]}, seconds=5)
    assert accelerator.get("a", max_age=5) == {"b": [1]}


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
def test_malformed_value_counts_as_absent(accelerator, cache, value):
    accelerator.set("a", 1, seconds=5)
    cache.values[stored(cache)[0]] = value
    assert accelerator.get("a", max_age=5) is None
    assert not accelerator.is_away()


def test_value_with_one_changed_character_counts_as_absent(accelerator, cache):
    accelerator.set("a", {"b": 1}, seconds=5)
    name, sealed = stored(cache)
    for at in range(len(sealed)):
        cache.values[name] = sealed[:at] + chr(ord(sealed[at]) ^ 1) + sealed[at + 1 :]
        assert accelerator.get("a", max_age=5) is None, at
    cache.values[name] = sealed
    assert accelerator.get("a", max_age=5) == {"b": 1}


def test_value_of_another_key_counts_as_absent(accelerator, cache):
    accelerator.set("a", 1, seconds=5)
    name, sealed = stored(cache)
    cache.values[f"{name[:-1]}b"] = sealed
    assert accelerator.get("b", max_age=5) is None


@pytest.mark.parametrize(
    "foreign",
    [{"SECRET_KEY": "of-a-neighbor"}, {"PUBLIC_URL": "https://another.example"}],
    ids=lambda foreign: next(iter(foreign)),
)
def test_value_of_another_site_counts_as_absent(accelerator, cache, settings, foreign):
    ours, key = settings.COGNITO, settings.SECRET_KEY
    settings.SECRET_KEY = foreign.get("SECRET_KEY", key)
    settings.COGNITO = {**ours, **foreign}
    accelerator.set("a", "foreign", seconds=5)
    sealed = stored(cache)[1]
    settings.SECRET_KEY, settings.COGNITO = key, ours
    accelerator.set("a", "ours", seconds=5)
    for name in cache.values:
        cache.values[name] = sealed
    assert accelerator.get("a", max_age=5) is None


def test_replayed_value_is_not_older_than_it_was_stored_for(accelerator, wall):
    accelerator.set("a", 1, seconds=0.4)
    wall[0] += 0.39
    assert accelerator.get("a", max_age=5) == 1
    wall[0] += 0.02
    assert accelerator.get("a", max_age=5) is None


def test_value_that_is_stored_for_longer_than_the_reader_allows_counts_as_absent(accelerator):
    """So does one of a process whose clock is ahead: replayed, it would count for too long."""
    accelerator.set("a", 1, seconds=5)
    assert accelerator.get("a", max_age=0.4) is None


def test_broken_cache_is_not_known_and_raises_nothing(accelerator, cache):
    cache.error = DOWN
    assert accelerator.get("a", max_age=1) is None
    accelerator.set("a", 1, seconds=1)
    assert accelerator.is_away()


def test_broken_cache_is_left_alone_for_a_moment(accelerator, cache, now):
    cache.error = DOWN
    for _ in range(10):
        accelerator.get("a", max_age=1)
    assert cache.asked == 1
    now[0] += PAUSE
    for _ in range(10):
        accelerator.get("a", max_age=1)
    assert cache.asked == 2


def test_one_thread_tries_after_the_pause_and_the_others_do_not_wait(accelerator, cache, now):
    cache.error = DOWN
    accelerator.get("a", max_age=1)
    now[0] += PAUSE
    asked = []

    class Hanging(Exception):
        pass

    def hang(key, value, seconds):
        asked.append(accelerator.get("a", max_age=1))  # as another thread in the same moment
        raise Hanging

    cache.set = hang
    accelerator.get("a", max_age=1)
    assert asked == [None]


def test_going_and_coming_back_are_logged_once_each(accelerator, cache, now, caplog):
    caplog.set_level(logging.WARNING)
    cache.error = DOWN
    for _ in range(5):
        accelerator.get("a", max_age=1)
        now[0] += PAUSE
    cache.error = None
    for _ in range(5):
        accelerator.get("a", max_age=1)
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 2
    assert "going on without it: nobody there" in messages[0]
    assert "answers again" in messages[1]


def test_cache_that_can_only_be_read_is_away_and_does_not_flap(accelerator, cache, now, caplog):
    caplog.set_level(logging.WARNING)
    cache.read_only = True
    for _ in range(5):
        accelerator.get("a", max_age=1)
        accelerator.set("a", 1, seconds=1)
        assert accelerator.is_away()
        now[0] += PAUSE
    assert len(caplog.records) == 1
    cache.read_only = False
    accelerator.set("a", 1, seconds=1)
    assert accelerator.get("a", max_age=1) == 1
    assert len(caplog.records) == 2


def test_cache_that_loses_what_it_takes_is_away(accelerator, cache):
    cache.set = lambda *args: None
    assert accelerator.is_away()


def test_probes_leave_pause_log_and_state_alone(accelerator, cache, now, caplog):
    cache.error = DOWN
    assert accelerator.is_away()
    cache.error = None
    accelerator.set("a", 1, seconds=1)
    assert accelerator.get("a", max_age=1) == 1  # a failed probe pauses nothing
    cache.error = DOWN
    accelerator.get("a", max_age=1)
    cache.error = None
    assert not accelerator.is_away()
    assert accelerator.get("a", max_age=1) is None  # a probe that succeeds ends no pause
    now[0] += PAUSE
    assert accelerator.get("a", max_age=1) == 1
    assert len(caplog.records) == 2


def test_site_without_a_cache_asks_nobody(accelerator, cache, settings):
    settings.COGNITO = {**settings.COGNITO, "SHARED_CACHE": ""}
    accelerator.set("a", 1, seconds=1)
    assert accelerator.get("a", max_age=1) is None
    assert not accelerator.is_away()
    assert cache.asked == 0
