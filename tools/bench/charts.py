"""Which figures of a run make the picture."""

from __future__ import annotations

from .outcome import Figure, Outcome
from .parts import macro, micro
from .picture import Bar, Chart

TABLES = {
    macro.LIST: "GET /api/stats, 108 rows, 8 connections: more is better",
    micro.TABLE: "Verifying an access token: less is better",
}
BOUNDS = {macro.FLOOR, micro.NAMES["rsa"]}
LEFT_OUT = {macro.LIMIT}


def charts(outcome: Outcome) -> list[Chart]:
    """One for each of TABLES that was measured."""
    found = []
    for table, title in TABLES.items():
        figures = [each for each in outcome.figures if each.table == table]
        shown = [figure for figure in figures if figure.name not in LEFT_OUT]
        bars = [Bar(_short(each.name), each.found.middle, _kind(each)) for each in shown]
        if bars:
            found.append(Chart(title, shown[0].unit, bars))
    return found


def _kind(figure: Figure) -> str:
    if figure.name in BOUNDS:
        return "bound"
    return "ours" if figure.name.startswith((macro.OURS, "the same")) else "peer"


def _short(name: str) -> str:
    return name.partition(":")[0].replace("`", "").replace("DRF viewset, ", "DRF, ")
