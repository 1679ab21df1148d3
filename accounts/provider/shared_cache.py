"""The cache that all processes share. It makes requests faster, and nothing depends on it.

Everything is stored in the database, and any lookup here may return None. So a cache that is
missing, empty or slow only costs time. After a failure, the cache is not used for a moment, so that
not every request waits for it. The log has one line for each outage and recovery.

An attacker who can write to the cache must gain nothing. So each value is signed together with its
key and its expiry time. A value that is malformed, expired or of another site counts as absent.
Counters that the cache itself increments cannot be signed, so they are in the database
(`models/rate_limit.py`).
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

RETRY_PAUSE_SECONDS = 2.0  # seconds after a failure, in which the cache is not used
_PROBE_SECONDS = 10.0

_log = logging.getLogger(__name__)


class SharedCache:
    """The cache client of one process, safe for all its threads. Values must be valid JSON.

    `clock` returns seconds from an arbitrary point, for the pauses. `wall_clock` returns Unix time.
    The processes of a site compare it, so a machine whose clock differs reads the database instead.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = lambda: time.monotonic(),
        wall_clock: Callable[[], float] = lambda: time.time(),
    ) -> None:
        self._clock = clock
        self._wall_clock = wall_clock
        self._lock = Lock()
        self._paused_until = float("-inf")
        self._is_down = False
        self._probe_key = f"probe:{secrets.token_hex(8)}"  # of this process only

    def get(self, key: str, *, max_age: float) -> Any:
        """Return what this site stored under `key` in the last `max_age` seconds, or None."""
        return self._use(lambda cache: self._read(cache, key, max_age))

    def set(self, key: str, value: Any, *, seconds: float) -> None:
        """Store `value` for `seconds`, if the cache responds."""
        self._use(lambda cache: self._write(cache, key, value, seconds))

    def is_down(self) -> bool:
        """Return True if a shared cache is configured but does not store values.

        Health probes call this. It does not change the pause after a failure and logs nothing.
        """
        if not is_configured():
            return False
        try:
            return not self._stores(caches[provider().shared_cache])
        except Exception:  # cache backends raise different errors
            return True

    def _use(self, operation: Callable[[BaseCache], Any]) -> Any:
        if not is_configured() or not self._may_try():
            return None
        is_recovering = self._is_down
        try:
            cache = caches[provider().shared_cache]
            if is_recovering and not self._stores(cache):
                raise OSError("values are not stored")
            value = operation(cache)
        except Exception as error:  # cache backends raise different errors, and no caller needs one
            self._paused_until = self._clock() + RETRY_PAUSE_SECONDS
            metrics.count("cache_failures")
            if self._state_changed(is_down=True):
                # The text of a ValueError may contain the cache's URL and its password.
                reason = type(error).__name__ if isinstance(error, ValueError) else error
                _log.warning("The shared cache does not respond and is not used: %s", reason)
            return None
        if is_recovering and self._state_changed(is_down=False):
            self._paused_until = float("-inf")
            _log.warning("The shared cache responds again.")
        return value

    def _may_try(self) -> bool:
        """Return False during a pause. After it, one thread tries and the others skip the cache."""
        with self._lock:
            now = self._clock()
            if now < self._paused_until:
                return False
            if self._is_down:
                self._paused_until = now + RETRY_PAUSE_SECONDS
            return True

    def _state_changed(self, *, is_down: bool) -> bool:
        """Return True for the one thread that changes the state."""
        with self._lock:
            has_changed, self._is_down = self._is_down is not is_down, is_down
        return has_changed

    def _stores(self, cache: BaseCache) -> bool:
        """Return True if a written value can be read, which a read-only replica would not allow.

        May raise any error.
        """
        nonce = secrets.token_hex(8)
        self._write(cache, self._probe_key, nonce, _PROBE_SECONDS)
        return bool(self._read(cache, self._probe_key, _PROBE_SECONDS) == nonce)

    def _write(self, cache: BaseCache, key: str, value: Any, seconds: float) -> None:
        name = _name(key)
        content = {"until": self._wall_clock() + seconds, "value": value}
        cache.set(name, Signer(salt=name).sign_object(content), seconds)

    def _read(self, cache: BaseCache, key: str, max_age: float) -> Any:
        name = _name(key)
        signed_value = cache.get(name)
        if not isinstance(signed_value, str):
            return None
        try:
            content = Signer(salt=name).unsign_object(signed_value)
        except BadSignature:
            return None
        # An attacker can replay a value, but not for longer than the reader allows, even if the
        # writer's clock was ahead.
        remaining = content["until"] - self._wall_clock()
        return content["value"] if 0 < remaining <= max_age else None


def _name(key: str) -> str:
    """Return the name of `key` in the cache, which several sites may share.

    Values of another site must not be read, because they would hide this site's revocations.
    """
    # The name of 0.1: two versions of the site share the values while one replaces the other.
    # Servers that prefer different issuers of the pool share the values, too.
    site = salted_hmac(
        "accounts.accelerator",
        f"{provider().public_url} {provider().pool.original_issuer}",
        algorithm="sha256",
    )
    return f"sso:{site.hexdigest()[:16]}:{key}"


def is_configured() -> bool:
    """Return True if this site has a cache that its processes share."""
    return bool(provider().shared_cache)


shared_cache = SharedCache()
