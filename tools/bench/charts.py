"""The charts of a run."""

from __future__ import annotations

from .outcome import Figure, Outcome
from .parts import macro, micro
from .picture import Bar, Chart

TABLES = {
    macro.LIST: "GET /api/stats, 108 rows, 8 connections: more is better",
    micro.TABLE: "Verifying an access token: less is better",
}
BOUNDS = {macro.FLOOR, micro.NAMES["rsa"]}
LEFT_OUT = {macro.LIMIT, macro.UNCHANGED}


def charts(outcome: Outcome) -> list[Chart]:
    """Return one chart for each of TABLES that was measured."""
    result = []
    for table, title in TABLES.items():
        figures = [figure for figure in outcome.figures if figure.table == table]
        shown = [figure for figure in figures if figure.name not in LEFT_OUT]
        bars = [Bar(_short(figure.name), figure.found.middle, _kind(figure)) for figure in shown]
        if bars:
            result.append(Chart(title, shown[0].unit, bars))
    return result


def _kind(figure: Figure) -> str:
    if figure.name in BOUNDS:
        return "bound"
    return "ours" if figure.name.startswith((macro.OURS, "the same")) else "peer"


def _short(name: str) -> str:
    return name.partition(":")[0].replace("`", "").replace("DRF viewset, ", "DRF, ")
