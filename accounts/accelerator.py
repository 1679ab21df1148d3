"""The cache that all processes share, behind one wrapper: it makes things faster and holds nothing.

Everything stands in the database; whatever is asked here may be answered with "not known". So a
cache that is absent, lost, emptied or slow costs time and nothing else. After a failure it is left
alone for a moment, so that not every request waits for it, and going and coming back are logged
once each.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Lock
from typing import Any

from django.core.cache import BaseCache, caches
from django.utils.crypto import salted_hmac

from . import metrics
from .provider import provider

PAUSE = 2.0  # seconds without asking, after a failure

_log = logging.getLogger(__name__)


class Accelerator:
    """One process's way to the cache; safe for all its threads. Values are what JSON can hold."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._closed_until = float("-inf")
        self._away = False

    def get(self, key: str) -> Any:
        """The value, or None: not there, or nobody answers."""
        return self._ask(lambda cache: cache.get(_name(key)))

    def set(self, key: str, value: Any, *, seconds: float) -> None:
        """Keep the value for that long, if anybody answers."""
        self._ask(lambda cache: cache.set(_name(key), value, seconds))

    def count(self, key: str, *, seconds: int) -> int | None:
        """Count one more under `key` and return how many, atomically; None: nobody answers."""

        def add(cache: BaseCache) -> int:
            cache.add(_name(key), 0, seconds)
            return cache.incr(_name(key))

        counted = self._ask(add)
        return counted if isinstance(counted, int) else None

    def is_away(self) -> bool:
        """Whether a cache is configured and does not answer just now."""
        if not is_configured():
            return False
        self._closed_until = float("-inf")
        return self._ask(lambda cache: (cache.get(_name("probe")),)) is None

    def _ask(self, question: Callable[[BaseCache], Any]) -> Any:
        if not is_configured() or self._clock() < self._closed_until:
            return None
        try:
            answer = question(caches[provider().shared_cache])
        except Exception as error:  # each backend has errors of its own, and none may get further
            self._closed_until = self._clock() + PAUSE
            metrics.count("cache_failures")
            if self._turned(away=True):
                # Its name alone where an address is at fault: the text may hold its password.
                what = type(error).__name__ if isinstance(error, ValueError) else error
                _log.warning("The shared cache doesn't answer; going on without it: %s", what)
            return None
        if self._away and self._turned(away=False):
            _log.warning("The shared cache answers again.")
        return answer

    def _turned(self, *, away: bool) -> bool:
        """Whether this is news: one thread is told so."""
        with self._lock:
            news, self._away = self._away is not away, away
        return news


def _name(key: str) -> str:
    """The key in the cache. Several sites may share one, and none may take another's word: whoever
    read a neighbour's revocations would miss its own."""
    site = salted_hmac(__name__, f"{provider().public_url} {provider().config.issuer}")
    return f"sso:{site.hexdigest()[:16]}:{key}"


def is_configured() -> bool:
    """Whether this site has a cache that its processes share."""
    return bool(provider().shared_cache)


accelerator = Accelerator()
