"""100,000 figures: constant memory, an immediate first byte, and few queries."""

import json
import time
import tracemalloc

import pytest
from django.http import QueryDict

from stats import dashboard
from stats.models import Stat
from tests.stats.scale import fill

pytestmark = pytest.mark.django_db
MANY = 100_000
MEBIBYTE = 1024 * 1024


def peak_while(work):
    """Measure the maximum of additionally allocated bytes."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("query", ["", "?format=csv"])
def test_streamed_list_and_csv_use_constant_memory(cognito_client, query):
    reader = cognito_client("linus", session=False)
    peaks = []
    for count in (6_000, 18_000):
        Stat.objects.all().delete()
        fill(count)
        pieces = reader.get(f"/api/stats{query}").streaming_content
        peaks.append(peak_while(lambda pieces=pieces: [None for piece in pieces]))
    assert max(peaks) < 4 * MEBIBYTE
    assert peaks[1] - peaks[0] < MEBIBYTE / 8


def test_list_of_100000_is_complete(cognito_client):
    fill(MANY)
    response = cognito_client("linus", session=False).get("/api/stats?format=csv")
    sizes = [(piece.count(b"\n"), len(piece)) for piece in response.streaming_content]
    assert sum(lines for lines, _ in sizes) == MANY + 1
    assert max(size for _, size in sizes) < MEBIBYTE


def test_streamed_list_is_complete_and_in_order(cognito_client):
    fill(2500)
    data = json.loads(cognito_client("linus").get("/api/stats?ordering=kpi").getvalue())["data"]
    assert len(data) == 2500
    keys = [(item["kpi"], item["period"]) for item in data]
    assert keys == sorted(keys)


def test_first_chunk_is_sent_immediately(cognito_client):
    fill(MANY)
    reader = cognito_client("linus", session=False)
    reader.get("/api/stats?limit=1")
    started = time.thread_time()
    response = reader.get("/api/stats")
    pieces = iter(response.streaming_content)
    next(pieces)
    first = time.thread_time() - started
    assert sum(1 for piece in pieces) > 90
    response.close()
    assert first < (time.thread_time() - started) / 4  # independent of the machine


@pytest.mark.parametrize(
    ("months", "query", "years", "points"),
    [(120, "from=", 0, 120), (9600, "from=", 2, 400), (9600, "from=196001&to=198912", 0, 360)],
)
def test_dashboard_limits_the_points_of_a_line(months, query, years, points):
    fill(6 * months, months=months, first_year=1200)
    view = dashboard.dashboard(QueryDict(query))
    assert (view.chart.years, len(view.chart.periods)) == (years, points)
    assert len(view.chart.series) == 6


def test_average_covers_the_span_and_latest_is_one_month():
    fill(9600, months=9600, first_year=1200)
    (series,) = dashboard.dashboard(QueryDict("from=")).chart.series
    assert series.values[0] == sum(n + 0.5 for n in range(24)) / 24
    assert str(series.latest.value) == "9599.5"
    assert series.latest.change == 1


def test_dashboard_of_many_takes_few_queries_and_little_memory(
    client, django_user_model, django_assert_max_num_queries
):
    fill(MANY)
    client.force_login(django_user_model.objects.create(username="p"))
    client.get("/dashboard/")
    with django_assert_max_num_queries(11):
        page = client.get("/dashboard/?from=&page=1999").content.decode()
    assert "99,901 to 99,950 of 100,000" in page
    assert page.count("<svg") == 60  # cards
    assert peak_while(lambda: client.get("/dashboard/?ordering=-value")) < 12 * MEBIBYTE


def test_search_finds_one_of_many_kpis(client, django_user_model):
    fill(MANY)
    client.force_login(django_user_model.objects.create(username="p"))
    page = client.get("/dashboard/?search=00833").content.decode()
    assert page.count('name="kpi"') == 1
    assert "store 00833" in page
    unfiltered = client.get("/dashboard/").content.decode()
    assert unfiltered.count('name="kpi"') == 12
    assert 'name="search"' in unfiltered


def test_admin_list_of_many_takes_few_queries(admin_client, django_assert_max_num_queries):
    fill(MANY)
    with django_assert_max_num_queries(12):
        page = admin_client.get("/admin/stats/stat/").content.decode()
    assert "100000 figures" in page.replace(",", "")
