"""Django's Redis cache with JSON values and with timeouts in fractions of a second.

Django pickles values, so an attacker who can write to Redis could run code here. Only
`accounts.provider.shared_cache` uses this cache, and works without it if it does not respond.
"""

import json
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache, RedisCacheClient


class JSONSerializer:
    """A serializer for JSON. It loads a value that is not JSON as None."""

    def dumps(self, value: Any) -> str:
        return json.dumps(value)

    def loads(self, data: bytes) -> Any:
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            return None


class MillisecondClient(RedisCacheClient):
    """A client whose timeouts are floats in seconds."""

    _serializer: JSONSerializer

    def set(self, key: Any, value: Any, timeout: Any) -> None:
        client = self.get_client(key, write=True)
        client.set(key, self._serializer.dumps(value), px=_milliseconds(timeout))


class JSONRedisCache(RedisCache):
    """The cache backend, for CACHES."""

    _options: dict[str, Any]

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = MillisecondClient
        self._options["serializer"] = JSONSerializer

    def get_backend_timeout(self, timeout: Any = DEFAULT_TIMEOUT) -> Any:
        return self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout


def _milliseconds(timeout: float | None) -> int | None:
    """Return `timeout` in milliseconds, at least 1: Redis does not accept 0."""
    return None if timeout is None else max(1, round(timeout * 1000))
