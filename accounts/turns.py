"""Of the threads of one process that wait for the same result, one looks for it at a time.

Were each of fifty requests to ask the database every few hundredths of a second whether another
one's renewal has come to an end, they would slow down the very thing they wait for.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock


@dataclass
class _Turn:
    lock: Lock = field(default_factory=Lock)
    threads: int = 0


_turns: dict[Hashable, _Turn] = {}
_guard = Lock()


@contextmanager
def turn(key: Hashable, *, seconds: float) -> Iterator[None]:
    """Enter alone among the threads with this `key`, or after `seconds` in any case: it spares work
    and guards nothing."""
    with _guard:
        mine = _turns.setdefault(key, _Turn())
        mine.threads += 1
    taken = mine.lock.acquire(timeout=seconds)
    try:
        yield
    finally:
        if taken:
            mine.lock.release()
        with _guard:
            mine.threads -= 1
            if not mine.threads:
                del _turns[key]
