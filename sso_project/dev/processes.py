"""Start the children of the run command, watch them and stop them together."""

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import FrameType

from . import lifeline

STOP_SECONDS = 5.0  # after this a child that was asked to stop is killed


class Children:
    """The processes of one run. They stay in the terminal's foreground group, so that a
    breakpoint in the app can read from the terminal, but leave Ctrl-C to us."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._end, self._hold = os.pipe()
        self._environ = {**environ, lifeline.VARIABLE: str(self._end)}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, module: str, *arguments: str) -> None:
        """Run `python -m module arguments` under a name for people ("the app")."""
        ours = signal.signal(signal.SIGINT, signal.SIG_IGN)  # a child inherits that
        try:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", "sso_project.dev.lifeline", module, *arguments],
                env=self._environ,
                pass_fds=[self._end],
            )
        finally:
            signal.signal(signal.SIGINT, ours)

    def ended(self) -> str | None:
        """The name of a child that is not running any more, if there is one."""
        names = (name for name, child in self._running.items() if child.poll() is not None)
        return next(names, None)

    def stop(self) -> None:
        """Stop all of them and what they started; returns when they are gone."""
        for child in self._running.values():
            with suppress(ProcessLookupError):
                child.terminate()
        for child in self._running.values():
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        os.close(self._hold)  # ends whatever they started and did not take along
        os.close(self._end)


@contextmanager
def stop_requests() -> Iterator[threading.Event]:
    """An event that is set by Ctrl-C, SIGTERM, or the terminal closing."""
    requested = threading.Event()

    def request(_signal: int, _frame: FrameType | None) -> None:
        requested.set()

    if os.isatty(0):
        threading.Thread(target=_await_hangup, args=(requested,), daemon=True).start()
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, request) for number in signals}
    try:
        yield requested
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _await_hangup(requested: threading.Event) -> None:
    """Notice that the terminal closed where its SIGHUP reaches only its first process, which may
    be a `make` that waits for us."""
    terminal = select.poll()
    terminal.register(0, 0)  # a hang-up is reported whatever is asked for
    terminal.poll()
    requested.set()
