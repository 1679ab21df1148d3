"""The results of a part of the run."""

from __future__ import annotations

from dataclasses import dataclass, field

from .goals import Result
from .measuring import Spread


@dataclass(frozen=True)
class Figure:
    """A line of a table; `more` are additional columns."""

    table: str
    name: str
    found: Spread
    unit: str
    more: dict[str, float | str] = field(default_factory=dict)


@dataclass
class Outcome:
    """Results by the names of their goals, and other figures."""

    results: dict[str, Result] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def take(self, other: Outcome) -> None:
        self.results |= other.results
        self.figures += other.figures
        self.problems += other.problems

    @property
    def errors(self) -> list[str]:
        """The reasons why something was not measured."""
        missing = [f"{r.goal.what}: {r.problem}" for r in self.results.values() if r.found is None]
        return [*missing, *self.problems]
