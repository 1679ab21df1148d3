"""One thread at a time works on a result that several threads of a process wait for.

If each of fifty requests polled the database for the result of another request's renewal, they
would slow that renewal down. One thread polls and publishes the result for the others.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from . import db


@dataclass
class _Queue:
    lock: Lock = field(default_factory=Lock)
    threads: int = 0
    result: Any = None
    published_at: float = 0.0


@dataclass(frozen=True)
class Flight:
    """The access of one thread to the result for a key."""

    _queue: _Queue
    _since: float

    @property
    def result(self) -> Any:
        """The result that another thread published while this one waited, or None."""
        return self._queue.result if self._queue.published_at > self._since else None

    def publish(self, result: Any) -> None:
        """Hand `result` to the threads that are waiting now. All of them get the same object."""
        self._queue.result, self._queue.published_at = result, time.monotonic()


_queues: dict[Hashable, _Queue] = {}
_guard = Lock()


@contextmanager
def single_flight(key: Hashable, *, seconds: float) -> Iterator[Flight]:
    """Enter alone among the threads with this `key`, or after waiting for `seconds`.

    This saves work. It is not a lock: after `seconds`, two threads may be inside.
    """
    since = time.monotonic()
    with _guard:
        queue = _queues.setdefault(key, _Queue())
        queue.threads += 1
    if not (is_locked := queue.lock.acquire(blocking=False)):
        db.release_pooled_connections()
        is_locked = queue.lock.acquire(timeout=seconds)
    try:
        yield Flight(queue, since)
    finally:
        if is_locked:
            queue.lock.release()
        with _guard:
            queue.threads -= 1
            if not queue.threads:
                del _queues[key]
