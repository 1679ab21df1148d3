"""Start, watch and stop the child processes of `manage.py dev`."""

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from . import lifeline

ROOT = Path(__file__).resolve().parents[2]
MAX_STOP_SECONDS = 5.0  # then a child is killed
RELOAD_STATUS = 3  # of a process that Django's autoreloader ends, because a file has changed
RESTARTED = "restarted"  # the last argument of such a process when it starts again


class Children:
    """The child processes of one run.

    They stay in the terminal's foreground process group, so that a breakpoint in the app can read
    from the terminal. They ignore Ctrl-C, which this process handles.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._end, self._hold = os.pipe()
        self._environ = {**environ, lifeline.VARIABLE: str(self._end)}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._commands: dict[str, tuple[str, ...]] = {}
        self._reloading: set[str] = set()

    def start(self, name: str, module: str, *arguments: str, reloads: bool = False) -> None:
        """Run `python -m module arguments`. Messages use `name`, such as "the app".

        With `reloads`, a process that exits with RELOAD_STATUS is started again.
        """
        self._commands[name] = (module, *arguments)
        if reloads:
            self._reloading.add(name)
        self._run(name)

    def _run(self, name: str, *more: str) -> None:
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the child inherits this
        try:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", "sso_project.dev.lifeline", *self._commands[name], *more],
                cwd=ROOT,
                env=self._environ,
                pass_fds=[self._end],
            )
        finally:
            signal.signal(signal.SIGINT, handler)

    def find_exited(self) -> str | None:
        """Return the name of a child that has exited, or None if all are running.

        A child that exited because one of its files has changed is started again.
        """
        for name, child in self._running.items():
            status = child.poll()
            if status == RELOAD_STATUS and name in self._reloading:
                self._run(name, RESTARTED)
            elif status is not None:
                return name
        return None

    def stop(self) -> None:
        """Stop all children, and wait until they have exited."""
        for child in self._running.values():
            with suppress(ProcessLookupError):
                child.terminate()
        for child in self._running.values():
            try:
                child.wait(MAX_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        os.close(self._hold)
        os.close(self._end)


@contextmanager
def stop_requests() -> Iterator[threading.Event]:
    """Return an event that Ctrl-C, SIGTERM or the closing of the terminal sets."""
    stop = threading.Event()

    def handle_signal(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    if os.isatty(0):
        threading.Thread(target=_await_hangup, args=(stop,), daemon=True).start()
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    previous = {number: signal.signal(number, handle_signal) for number in signals}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _await_hangup(stop: threading.Event) -> None:
    """Set `stop` when the terminal closes.

    SIGHUP can be sent to the session leader only, which may be a `make` that waits for us.
    """
    terminal = select.poll()
    terminal.register(0, 0)  # poll() always reports a hang-up
    terminal.poll()
    stop.set()
