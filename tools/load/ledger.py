"""The ledger of a run: acknowledged writes, sign-outs, identities, responses and violations."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field

KPI_PREFIX = "load "  # of the figures that the load writes


@dataclass(frozen=True)
class RecordedResponse:
    """A response. `problem` is "" or an error: a 5xx status, no response, an unexpected status."""

    at: float  # seconds since the epoch, when the request was sent
    seconds: float
    what: str
    problem: str = ""


@dataclass(frozen=True)
class Write:
    kpi: str
    value: str
    subject: str


@dataclass(frozen=True)
class RevokedToken:
    """An access token of a user who signed out everywhere. Times are Unix times."""

    access_token: str = field(repr=False)
    subject: str
    issued_at: int
    expires_at: int
    revoked_at: float


@dataclass
class Ledger:
    """The records of all users. Threads append to its lists without a lock."""

    responses: list[RecordedResponse] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    uncertain_writes: list[str] = field(default_factory=list)  # KPIs of writes without a response
    revoked: list[RevokedToken] = field(default_factory=list)
    left_everywhere: dict[str, float] = field(
        default_factory=dict
    )  # subject -> time of the response
    subjects: dict[str, str] = field(default_factory=dict)  # pool username -> subject
    signed_in: dict[str, bool] = field(default_factory=dict)  # subject -> last known state
    uncertain_sign_ins: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def violation(self, what: str) -> None:
        """Record an error that no fault can excuse."""
        self.violations.append(f"{time.strftime('%H:%M:%S')} {what}")

    def count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1

    def uncertain_sign_in(self, subject: str) -> None:
        with self._lock:
            self.uncertain_sign_ins[subject] += 1
