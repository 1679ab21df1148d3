"""The goals, and whether a run met them. Those that depend on time are ratios within one run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .measuring import MeasurementError, Spread


@dataclass(frozen=True)
class Goal:
    """A goal: `what` must be at most or at least `limit`, in `unit`."""

    what: str
    limit: float
    unit: str = "x"
    at_least: bool = False

    @property
    def target(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {amount(self.limit, self.unit)}"

    def is_met_by(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit


def _of_many_rows(database: str) -> dict[str, Goal]:
    size = f"100,000 rows on {database}"
    return {
        f"time, {database}": Goal(f"{size}: faster than that peer", 12, at_least=True),
        f"memory, {database}": Goal(f"{size}: memory that the server takes more", 16, "MiB"),
        f"flat, {database}": Goal("the same, beyond what 10,000 rows take", 2, "MiB"),
        f"first byte, {database}": Goal(f"{size}: first byte, of a short list's", 3),
    }


GOALS = {
    "seen again": Goal("a verified token seen again, of a raw RSA verification", 0.12),
    "first sight": Goal("a token seen for the first time, of a raw RSA verification", 2.5),
    "first sight, joserfc": Goal("the same: faster than joserfc", 1, at_least=True),
    "list, peer": Goal(
        "`GET /api/stats`, 108 rows, one sync worker, of the DRF viewset with django-cognito-jwt",
        10,
        at_least=True,
    ),
    "list, floor": Goal("the same, of the floor", 0.6, at_least=True),
    "unchanged, floor": Goal("the same with its ETag: a 304, of the floor", 0.8, at_least=True),
    "list, recommended": Goal(
        "the same on the recommended server, of that peer", 12, at_least=True
    ),
    "authentication": Goal("authentication's share of that request's CPU", 10, "%"),
    "queries of authentication": Goal(
        "its SQL queries once warm, between the revocation feed's", 0, ""
    ),
    "awaited view": Goal("an awaited API view: CPU, of its WSGI twin", 1.1),
    **_of_many_rows("SQLite"),
    **_of_many_rows("PostgreSQL"),
    "refresh calls": Goal("50 requests with one expired token: calls to the token endpoint", 1, ""),
    "refresh slowest": Goal(
        "the same: the slowest response beyond that with a valid token, of the endpoint's time", 1.5
    ),
    "refresh beside": Goal("the same: the slowest response to another client, likewise", 1),
    "unknown keys": Goal(
        "200 unknown key IDs: key set downloads, of one per process and cooldown", 1
    ),
    "rotated key": Goal("requests refused with a rotated key, without a restart", 0, ""),
    "dashboard, floor": Goal("`/dashboard/`, 108 rows, signed in: CPU, of the floor", 12),
    "dashboard, plain": Goal(
        "the same page with a generic view and a plain template, of it", 2.5, at_least=True
    ),
    "page /profile/": Goal("`/profile/`, signed in: CPU, of the floor", 8),
    "page /": Goal("`/`, signed in: CPU, of the floor", 8),
    "page /server/": Goal("`/server/`, signed in: CPU, of the floor", 8),
    **{
        f"list of {name}": Goal(
            f"the admin's list of {name} with a stock `ModelAdmin`: CPU, of ours", 1, at_least=True
        )
        for name in ("figures", "users", "events")
    },
    "page queries": Goal("`/dashboard/`, 108 rows, signed in: SQL queries", 7, ""),
    "sign-in calls": Goal("a sign-in, keys warm: calls to Cognito", 1, ""),
    "sign-in CPU": Goal("a sign-in: CPU time, of mozilla-django-oidc's", 1.5),
    "sign-in CPU, allauth": Goal("the same, of django-allauth's", 1),
    "sign-in CPU, RSA": Goal("the same, of a raw RSA verification", 1250),
    "sign-ins": Goal(
        "sign-ins per second on PostgreSQL, two processes, of mozilla-django-oidc's",
        0.66,
        at_least=True,
    ),
    "sign-ins, allauth": Goal("the same, of django-allauth's", 1, at_least=True),
}


@dataclass(frozen=True)
class Result:
    """The measured value of a goal, or the reason why there is none."""

    goal: Goal
    found: Spread | None
    problem: str = ""

    @property
    def verdict(self) -> str:
        if self.found is None:
            return "no figure"
        return "met" if self.goal.is_met_by(self.found.middle) else "not met"


def result(name: str, find: Callable[[], Spread | float]) -> tuple[str, Result]:
    """Return the name and the result of a goal, with the value that `find` returns."""
    try:
        value = find()
    except MeasurementError as error:
        return name, Result(GOALS[name], None, str(error))
    if not isinstance(value, Spread):
        value = Spread(value, value, value)
    return name, Result(GOALS[name], value)


def amount(value: float, unit: str) -> str:
    """Return a number with about three significant digits, and its unit."""
    digits = 0 if value == int(value) or abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f} {unit}".rstrip()
