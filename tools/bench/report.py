"""The results of a run as Markdown tables, as JSON, and in docs/performance.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from itertools import groupby
from typing import Any

from .goals import Result, amount
from .measuring import MeasurementError
from .outcome import Figure, Outcome

BEGIN, END = "<!-- make bench: begin -->", "<!-- make bench: end -->"


def as_json(outcome: Outcome, machine: Mapping[str, str]) -> dict[str, Any]:
    """Return all results for `json.dumps`."""
    return {
        "machine": dict(machine),
        "goals": {
            name: {**asdict(result), "verdict": result.verdict}
            for name, result in outcome.results.items()
        },
        "figures": [asdict(figure) for figure in outcome.figures],
        "problems": outcome.problems,
    }


def as_markdown(outcome: Outcome, machine: Mapping[str, str]) -> str:
    """Return the table of goals, a table for each group of figures, and the machine."""
    tables = [goals_table(outcome.results)]
    for title, figures in groupby(outcome.figures, key=lambda figure: figure.table):
        tables.append(f"{title}:\n\n{figures_table(list(figures))}")
    tables.append(", ".join(f"{name} {value}" for name, value in machine.items()) + ".")
    return "\n\n".join(tables)


def goals_table(results: Mapping[str, Result]) -> str:
    lines = [["what", "goal", "measured", "lowest to highest", ""]]
    for result in results.values():
        goal, spread = result.goal, result.found
        if spread is None:
            cells = ["no figure", result.problem]
        else:
            cells = [amount(spread.middle, goal.unit), _between(spread.low, spread.high, goal.unit)]
        lines.append([goal.what, goal.target, *cells, result.verdict])
    return _table(lines)


def figures_table(figures: list[Figure]) -> str:
    unit = figures[0].unit
    columns = list(figures[0].more)
    lines = [["", unit, "lowest to highest", *columns]]
    for figure in figures:
        spread = figure.found
        more = [
            amount(float(figure.more[name]), "") if name in figure.more else "" for name in columns
        ]
        between = _between(spread.low, spread.high, "")
        lines.append([figure.name, amount(spread.middle, ""), between, *more])
    if all(figure.found.low == figure.found.high for figure in figures):
        lines = [cells[:2] + cells[3:] for cells in lines]
    return _table(lines)


def _between(low: float, high: float, unit: str) -> str:
    return "" if low == high else f"{amount(low, '')} to {amount(high, unit)}"


def _table(lines: list[list[str]]) -> str:
    head, *body = [f"| {' | '.join(cells)} |" for cells in lines]
    return "\n".join([head, "|" + "---|" * len(lines[0]), *body])


def replace_table(document: str, generated: str) -> str:
    """Replace the text between the marks. Raises MeasurementError if there are no marks."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise MeasurementError(f"the document has no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n\n{generated}\n\n{END}{after}"
