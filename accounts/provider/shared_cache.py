"""The cache that all processes share, behind one wrapper: it makes things faster and holds nothing.

Everything is stored in the database, and any lookup here may return None. So a cache that is
absent, lost, emptied or slow costs time and nothing else. After a failure it is not used for a
moment, so that not every request waits for it. The log has one line for each outage and recovery.

Whoever can write to the cache must not decide anything on this site. So each value is signed for
its key together with the time at which it expires, and a value that is malformed, foreign or old
counts as absent. Numbers that the cache itself changes (counters) cannot be signed: they belong in
the database (`models/rate_limit.py`).
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from threading import Lock
from typing import Any

from django.core.cache import BaseCache, caches
from django.core.signing import BadSignature, Signer
from django.utils.crypto import salted_hmac

from ..core import metrics
from .factory import provider

PAUSE = 2.0  # seconds without use, after a failure
_PROBE_SECONDS = 10.0

_log = logging.getLogger(__name__)


class Accelerator:
    """One process's access to the cache; safe for all its threads. Values are what JSON can hold.

    `clock` counts seconds from an arbitrary point, for the pauses. `wall_clock` is Unix time: the
    processes of a site compare it, so a machine whose clock differs reads the database instead.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._wall_clock = wall_clock
        self._lock = Lock()
        self._closed_until = float("-inf")
        self._away = False
        self._probe_key = f"probe:{secrets.token_hex(8)}"  # processes do not share it

    def get(self, key: str, *, max_age: float) -> Any:
        """Return what this site stored under `key` in the last `max_age` seconds, or None."""
        return self._use(lambda cache: self._read(cache, key, max_age))

    def set(self, key: str, value: Any, *, seconds: float) -> None:
        """Store `value` for `seconds`, if the cache responds."""
        self._use(lambda cache: self._write(cache, key, value, seconds))

    def is_away(self) -> bool:
        """Return True if a cache is configured and does not store values now.

        This leaves the pause after a failure and the log alone, so that probes affect no request.
        """
        if not is_configured():
            return False
        try:
            return not self._stores(caches[provider().shared_cache])
        except Exception:  # each backend has errors of its own
            return True

    def _use(self, operation: Callable[[BaseCache], Any]) -> Any:
        if not is_configured() or not self._may_try():
            return None
        recovering = self._away
        try:
            cache = caches[provider().shared_cache]
            if recovering and not self._stores(cache):
                raise OSError("values are not stored")
            value = operation(cache)
        except Exception as error:  # each backend has errors of its own, and none may get further
            self._closed_until = self._clock() + PAUSE
            metrics.count("cache_failures")
            if self._turned(away=True):
                # Its name alone where an address is at fault: the text may hold its password.
                what = type(error).__name__ if isinstance(error, ValueError) else error
                _log.warning("The shared cache doesn't answer; going on without it: %s", what)
            return None
        if recovering and self._turned(away=False):
            self._closed_until = float("-inf")
            _log.warning("The shared cache answers again.")
        return value

    def _may_try(self) -> bool:
        """Return False during a pause. After it, one thread tries and the others skip the cache."""
        with self._lock:
            now = self._clock()
            if now < self._closed_until:
                return False
            if self._away:
                self._closed_until = now + PAUSE
            return True

    def _turned(self, *, away: bool) -> bool:
        """Return True for the one thread that changes the state."""
        with self._lock:
            changed, self._away = self._away is not away, away
        return changed

    def _stores(self, cache: BaseCache) -> bool:
        """Write a value and read it back: a read-only replica answers reads. May raise anything."""
        nonce = secrets.token_hex(8)
        self._write(cache, self._probe_key, nonce, _PROBE_SECONDS)
        return bool(self._read(cache, self._probe_key, _PROBE_SECONDS) == nonce)

    def _write(self, cache: BaseCache, key: str, value: Any, seconds: float) -> None:
        name = _name(key)
        content = {"until": self._wall_clock() + seconds, "value": value}
        cache.set(name, Signer(salt=name).sign_object(content), seconds)

    def _read(self, cache: BaseCache, key: str, max_age: float) -> Any:
        name = _name(key)
        sealed = cache.get(name)
        if not isinstance(sealed, str):
            return None
        try:
            content = Signer(salt=name).unsign_object(sealed)
        except BadSignature:
            return None
        # A captured value can be written again: not longer than the reader allows, not even if the
        # writer's clock was ahead.
        left = content["until"] - self._wall_clock()
        return content["value"] if 0 < left <= max_age else None


def _name(key: str) -> str:
    """Return the key in the cache. Several sites may share one cache, and values of another site
    must not be read: they would hide this site's revocations."""
    site = salted_hmac(
        "accounts.provider.shared_cache", f"{provider().public_url} {provider().config.issuer}"
    )
    return f"sso:{site.hexdigest()[:16]}:{key}"


def is_configured() -> bool:
    """Return True if this site has a cache that its processes share."""
    return bool(provider().shared_cache)


accelerator = Accelerator()
