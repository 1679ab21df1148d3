"""What the people of the load were told: acknowledged writes, sign-outs, who they are; and what
went wrong in their eyes."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field

KPI_PREFIX = "load "  # of the figures that the load writes


@dataclass(frozen=True)
class Answer:
    """`problem` is empty, or why it was no answer: a status of 5xx, a broken connection, a refused
    sign-in or sign-out."""

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
    """An access token of somebody who signed out everywhere; times are Unix times."""

    access_token: str = field(repr=False)
    subject: str
    issued_at: int
    expires_at: int
    revoked_at: float


@dataclass
class Ledger:
    """Filled by all people at once. Lists are only ever appended to, which threads may do."""

    answers: list[Answer] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    uncertain_writes: list[str] = field(default_factory=list)  # the KPI of those that broke off
    revoked: list[RevokedToken] = field(default_factory=list)
    left_everywhere: dict[str, float] = field(
        default_factory=dict
    )  # subject -> when, at the latest
    subjects: dict[str, str] = field(default_factory=dict)  # pool username -> subject
    signed_in: dict[str, bool] = field(default_factory=dict)  # subject -> what they were told last
    uncertain_sign_ins: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def violation(self, what: str) -> None:
        """Something that must never happen, whatever breaks."""
        self.violations.append(f"{time.strftime('%H:%M:%S')} {what}")

    def count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1

    def uncertain_sign_in(self, subject: str) -> None:
        with self._lock:
            self.uncertain_sign_ins[subject] += 1
