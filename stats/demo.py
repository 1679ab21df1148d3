"""The demo figures: revenue, profit and cost for each month of 2019 to 2021, always the same."""

from collections.abc import Iterator
from decimal import Decimal

from .models import Stat

YEARS = range(2019, 2022)

# In per cent of the trend: a shop's year, quiet in February and busy before Christmas, …
_SEASON = (93, 89, 98, 99, 101, 97, 94, 92, 101, 105, 112, 119)
# … and a spring in which it was closed, by months counted from the first.
_CLOSED = {14: 86, 15: 61, 16: 68, 17: 84, 18: 93}
_FIRST_REVENUE, _GROWTH_PER_MONTH = 118_000, 1_650
_FIXED_COST, _COST_PER_CENT = 31_000, 46


def demo_stats() -> Iterator[Stat]:
    """The 108 figures as unsaved rows. Profit is revenue less cost."""
    for year in YEARS:
        for month in range(1, 13):
            index = (year - YEARS[0]) * 12 + month - 1
            trend = _FIRST_REVENUE + _GROWTH_PER_MONTH * index
            share = _SEASON[month - 1] * _CLOSED.get(index, 100)
            revenue = trend * share // 10_000
            cost = _FIXED_COST + 120 * index + revenue * _COST_PER_CENT // 100
            figures = {"revenue": revenue, "profit": revenue - cost, "cost": cost}
            for kpi, value in figures.items():
                yield Stat(kpi=kpi, year=year, month=month, value=Decimal(value))
