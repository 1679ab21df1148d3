"""Rounds of things measured in turn, and what may be said of them.

A `Series` is one thing's values, one for each round. Two of them are compared round by round, since
what disturbed a round disturbed both; the median of those ratios counts, the lowest and the highest
tell how sure it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median


class Refused(Exception):
    """Nothing can be said of these measurements; the message says what was wrong with them."""


@dataclass(frozen=True)
class Spread:
    """The median of some rounds, the lowest and the highest."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Raises Refused when nothing was measured."""
        if not values:
            raise Refused("nothing was measured")
        return cls(median(values), min(values), max(values))


@dataclass
class Series:
    """What was measured of one thing, round by round, and what went wrong meanwhile."""

    name: str
    values: list[float] = field(default_factory=list)
    problems: Counter[str] = field(default_factory=Counter)

    def spread(self) -> Spread:
        """Raises Refused when an answer was wrong."""
        if self.problems:
            listed = ", ".join(f"{count} x {what}" for what, count in self.problems.items())
            raise Refused(f"{self.name}: {listed}")
        return Spread.of(self.values)


def ratio(one: Series, other: Series) -> Spread:
    """How many times the other's value the one's is, by rounds. Raises Refused."""
    one.spread(), other.spread()
    if len(one.values) != len(other.values):
        rounds = f"{len(one.values)} rounds and {len(other.values)}"
        raise Refused(f"{one.name} and {other.name} were not measured side by side: {rounds}")
    return Spread.of([a / b for a, b in zip(one.values, other.values, strict=True)])


def in_turn(
    subjects: Mapping[str, Callable[[], float]], rounds: int, *, warm_up: bool = True
) -> dict[str, Series]:
    """Measure each of them once a round, A B C A B C …; a first round does not count.

    A subject returns its value. One that raises Refused has a problem, and the others go on.
    """
    series = {name: Series(name) for name in subjects}
    for number in range(-1 if warm_up else 0, rounds):
        for name, measure in subjects.items():
            try:
                value = measure()
            except Refused as problem:
                series[name].problems[str(problem)] += 1
            else:
                if number >= 0:
                    series[name].values.append(value)
    return series
