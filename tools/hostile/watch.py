"""Threads that take samples while the attacks run."""

from __future__ import annotations

import threading
from pathlib import Path
from stat import S_ISREG


class Watch(threading.Thread):
    """A thread that calls `sample` every `seconds`, from `start` until `finish`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(daemon=True)
        self._seconds = seconds
        self._is_over = threading.Event()

    def sample(self) -> None:
        raise NotImplementedError

    def run(self) -> None:
        self.sample()
        while not self._is_over.wait(self._seconds):
            self.sample()

    def finish(self) -> None:
        """Take the last sample and stop."""
        self._is_over.set()
        self.join()
        self.sample()


class FolderWatch(Watch):
    """A watch of the size of a folder; `peak` is the maximum growth in bytes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(seconds=0.1)
        self._folder = folder
        self._start_size = self._size()
        self.peak = 0

    def sample(self) -> None:
        self.peak = max(self.peak, self._size() - self._start_size)

    def _size(self) -> int:
        total = 0
        for path in self._folder.rglob("*"):
            try:
                status = path.stat()
            except FileNotFoundError:  # deleted in the meantime
                continue
            total += status.st_size if S_ISREG(status.st_mode) else 0
        return total
