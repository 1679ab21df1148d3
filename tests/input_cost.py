"""Check that a reader of text takes linear time.

The CPU times for an input and for one ten times as long are compared, so the load of the machine
does not matter.
"""

import contextlib
import time
from collections.abc import Callable

Reader = Callable[[str], object]

LENGTHS = (1_000, 10_000, 100_000)
MAX_RATIO = 25  # for ten times the length; 10 is linear, 100 is quadratic
FLOOR_SECONDS = 0.002  # costs below this are noise

# `assert_linear` adds a character that never matches, so that a reader tries all alternatives.
PUMPS = ("7", "7.", "-", " ", "\t\n", "e1", "0x", ".", ":", "a:", "/", "[", "{", '"', "\\", "=",
         "a\u0301\u0323", "\u0301\u0323", "ß", "A-", "eyJa", "Bearer ", "code=", "code =", "%3D",
         ",", ", ", "é", "_", "a_", "/?", "/../", "7e", "1,")  # fmt: skip


def cost_seconds(reader: Reader, text: str) -> float:
    """Return the minimum CPU time of three runs, whether the text is accepted or not."""
    costs = []
    for _ in range(3):
        started = time.thread_time()
        with contextlib.suppress(Exception):
            reader(text)
        costs.append(time.thread_time() - started)
        if costs[-1] < FLOOR_SECONDS:
            break
    return min(costs)


def assert_linear(reader: Reader, pump: str, lengths: tuple[int, ...] = LENGTHS) -> None:
    before = None
    for length in lengths:
        text = pump * (length // len(pump)) + "\x01"
        cost = max(cost_seconds(reader, text), FLOOR_SECONDS)
        assert before is None or cost <= MAX_RATIO * before, (pump, length, before, cost)
        before = cost
