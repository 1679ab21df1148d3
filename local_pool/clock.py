"""The pool's clock: real time plus an offset that a test or a command may move."""

import time
from collections.abc import Callable


class Clock:
    """Calling it gives seconds since the epoch. ``offset`` above 0 runs ahead, below 0 behind."""

    def __init__(self, base: Callable[[], float] = time.time) -> None:
        self._base = base
        self.offset = 0.0

    def __call__(self) -> float:
        return self._base() + self.offset

    def advance(self, seconds: float) -> None:
        self.offset += seconds
