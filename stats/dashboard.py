"""What the dashboard shows for a query: KPIs to choose from, the chart, a page of the table.

Up to MOST_ROWS figures are read with one query and everything is made of them here; beyond that the
database counts, averages and pages, so that memory stays flat.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import QueryDict

from .charts import MAX_LINES, Chart, Row, build_chart
from .filters import FigureFilter
from .models import Stat
from .queries import Kpi, StatQuerySet

MOST_ROWS = 2000
MOST_CHOICES = 12  # KPIs to tick; a search finds the others
ROWS_PER_PAGE = 50
MOST_POINTS = 400  # of a line; more are averaged, or nobody could see them
_STEPS = (1, 2, 5, 10, 20, 50, 100)  # years
SORTABLE = ("kpi", "period", "value", "updatedDate")
_NEWEST_FIRST = ["-period", "kpi_key"]


@dataclass(frozen=True)
class Choice:
    """A KPI to tick."""

    name: str
    is_shown: bool


@dataclass(frozen=True)
class Dashboard:
    """One view of the figures. `kpi_count`: how many KPIs the filter leaves to choose from."""

    filter: FigureFilter
    choices: list[Choice]
    kpi_count: int
    chart: Chart
    page: Page[Any]
    sort: str

    @property
    def is_filtered(self) -> bool:
        return any(
            self.filter.cleaned_data.get(name) for name in ("kpi", "year", "search", "from", "to")
        )


def dashboard(query: QueryDict) -> Dashboard:
    """The view that an address asks for. What is wrong in it filters nothing; the form says so."""
    figure_filter = FigureFilter(query)
    figure_filter.is_valid()
    figures = figure_filter.apply(Stat.objects.all(), with_kpi=False)
    wanted = figure_filter.cleaned_data.get("kpi") or []
    sort = query.get("ordering", "")
    sortable = sort.removeprefix("-") in SORTABLE
    order = figure_filter.cleaned_data["ordering"] if sortable else _NEWEST_FIRST

    rows = figures.order_by("kpi_key", "year", "month")[: MOST_ROWS + 1].as_rows()
    table: list[Row] | StatQuerySet
    if len(rows) <= MOST_ROWS:
        kpis, table = _kpis_of(rows), _sorted_rows(rows, wanted, order)
    else:
        kpis = figures.kpis()
        table = (figures.filter(kpi_key__in=wanted) if wanted else figures).order_by(*order)
        rows = []
    choices = _choices(kpis, wanted)
    shown = [kpi for kpi in choices if not wanted or kpi.key in wanted][:MAX_LINES]
    swatches = _swatches(choices, shown)
    chart = _chart_of_rows(rows, swatches) if rows else _chart_of(figures, shown, swatches)
    return Dashboard(
        filter=figure_filter,
        choices=[Choice(kpi.name, kpi in shown) for kpi in choices],
        kpi_count=len(kpis),
        chart=chart,
        page=Paginator(table, ROWS_PER_PAGE).get_page(query.get("page")),
        sort=sort if sortable else "-period",
    )


def _kpis_of(rows: Sequence[Row]) -> list[Kpi]:
    """The KPIs of sorted rows; a later row's spelling is the newer one."""
    kpis: dict[str, Kpi] = {}
    for row in rows:
        first_year = kpis[row.kpi_key].first_year if row.kpi_key in kpis else row.year
        kpis[row.kpi_key] = Kpi(row.kpi_key, row.kpi, first_year, row.year)
    return list(kpis.values())


def _sorted_rows(rows: Sequence[Row], wanted: Sequence[str], order: Sequence[str]) -> list[Row]:
    table = [row for row in rows if not wanted or row.kpi_key in wanted]
    for column in reversed(order):
        name = column.removeprefix("-")
        table.sort(key=lambda row: getattr(row, name), reverse=column.startswith("-"))
    return table


def _choices(kpis: Sequence[Kpi], wanted: Sequence[str]) -> list[Kpi]:
    """The first KPIs and those that are asked for."""
    return [kpi for place, kpi in enumerate(kpis) if place < MOST_CHOICES or kpi.key in wanted]


def _swatches(choices: Sequence[Kpi], shown: Sequence[Kpi]) -> dict[str, int]:
    """A KPI keeps its colour when others are switched off, as far as there are enough."""
    ground = choices if len(choices) <= MAX_LINES else shown
    places = {kpi.key: place for place, kpi in enumerate(ground, start=1)}
    return {kpi.key: places[kpi.key] for kpi in shown}


def _chart_of_rows(rows: Sequence[Row], swatches: dict[str, int]) -> Chart:
    return build_chart((row for row in rows if row.kpi_key in swatches), swatches=swatches)


def _chart_of(figures: StatQuerySet, shown: Sequence[Kpi], swatches: dict[str, int]) -> Chart:
    if not shown:
        return Chart([], [])
    figures = figures.filter(kpi_key__in=swatches)
    span = max(kpi.last_year for kpi in shown) - min(kpi.first_year for kpi in shown) + 1
    if span * 12 <= MOST_POINTS:
        return build_chart(figures.as_rows(), swatches=swatches)
    years = next(step for step in _STEPS if span / step <= MOST_POINTS)
    return build_chart(
        figures.averages(years),
        swatches=swatches,
        years=years,
        newest=figures.newest_two().as_rows(),
    )
