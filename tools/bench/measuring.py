"""Rounds in which several subjects are measured in turn, and their ratios.

A `Series` has the values of one subject, one per round. Two series are compared round by round,
because a disturbance affects both. The result is the median of these ratios, with the lowest and
the highest as its uncertainty.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median


class MeasurementError(Exception):
    """These measurements cannot be used; the message has the reason."""


@dataclass(frozen=True)
class Spread:
    """The median, the lowest and the highest value of some rounds."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of the values. Raises MeasurementError if there are none."""
        if not values:
            raise MeasurementError("nothing was measured")
        return cls(median(values), min(values), max(values))


@dataclass
class Series:
    """The values of one subject by round, and the problems that occurred."""

    name: str
    values: list[float] = field(default_factory=list)
    problems: Counter[str] = field(default_factory=Counter)

    def spread(self) -> Spread:
        """Return the spread of the values. Raises MeasurementError if a response was wrong."""
        if self.problems:
            listed = ", ".join(f"{count} x {what}" for what, count in self.problems.items())
            raise MeasurementError(f"{self.name}: {listed}")
        return Spread.of(self.values)


def ratio(one: Series, other: Series) -> Spread:
    """Return the ratio of the two series by round. Raises MeasurementError."""
    one.spread(), other.spread()
    if len(one.values) != len(other.values):
        rounds = f"{len(one.values)} and {len(other.values)}"
        raise MeasurementError(
            f"{one.name} and {other.name} have different numbers of rounds: {rounds}"
        )
    return Spread.of([a / b for a, b in zip(one.values, other.values, strict=True)])


def in_turn(
    subjects: Mapping[str, Callable[[], float]], rounds: int, *, warm_up: bool = True
) -> dict[str, Series]:
    """Measure each subject once a round (A B C A B C …), after a warm-up round.

    A subject returns its value. If it raises MeasurementError, that is recorded as a problem.
    """
    series = {name: Series(name) for name in subjects}
    for number in range(-1 if warm_up else 0, rounds):
        for name, measure in subjects.items():
            try:
                value = measure()
            except MeasurementError as problem:
                series[name].problems[str(problem)] += 1
            else:
                if number >= 0:
                    series[name].values.append(value)
    return series
