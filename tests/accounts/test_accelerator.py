"""The shared cache: fast while it is there, never missed when it is not."""

import logging

import pytest

from accounts import accelerator as module
from accounts.accelerator import PAUSE, Accelerator


class Cache:
    """What Django's cache interface gives, or an error for each question."""

    def __init__(self):
        self.values, self.broken, self.asked = {}, False, 0

    def _ask(self):
        self.asked += 1
        if self.broken:
            raise ConnectionError("nobody there")

    def get(self, key):
        self._ask()
        return self.values.get(key)

    def set(self, key, value, seconds):
        self._ask()
        self.values[key] = value

    def add(self, key, value, seconds):
        self._ask()
        self.values.setdefault(key, value)

    def incr(self, key):
        self._ask()
        self.values[key] += 1
        return self.values[key]


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
def accelerator(cache, now):
    return Accelerator(clock=lambda: now[0])


def test_value_comes_back(accelerator):
    accelerator.set("a", {"b": [1]}, seconds=5)
    assert accelerator.get("a") == {"b": [1]}


def test_counts_go_up(accelerator):
    assert [accelerator.count("a", seconds=60) for _ in range(3)] == [1, 2, 3]


def test_broken_cache_is_not_known_and_raises_nothing(accelerator, cache):
    cache.broken = True
    assert accelerator.get("a") is None
    accelerator.set("a", 1, seconds=1)
    assert accelerator.count("a", seconds=1) is None
    assert accelerator.is_away()


def test_broken_cache_is_left_alone_for_a_moment(accelerator, cache, now):
    cache.broken = True
    for _ in range(10):
        accelerator.get("a")
    assert cache.asked == 1
    now[0] += PAUSE
    accelerator.get("a")
    assert cache.asked == 2


def test_going_and_coming_back_are_logged_once_each(accelerator, cache, now, caplog):
    caplog.set_level(logging.WARNING)
    cache.broken = True
    for _ in range(5):
        accelerator.get("a")
        now[0] += PAUSE
    cache.broken = False
    for _ in range(5):
        accelerator.get("a")
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 2
    assert "going on without it: nobody there" in messages[0]
    assert "answers again" in messages[1]


def test_site_without_a_cache_asks_nobody(accelerator, cache, settings):
    settings.COGNITO = {**settings.COGNITO, "SHARED_CACHE": ""}
    accelerator.set("a", 1, seconds=1)
    assert accelerator.get("a") is None
    assert accelerator.count("a", seconds=1) is None
    assert not accelerator.is_away()
    assert cache.asked == 0
