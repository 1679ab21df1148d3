"""What happened, one line per event, and by sign-in attempt for the console.

An attempt goes by its reference, the first 8 hex digits of SHA-256(state): the app computes the
same, so both logs can be read side by side. Codes, tokens, secrets and passwords never get here.
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

NO_STATE = "no-state"  # as long as a reference
KEPT = 100
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")  # a forged line break in a parameter
OUTCOMES = {
    "authorize": "at the sign-in page",
    "login": "on the way back to the app",
    "revoke": "signed out",
}


def reference_of(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()[:8] if state else NO_STATE


@dataclass(frozen=True)
class Step:
    at: str  # HH:MM:SS
    later: float  # seconds since the attempt's first step
    name: str
    text: str
    refused: PoolError | None
    details: Mapping[str, Any]


@dataclass
class Attempt:
    reference: str
    began: float = field(default_factory=time.monotonic)
    who: str = ""
    steps: list[Step] = field(default_factory=list)

    @property
    def failed(self) -> PoolError | None:
        """Why the last step was refused, if it was."""
        return self.steps[-1].refused

    @property
    def outcome(self) -> str:
        """A word or two for the console's list."""
        last = self.steps[-1].name
        return f"refused at {last}" if self.failed else OUTCOMES.get(last, "signed in")


class Journal:
    def __init__(self, emit: Callable[[str], None] | None = None) -> None:
        self.lines: list[str] = []
        self._emit = emit
        self._attempts: OrderedDict[str, Attempt] = OrderedDict()
        self._lock = Lock()

    def attempts(self) -> list[Attempt]:
        """The latest first."""
        with self._lock:
            return [replace(a, steps=list(a.steps)) for a in reversed(self._attempts.values())]

    def step(
        self,
        reference: str,
        name: str,
        text: str = "",
        *,
        refused: PoolError | None = None,
        details: Mapping[str, Any] | None = None,
        who: str = "",
    ) -> None:
        """Note a step of an attempt, or the refusal that ended it."""
        at, now = time.strftime("%H:%M:%S"), time.monotonic()
        with self._lock:
            attempt = self._attempts.setdefault(reference, Attempt(reference))
            attempt.who = who or attempt.who
            attempt.steps.append(Step(at, now - attempt.began, name, text, refused, details or {}))
            del attempt.steps[:-50]
            self._attempts.move_to_end(reference)
            if len(self._attempts) > KEPT:
                self._attempts.popitem(last=False)
        if refused:
            text = f"refused: {refused.cause}" + (f"; {refused.fix}" if refused.fix else "")
        self.line(f"{reference}  {name} {text}")

    def line(self, text: str) -> None:
        """An event that belongs to no attempt (a mail, a fault, a change of a person)."""
        printed = f"{time.strftime('%H:%M:%S')} pool  {CONTROL.sub(' ', text).rstrip()}"
        with self._lock:
            self.lines.append(printed)
            del self.lines[:-1000]
        if self._emit:
            self._emit(printed)
