"""The data of a chart, of its table and of the latest values, in plain Python."""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, NamedTuple

MAX_LINES = 6  # users cannot distinguish more lines by color and dash
_SPARKLINE_WIDTH, _SPARKLINE_HEIGHT, _SPARKLINE_MARGIN = 100, 24, 2


class Point(NamedTuple):
    """One figure. Points with the same `kpi_key` belong to one KPI, even if `kpi` differs."""

    kpi_key: str
    kpi: str
    year: int
    month: int
    value: Decimal
    pk: int = 0
    updated_at: datetime.datetime | None = None

    @property
    def begins(self) -> datetime.date:
        """The first day of the month."""
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
    """The newest figure of a KPI, compared with the previous one.

    `change`, `percent` and `since` are None if there is no previous figure.
    """

    value: Decimal
    period: datetime.date
    change: Decimal | None
    percent: Decimal | None
    since: datetime.date | None


@dataclass(frozen=True, slots=True)
class Series:
    """The line of one KPI. A value is None if the month has no figure.

    `swatch` is the number of its color and dash, from 1.
    """

    key: str
    name: str
    values: list[Decimal | None]
    latest: Latest
    swatch: int

    @property
    def sparkline(self) -> str:
        """The `points` of an SVG polyline of 100 by 24, or "" for fewer than two figures."""
        points = [(at, float(value)) for at, value in enumerate(self.values) if value is not None]
        if len(points) < 2:
            return ""
        low, high = min(value for _, value in points), max(value for _, value in points)
        across = _SPARKLINE_WIDTH / (len(self.values) - 1)
        up = (_SPARKLINE_HEIGHT - 2 * _SPARKLINE_MARGIN) / ((high - low) or 1)
        floor = _SPARKLINE_HEIGHT - _SPARKLINE_MARGIN
        return " ".join(
            f"{at * across:.1f},{floor - (value - low) * up:.1f}" for at, value in points
        )


@dataclass(frozen=True, slots=True)
class Chart:
    """The lines of a chart, over the months that have a figure, in ascending order.

    If `years` is not 0, each value is the average of that many years from its period on. Otherwise
    it is the figure of one month.
    """

    periods: list[datetime.date]
    series: list[Series]
    years: int = 0

    @property
    def is_drawn(self) -> bool:
        """True if it has few enough lines for a chart."""
        return 0 < len(self.series) <= MAX_LINES

    def table(self) -> Iterable[tuple[datetime.date, list[Decimal | None]]]:
        """Yield each period with one value per series, newest first."""
        for index in range(len(self.periods) - 1, -1, -1):
            yield self.periods[index], [series.values[index] for series in self.series]

    def as_json(self) -> dict[str, Any]:
        """Return a dict for JSON.

        Its form is `{"months": ["2019-01", …], "years": 0, "series": [{"name": …, "values": [number
        or null, …]}, …]}`.
        """
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
    points: Iterable[Point],
    *,
    swatches: Mapping[str, int] | None = None,
    years: int = 0,
    newest: Iterable[Point] = (),
) -> Chart:
    """Return a chart of `points`, with its series in the order of their keys.

    A series has the newest spelling of its KPI. `swatches` are numbers by key; by default they are
    counted. If `points` are averages of `years`, `newest` are the figures of the latest months.
    """
    names, figures = _by_kpi(points)
    newest_names, newest_figures = _by_kpi(newest)
    periods = sorted({period for by_period in figures.values() for period in by_period})
    series = []
    for place, (key, by_period) in enumerate(figures.items(), start=1):
        column = align(by_period)
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
    points: Iterable[Point],
) -> tuple[dict[str, str], dict[str, dict[datetime.date, Decimal]]]:
    """Return the names and the figures by month, both by key."""
    names: dict[str, str] = {}
    figures: dict[str, dict[datetime.date, Decimal]] = {}
    for point in sorted(points, key=lambda point: (point.kpi_key, point.year, point.month)):
        names[point.kpi_key] = point.kpi
        figures.setdefault(point.kpi_key, {})[point.begins] = point.value
    return names, figures


def align(figures: dict[datetime.date, Decimal]) -> dict[datetime.date, Decimal]:
    """Return the same numbers, all with as many decimal places as the longest one."""
    exponent = min(0, *(int(value.as_tuple().exponent) for value in figures.values()))
    unit = Decimal((0, (1,), exponent))
    exact = Context(prec=40)  # at least 15 digits before the point and 15 after it
    return {period: value.quantize(unit, context=exact) for period, value in figures.items()}


def latest(figures: dict[datetime.date, Decimal]) -> Latest:
    """Return the newest of `figures`, compared with the previous one.

    `percent` is None if the previous figure is not positive, because it would be misleading.
    """
    period, *earlier = sorted(figures, reverse=True)
    value = figures[period]
    if not earlier:
        return Latest(value, period, None, None, None)
    before = figures[earlier[0]]
    change = value - before
    return Latest(value, period, change, change / before * 100 if before > 0 else None, earlier[0])
