"""Of the threads of one process that wait for the same result, one looks for it at a time.

Were each of fifty requests to ask the database every few hundredths of a second whether another
one's renewal has come to an end, they would slow down the very thing they wait for. What one has
found it leaves for those that were waiting.
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
    """One thread's turn among those with its key."""

    _queue: _Queue
    _since: float

    @property
    def found(self) -> Any:
        """What a thread left while this one waited, or None: whoever comes later has to look."""
        return self._queue.left if self._queue.left_at > self._since else None

    def leave(self, result: Any) -> None:
        """Let those that are waiting now have this. All of them get the same object."""
        self._queue.left, self._queue.left_at = result, time.monotonic()


_queues: dict[Hashable, _Queue] = {}
_guard = Lock()


@contextmanager
def turn(key: Hashable, *, seconds: float) -> Iterator[Turn]:
    """Enter alone among the threads with this `key`, or after `seconds` in any case: it spares work
    and guards nothing."""
    since = time.monotonic()
    with _guard:
        queue = _queues.setdefault(key, _Queue())
        queue.threads += 1
    if not (taken := queue.lock.acquire(blocking=False)):
        db.give_back()
        taken = queue.lock.acquire(timeout=seconds)
    try:
        yield Turn(queue, since)
    finally:
        if taken:
            queue.lock.release()
        with _guard:
            queue.threads -= 1
            if not queue.threads:
                del _queues[key]
