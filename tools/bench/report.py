"""A run as people and programs read it: tables in Markdown, JSON, and docs/performance.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from itertools import groupby
from typing import Any

from .goals import Result, amount
from .measuring import Refused
from .outcome import Figure, Outcome

BEGIN, END = "<!-- make bench: begin -->", "<!-- make bench: end -->"


def as_json(outcome: Outcome, machine: Mapping[str, str]) -> dict[str, Any]:
    """Everything that was found, for `json.dumps`."""
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
    """The goals, then a table for each group of figures, then where they were measured."""
    tables = [goals_table(outcome.results)]
    for title, figures in groupby(outcome.figures, key=lambda figure: figure.table):
        tables.append(f"{title}:\n\n{figures_table(list(figures))}")
    tables.append(", ".join(f"{name} {value}" for name, value in machine.items()) + ".")
    return "\n\n".join(tables)


def goals_table(results: Mapping[str, Result]) -> str:
    rows = [["what", "goal", "measured", "lowest to highest", ""]]
    for result in results.values():
        goal, found = result.goal, result.found
        if found is None:
            cells = ["no figure", result.problem]
        else:
            cells = [amount(found.middle, goal.unit), _between(found.low, found.high, goal.unit)]
        rows.append([goal.what, goal.wanted, *cells, result.verdict])
    return _table(rows)


def figures_table(figures: list[Figure]) -> str:
    unit = figures[0].unit
    columns = list(figures[0].more)
    rows = [["", unit, "lowest to highest", *columns]]
    for figure in figures:
        found = figure.found
        more = [
            amount(float(figure.more[name]), "") if name in figure.more else "" for name in columns
        ]
        spread = _between(found.low, found.high, "")
        rows.append([figure.name, amount(found.middle, ""), spread, *more])
    if all(figure.found.low == figure.found.high for figure in figures):
        rows = [row[:2] + row[3:] for row in rows]
    return _table(rows)


def _between(low: float, high: float, unit: str) -> str:
    return "" if low == high else f"{amount(low, '')} to {amount(high, unit)}"


def _table(rows: list[list[str]]) -> str:
    head, *body = [f"| {' | '.join(cells)} |" for cells in rows]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


def rewritten(document: str, generated: str) -> str:
    """The document with what stands between the marks replaced. Raises Refused without marks."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise Refused(f"there is no {BEGIN} … {END} to write between")
    return f"{before}{BEGIN}\n\n{generated}\n\n{END}{after}"
