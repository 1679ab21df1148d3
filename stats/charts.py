"""Rows of figures -> what a chart, a table and a headline show. Plain Python: no Django, no SQL."""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, NamedTuple

MAX_LINES = 6  # more lines than this cannot be told apart, whatever their colour and dash


class Row(NamedTuple):
    """One figure. Rows with the same `kpi_key` are one KPI, whatever the case of `kpi`."""

    kpi_key: str
    kpi: str
    year: int
    month: int
    value: Decimal
    pk: int = 0
    updated_at: datetime.datetime | None = None

    @property
    def begins(self) -> datetime.date:
        """The first day of its month."""
        return datetime.date(self.year, self.month, 1)

    @property
    def period(self) -> str:
        """`YYYYMM`."""
        return f"{self.year}{self.month:02d}"

    @property
    def label(self) -> str:
        """`YYYY-MM`."""
        return f"{self.year}-{self.month:02d}"


@dataclass(frozen=True, slots=True)
class Latest:
    """A KPI's newest figure beside the one before it (`None` where there is no other)."""

    value: Decimal
    period: datetime.date
    change: Decimal | None
    percent: Decimal | None
    since: datetime.date | None


@dataclass(frozen=True, slots=True)
class Series:
    """A KPI over the chart's periods; `None` where a month has no figure. `swatch`: which colour
    and dash it is drawn with, from 1."""

    key: str
    name: str
    values: list[Decimal | None]
    latest: Latest
    swatch: int


@dataclass(frozen=True, slots=True)
class Chart:
    """`periods`: first days of the months that have any figure, ascending; `series` by KPI.

    `years`: each point is the average of so many years, which begin with the period; 0: a month's
    own figure.
    """

    periods: list[datetime.date]
    series: list[Series]
    years: int = 0

    def table(self) -> Iterable[tuple[datetime.date, list[Decimal | None]]]:
        """Newest first: the period and one value per series."""
        for index in range(len(self.periods) - 1, -1, -1):
            yield self.periods[index], [series.values[index] for series in self.series]

    def as_json(self) -> dict[str, Any]:
        """`{"months": ["2019-01", …], "years": 0, "series": [{"name", "values": [number | null,
        …]}, …]}`."""
        return {
            "months": [f"{period:%Y-%m}" for period in self.periods],
            "years": self.years,
            "series": [
                {
                    "name": series.name,
                    "values": [None if value is None else float(value) for value in series.values],
                }
                for series in self.series
            ],
        }


def build_chart(
    rows: Iterable[Row],
    *,
    swatches: Mapping[str, int] | None = None,
    years: int = 0,
    newest: Iterable[Row] = (),
) -> Chart:
    """`rows` in any order -> a chart whose series stand in the order of their keys.

    A series bears its KPI's newest spelling. `swatches` by key; counted when absent. `newest`: rows
    of the latest months, where `rows` are averages of `years`.
    """
    names, figures = _by_kpi(rows)
    newest_names, newest_figures = _by_kpi(newest)
    periods = sorted({period for by_period in figures.values() for period in by_period})
    series = []
    for place, (key, by_period) in enumerate(figures.items(), start=1):
        column = aligned(by_period)
        series.append(
            Series(
                key=key,
                name=newest_names.get(key, names[key]),
                values=[column.get(period) for period in periods],
                latest=latest(newest_figures.get(key, by_period)),
                swatch=(swatches or {}).get(key, place),
            )
        )
    return Chart(periods, series, years)


def _by_kpi(
    rows: Iterable[Row],
) -> tuple[dict[str, str], dict[str, dict[datetime.date, Decimal]]]:
    """The names and the figures by month of each key, in order."""
    names: dict[str, str] = {}
    figures: dict[str, dict[datetime.date, Decimal]] = {}
    for row in sorted(rows, key=lambda row: (row.kpi_key, row.year, row.month)):
        names[row.kpi_key] = row.kpi
        figures.setdefault(row.kpi_key, {})[row.begins] = row.value
    return names, figures


def aligned(figures: dict[datetime.date, Decimal]) -> dict[datetime.date, Decimal]:
    """The same numbers, all with as many decimal places as the longest: points stand in line."""
    exponent = min(0, *(int(value.as_tuple().exponent) for value in figures.values()))
    unit = Decimal((0, (1,), exponent))
    exact = Context(prec=40)  # 15 digits before the point, 15 after it, and some to spare
    return {period: value.quantize(unit, context=exact) for period, value in figures.items()}


def latest(figures: dict[datetime.date, Decimal]) -> Latest:
    """The newest of at least one figure, and how it differs from the one before.

    The change in percent is left out where the earlier figure is zero or negative: from such a
    ground it would mislead.
    """
    period, *earlier = sorted(figures, reverse=True)
    value = figures[period]
    if not earlier:
        return Latest(value, period, None, None, None)
    before = figures[earlier[0]]
    change = value - before
    return Latest(value, period, change, change / before * 100 if before > 0 else None, earlier[0])
