"""The data of the dashboard: the KPIs to select, the chart and a page of the table.

Up to MAX_LOADED_FIGURES figures are loaded with one query and processed in Python. If there are
more, the database counts, averages and pages them, so that memory use does not grow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import QueryDict

from .charts import MAX_LINES, Chart, Point, build_chart
from .filters import FigureFilter
from .models import FIRST_YEAR, Stat
from .months import add_months
from .queries import Kpi, StatQuerySet

MAX_LOADED_FIGURES = 2000
MAX_CHOICES = 12  # KPIs to select; the search finds the others
MAX_CARDS = 60  # KPIs with a value and a small line each, if none is selected
ROWS_PER_PAGE = 50
DEFAULT_MONTHS = 24  # up to the newest figure, if the URL has no range
MAX_POINTS = 400  # per line; more are averaged, because they would be too dense to read
MAX_CARD_POINTS = 60  # per small line
_STEPS = (1, 2, 5, 10, 20, 50, 100)  # years
SORTABLE = ("kpi", "period", "value", "updatedDate")
_NEWEST_FIRST = ["-period", "kpi_key"]
_RANGE = ("from", "to", "year")


@dataclass(frozen=True)
class Choice:
    """A KPI to select."""

    name: str
    is_shown: bool


@dataclass(frozen=True)
class Dashboard:
    """The content of the dashboard.

    `kpi_count` is the number of KPIs that match the filter. `query` is that of the URL, with the
    default range if the URL has none; `default_from` is the start of that range, or "".
    """

    filter: FigureFilter
    query: QueryDict
    default_from: str
    choices: list[Choice]
    kpi_count: int
    chart: Chart
    page: Page[Any]
    sort: str

    @property
    def is_filtered(self) -> bool:
        names = ("kpi", "search", *(() if self.default_from else _RANGE))
        return any(self.filter.cleaned_data.get(name) for name in names)


def dashboard(query: QueryDict) -> Dashboard:
    """Return the content of the dashboard for `query`.

    Invalid parameters are ignored; the filter form shows their errors.
    """
    figure_filter = FigureFilter(query)
    figure_filter.is_valid()
    default_from = _default_start(figure_filter)
    if default_from:
        query = query.copy()
        query["from"] = default_from
        # Set without a second validation: this is the only value that differs.
        figure_filter.data = query
        figure_filter.cleaned_data["from"] = default_from.replace("-", "")
    figures = figure_filter.apply(Stat.objects.all(), with_kpi=False)
    keys = figure_filter.cleaned_data.get("kpi") or []
    sort = query.get("ordering", "")
    is_sortable = sort.removeprefix("-") in SORTABLE
    order = figure_filter.cleaned_data["ordering"] if is_sortable else _NEWEST_FIRST

    points = figures.order_by("kpi_key", "year", "month")[: MAX_LOADED_FIGURES + 1].as_points()
    table: list[Point] | StatQuerySet
    if len(points) <= MAX_LOADED_FIGURES:
        kpis, table = _kpis_of(points), _sort(points, keys, order)
    else:
        kpis = figures.kpis()
        table = (figures.filter(kpi_key__in=keys) if keys else figures).order_by(*order)
        points = []
    choices = _choices(kpis, keys)
    shown = [kpi for kpi in kpis if not keys or kpi.key in keys][:MAX_CARDS]
    is_drawn = len(shown) <= MAX_LINES
    swatches = _swatches(choices, shown)
    chart = _chart_of_points(points, swatches) if points else _chart(figures, shown, swatches)
    return Dashboard(
        filter=figure_filter,
        query=query,
        default_from=default_from,
        choices=[Choice(kpi.name, kpi in shown and bool(keys or is_drawn)) for kpi in choices],
        kpi_count=len(kpis),
        chart=chart,
        page=Paginator(table, ROWS_PER_PAGE).get_page(query.get("page")),
        sort=sort if is_sortable else "-period",
    )


def _default_start(unlimited: FigureFilter) -> str:
    """Return the start of the default range, such as `2019-01`, or "" if there is none."""
    if any(name in unlimited.data for name in _RANGE):
        return ""
    newest = unlimited.apply(Stat.objects.order_by("-period")).values_list("year", "month").first()
    if newest is None:
        return ""
    start = max(add_months(newest[0], newest[1], 1 - DEFAULT_MONTHS), (FIRST_YEAR, 1))
    return "{}-{:02d}".format(*start)


def _kpis_of(points: Sequence[Point]) -> list[Kpi]:
    """Return the KPIs of sorted points, each with its newest spelling."""
    kpis: dict[str, Kpi] = {}
    for point in points:
        first_year = kpis[point.kpi_key].first_year if point.kpi_key in kpis else point.year
        kpis[point.kpi_key] = Kpi(point.kpi_key, point.kpi, first_year, point.year)
    return list(kpis.values())


def _sort(points: Sequence[Point], keys: Sequence[str], order: Sequence[str]) -> list[Point]:
    table = [point for point in points if not keys or point.kpi_key in keys]
    for column in reversed(order):
        name = column.removeprefix("-")
        table.sort(key=lambda point: getattr(point, name), reverse=column.startswith("-"))
    return table


def _choices(kpis: Sequence[Kpi], keys: Sequence[str]) -> list[Kpi]:
    """Return the first KPIs, and those of the filter."""
    return [kpi for index, kpi in enumerate(kpis) if index < MAX_CHOICES or kpi.key in keys]


def _swatches(choices: Sequence[Kpi], shown: Sequence[Kpi]) -> dict[str, int]:
    """Return the number of the color of each KPI.

    If there are enough colors, a KPI has the same color when other KPIs are deselected.
    """
    numbered = choices if len(choices) <= MAX_LINES else shown
    numbers = {kpi.key: number for number, kpi in enumerate(numbered, start=1)}
    return {kpi.key: numbers[kpi.key] for kpi in shown}


def _chart_of_points(points: Sequence[Point], swatches: dict[str, int]) -> Chart:
    return build_chart((point for point in points if point.kpi_key in swatches), swatches=swatches)


def _chart(figures: StatQuerySet, shown: Sequence[Kpi], swatches: dict[str, int]) -> Chart:
    if not shown:
        return Chart([], [])
    figures = figures.filter(kpi_key__in=swatches)
    span = max(kpi.last_year for kpi in shown) - min(kpi.first_year for kpi in shown) + 1
    max_points = MAX_POINTS if len(shown) <= MAX_LINES else MAX_CARD_POINTS
    if span * 12 <= max_points:
        return build_chart(figures.as_points(), swatches=swatches)
    years = next(step for step in _STEPS if span / step <= max_points)
    return build_chart(
        figures.averages(years),
        swatches=swatches,
        years=years,
        newest=figures.newest_two().as_points(),
    )
