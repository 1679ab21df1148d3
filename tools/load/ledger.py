"""The ledger of a run: acknowledged writes, sign-outs, identities, responses and violations."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

KPI_PREFIX = "load "  # of the figures that the load writes
STALE_SECONDS = 10.0  # in which a process may use old revocations, if the database is unavailable
RECOVERY_SECONDS = 6.0  # after a fault, for reconnecting and retry pauses


class Kind(StrEnum):
    """The kinds of errors that no fault can excuse. The text of a finding begins with its kind."""

    UNWANTED_SIGN_OUT = "unwanted sign-out"
    SECOND_ACCOUNT = "second account"
    WRONG_RESPONSE = "wrong response"


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


@dataclass(frozen=True)
class Eviction:
    """The end of a sign-in at the pool that its user must notice: the wanted kind of sign-out."""

    subject: str
    at: float


@dataclass
class Outage:
    """A time in which the database did not respond. Times are Unix times."""

    began: float
    ended: float = math.inf


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
    evicted: dict[str, Eviction] = field(default_factory=dict)  # by `origin_jti`
    database_outages: list[Outage] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    evicting: threading.Lock = field(default_factory=threading.Lock)  # held while the pool evicts

    def violation(self, kind: Kind, what: str) -> None:
        """Record an error that no fault can excuse."""
        self.violations.append(f"{kind}: {what} ({time.strftime('%H:%M:%S')})")

    def was_evicted(self, subject: str, since: float) -> bool:
        """Return True if the pool has ended a sign-in of this user after this time."""
        with self.evicting:
            return any(e.subject == subject and e.at >= since for e in self.evicted.values())

    def may_be_unread(self, revoked_at: float, sent_at: float) -> bool:
        """Return True if the database explains that a request got past a revocation.

        A process reads revocations from the database. While it cannot, it uses those that it has
        read, for STALE_SECONDS at most.
        """
        return sent_at < revoked_at + STALE_SECONDS and any(
            outage.began <= sent_at <= outage.ended + RECOVERY_SECONDS
            for outage in self.database_outages
        )

    def count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1

    def uncertain_sign_in(self, subject: str) -> None:
        with self._lock:
            self.uncertain_sign_ins[subject] += 1
