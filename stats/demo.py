"""Demo figures: revenue, profit and cost for each month of three years."""

import datetime
from collections.abc import Iterator
from decimal import Decimal

from .cleaning import Figure
from .months import add_months

MONTHS = 36
_FIRST_YEAR = 2019

# The percentage of the trend in each month of a year: low in February, high before Christmas.
_SEASON = (93, 89, 98, 99, 101, 97, 94, 92, 101, 105, 112, 119)
# The percentage in the months in which the shop is rebuilt, by their index in three years.
_CLOSED = {14: 86, 15: 61, 16: 68, 17: 84, 18: 93}
_FIRST_REVENUE, _GROWTH_PER_MONTH = 118_000, 1_650
_FIXED_COST, _COST_PER_CENT = 31_000, 46

LOAD_BEGINS, LOAD_MONTHS = 2012, 120


def demo_figures(last: datetime.date) -> Iterator[Figure]:
    """Yield the 108 demo figures up to the month of `last`. Profit is revenue minus cost.

    A month always has the same figures, so that a later run adds months and contradicts none.
    """
    for offset in range(MONTHS - 1, -1, -1):
        year, month = add_months(last.year, last.month, -offset)
        index = (year - _FIRST_YEAR) * 12 + month - 1
        trend = _FIRST_REVENUE + _GROWTH_PER_MONTH * index
        share = _SEASON[month - 1] * _CLOSED.get(index % MONTHS, 100)
        revenue = trend * share // 10_000
        cost = _FIXED_COST + 120 * index + revenue * _COST_PER_CENT // 100
        values = {"revenue": revenue, "profit": revenue - cost, "cost": cost}
        for kpi, value in values.items():
            yield Figure(kpi, year, month, Decimal(value))


def figures(last: datetime.date, count: int | None = None) -> Iterator[Figure]:
    """Yield the demo figures, or `count` figures: first the demo figures, then generated ones."""
    demo = list(demo_figures(last))
    yield from demo[:count]
    if count is not None:
        yield from load_figures(max(0, count - len(demo)))


def load_figures(count: int) -> Iterator[Figure]:
    """Yield `count` generated figures, always the same: KPIs of ten years each."""
    for number in range(count):
        store, month = divmod(number, LOAD_MONTHS)
        yield Figure(
            kpi=f"store {store + 1:05}",
            year=LOAD_BEGINS + month // 12,
            month=month % 12 + 1,
            value=Decimal(40_000 + store * 37 % 9_000 + month * 113 % 2_700) + Decimal(month) / 4,
        )
