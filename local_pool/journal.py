"""The pool's log: one line per event, and the steps of each sign-in attempt for the console.

The reference of an attempt is the first 8 hex digits of SHA-256(state). The app computes the same
reference, so that both logs can be compared. Codes, tokens, secrets and passwords are never logged.
"""

import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

from .errors import PoolError

NO_STATE = "no-state"  # has the length of a reference
MAX_ATTEMPTS = 100
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")  # a parameter could forge a log line
OUTCOMES = {
    "authorize": "at the sign-in page",
    "login": "on the way back to the app",
    "revoke": "signed out",
}


def attempt_reference(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()[:8] if state else NO_STATE


@dataclass(frozen=True)
class Step:
    at: str  # HH:MM:SS
    elapsed: float  # seconds since the attempt's first step
    name: str
    text: str
    error: PoolError | None
    details: Mapping[str, Any]


@dataclass
class Attempt:
    reference: str
    started: float = field(default_factory=time.monotonic)
    username: str = ""
    steps: list[Step] = field(default_factory=list)

    @property
    def error(self) -> PoolError | None:
        """The error of the last step, or None."""
        return self.steps[-1].error

    @property
    def outcome(self) -> str:
        """A short text for the console."""
        last = self.steps[-1].name
        return f"refused at {last}" if self.error else OUTCOMES.get(last, "signed in")


class Journal:
    def __init__(self, emit: Callable[[str], None] | None = None) -> None:
        self.lines: list[str] = []
        self._emit = emit
        self._attempts: OrderedDict[str, Attempt] = OrderedDict()
        self._lock = Lock()

    def attempts(self) -> list[Attempt]:
        """Return the attempts, the latest first."""
        with self._lock:
            return [replace(a, steps=list(a.steps)) for a in reversed(self._attempts.values())]

    def step(
        self,
        reference: str,
        name: str,
        text: str = "",
        *,
        error: PoolError | None = None,
        details: Mapping[str, Any] | None = None,
        username: str = "",
    ) -> None:
        """Log a step of an attempt, or the error that ended it."""
        at, now = time.strftime("%H:%M:%S"), time.monotonic()
        with self._lock:
            attempt = self._attempts.setdefault(reference, Attempt(reference))
            attempt.username = username or attempt.username
            attempt.steps.append(Step(at, now - attempt.started, name, text, error, details or {}))
            del attempt.steps[:-50]
            self._attempts.move_to_end(reference)
            if len(self._attempts) > MAX_ATTEMPTS:
                self._attempts.popitem(last=False)
        if error:
            text = f"refused: {error.cause}" + (f"; {error.fix}" if error.fix else "")
        self.line(f"{reference}  {name} {text}")

    def line(self, text: str) -> None:
        """Log a line, for example an email, a fault or a change of a user."""
        entry = f"{time.strftime('%H:%M:%S')} pool  {CONTROL.sub(' ', text).rstrip()}"
        with self._lock:
            self.lines.append(entry)
            del self.lines[:-1000]
        if self._emit:
            self._emit(entry)
