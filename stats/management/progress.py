"""A progress bar for terminals. It prints nothing into logs and pipes."""

from typing import Any

from django.core.management.base import OutputWrapper

WIDTH = 30


class Progress:
    """A progress bar that `show` redraws and `end` removes."""

    def __init__(self, out: OutputWrapper, total: int, *, quiet: bool = False) -> None:
        self._out = out
        self._total = max(total, 1)
        self._is_shown = not quiet and out.isatty()

    def show(self, done: int, **ignored: Any) -> None:
        if self._is_shown:
            full = WIDTH * done // self._total
            bar = "█" * full + "·" * (WIDTH - full)
            self._out.write(f"\r{bar} {done:,} of {self._total:,}", ending="")
            self._out.flush()

    def end(self) -> None:
        if self._is_shown:
            self._out.write("\r" + " " * (WIDTH + 32) + "\r", ending="")
