"""Bounds of the growth during an attack: disk, memory, rows, and calls to the user pool.

Each limit is the growth by honest users, plus an allowance for the attackers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tools.load.arrangement import TOKEN_SECONDS
from tools.load.ledger import Ledger
from tools.load.token_user import APP_SIGN_IN

from .attack import CALLS_A_MINUTE
from .attacks import ATTACKS
from .measure import Measurements

MEGABYTE = 1024 * 1024
MAX_WORKER_GROWTH = 150 * MEGABYTE  # eight threads, each with a body of maximum size
MAX_ATTACK_EVENTS = 500  # per hour and reason
KEY_SET_PAUSE_SECONDS = 10  # between two downloads for unknown key IDs, per process


@dataclass(frozen=True)
class Context:
    """The values on which a limit can depend."""

    measured: Measurements
    ledger: Ledger
    people: int

    @property
    def seconds(self) -> float:
        return self.measured.seconds

    def did(self, *actions: str) -> int:
        """Return how often the honest users did one of these, including lost responses."""
        return sum(self.ledger.counts[action] for action in actions)

    @property
    def all_sign_ins(self) -> int:
        """Return the sign-ins of browsers and of apps, which the site stores at a refresh."""
        return self.sign_ins + self.did(APP_SIGN_IN)

    @property
    def sign_ins(self) -> int:
        """Return the sign-ins of browsers."""
        return self.did("sign_in") + self.ledger.uncertain_sign_ins.total() + self.people

    @property
    def calls_of_attackers(self) -> int:
        """Return the calls to Cognito that the budgets of the attackers' IP addresses allow."""
        calling = [attack for attack in ATTACKS if CALLS_A_MINUTE in attack.at_most.values()]
        addresses = sum(attack.addresses for attack in calling)
        windows = self.seconds // CALLS_A_MINUTE.window_seconds + 2
        return int(CALLS_A_MINUTE.count * addresses * windows)


Limit = Callable[[Context], float]


@dataclass(frozen=True)
class Rule:
    name: str
    unit: str
    measure: Callable[[Measurements], float]
    limit: Limit


@dataclass(frozen=True)
class Bound:
    """A rule applied to a run."""

    name: str
    unit: str
    measured: float
    limit: float

    @property
    def is_met(self) -> bool:
        return self.measured <= self.limit


def calls(kind: str) -> Callable[[Measurements], float]:
    return lambda measured: measured.calls.get(kind, 0)


def _writes(context: Context) -> float:
    return len(context.ledger.writes) + len(context.ledger.uncertain_writes)


def _renewals(context: Context) -> float:
    return 4 * context.people * context.seconds / TOKEN_SECONDS


# The allowed new rows of these tables, and of all others together.
TABLES: dict[str, Limit] = {
    "accounts.User": lambda c: c.people,
    "accounts.Identity": lambda c: c.people,
    "accounts.SignIn": lambda c: c.all_sign_ins,
    "sessions.Session": lambda c: 2 * c.sign_ins,
    "accounts.SignInEvent": lambda c: MAX_ATTACK_EVENTS + 4 * c.sign_ins,
    "accounts.RateCounter": lambda c: 20 * len(ATTACKS) + c.sign_ins + c.calls_of_attackers,
    "accounts.Revocation": lambda c: 2 * c.all_sign_ins,
    "accounts.PendingRevocation": lambda c: c.all_sign_ins,
    "accounts.RefreshResult": lambda c: (
        c.did("refresh_by_header") + _renewals(c) + c.calls_of_attackers
    ),
    "stats.Stat": _writes,
    "stats.Change": _writes,
}
OTHER_TABLES = "all other tables"


def _rows(label: str) -> Callable[[Measurements], float]:
    return lambda measured: measured.rows.get(label, 0)


def _other_rows(measured: Measurements) -> float:
    return sum(max(0, number) for label, number in measured.rows.items() if label not in TABLES)


RULES = (
    Rule("temporary folder", "bytes", lambda m: m.temporary_bytes, lambda _: MEGABYTE),
    Rule("metrics folder", "bytes", lambda m: m.metrics_bytes, lambda _: 4 * MEGABYTE),
    Rule("memory of a worker", "bytes", lambda m: m.memory_bytes, lambda _: MAX_WORKER_GROWTH),
    Rule("workers that ended", "", lambda m: m.lost_workers, lambda _: 0),
    *(Rule(label, "rows", _rows(label), limit) for label, limit in TABLES.items()),
    # Each user's group, and one row that counts changes of figures.
    Rule(OTHER_TABLES, "rows", _other_rows, lambda c: c.people + 1),
    Rule(
        "codes sent to Cognito",
        "calls",
        calls("token:authorization_code"),
        lambda c: c.sign_ins + c.calls_of_attackers,
    ),
    Rule(
        "refreshes at Cognito",
        "calls",
        calls("token:refresh_token"),
        lambda c: _renewals(c) + c.calls_of_attackers,
    ),
    Rule("revocations at Cognito", "calls", calls("revoke"), lambda c: 2 * c.all_sign_ins),
    Rule(
        "downloads of the key set",
        "calls",
        calls("jwks"),
        lambda c: c.measured.workers * (c.seconds / KEY_SET_PAUSE_SECONDS + 2),
    ),
)


def bounds(context: Context) -> list[Bound]:
    """Return each rule with its measured value and its limit."""
    measured = context.measured
    return [
        Bound(rule.name, rule.unit, rule.measure(measured), rule.limit(context)) for rule in RULES
    ]
