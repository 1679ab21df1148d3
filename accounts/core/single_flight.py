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
    left: Any = None
    left_at: float = 0.0


@dataclass(frozen=True)
class Turn:
    """The access of one thread to the result for a key."""

    _queue: _Queue
    _since: float

    @property
    def found(self) -> Any:
        """The result that another thread published while this one waited, or None."""
        return self._queue.left if self._queue.left_at > self._since else None

    def leave(self, result: Any) -> None:
        """Hand `result` to the threads that are waiting now. All of them get the same object."""
        self._queue.left, self._queue.left_at = result, time.monotonic()


_queues: dict[Hashable, _Queue] = {}
_guard = Lock()


@contextmanager
def turn(key: Hashable, *, seconds: float) -> Iterator[Turn]:
    """Enter alone among the threads with this `key`, or after waiting for `seconds`.

    This saves work. It is not a lock: after `seconds`, two threads may be inside.
    """
    since = time.monotonic()
    with _guard:
        queue = _queues.setdefault(key, _Queue())
        queue.threads += 1
    if not (is_locked := queue.lock.acquire(blocking=False)):
        db.give_back()
        is_locked = queue.lock.acquire(timeout=seconds)
    try:
        yield Turn(queue, since)
    finally:
        if is_locked:
            queue.lock.release()
        with _guard:
            queue.threads -= 1
            if not queue.threads:
                del _queues[key]
