"""Fixtures: figures, and clients that read and write them."""

import pytest

from stats.models import Stat

STATS = "/api/stats"
FIGURE = {"kpi": "revenue", "year": 2020, "month": 3, "value": 12.5}


@pytest.fixture
def editor(cognito_client):
    return cognito_client("grace", groups=["editors"], session=False)


@pytest.fixture
def reader(cognito_client):
    return cognito_client("linus", session=False)


@pytest.fixture
def some_figures(db):
    """Two KPIs over 2019 and 2020, 48 figures. The value is the number of the figure."""
    return Stat.objects.bulk_create(
        Stat(kpi=kpi, year=year, month=month, value=number * 24 + (year - 2019) * 12 + month)
        for number, kpi in enumerate(("cost", "Revenue"))
        for year in (2019, 2020)
        for month in range(1, 13)
    )
