"""The query string of the dashboard: KPIs, range, order and page, and the same as a download."""

import csv
import io
import re
from urllib.parse import urljoin

import pytest
from django.core.management import call_command
from django.http import QueryDict

from stats.dashboard import dashboard
from stats.models import Stat

pytestmark = pytest.mark.django_db


@pytest.fixture
def linus(client, django_user_model):
    client.force_login(django_user_model.objects.create(username="p-1", first_name="Linus"))
    call_command("seed_stats", until="2021-12", verbosity=0)
    return client


def view(query):
    return dashboard(QueryDict(query))


def table(shown):
    return [(stat.kpi, stat.period) for stat in shown.page]


def test_deselected_kpis_do_not_change_colors(linus):
    shown = view("kpi=REVENUE&kpi=cost")
    assert [(choice.name, choice.is_shown) for choice in shown.choices] == [
        ("cost", True),
        ("profit", False),
        ("revenue", True),
    ]
    assert [(series.name, series.swatch) for series in shown.chart.series] == [
        ("cost", 1),
        ("revenue", 3),
    ]
    assert {stat.kpi for stat in shown.page.paginator.object_list} == {"cost", "revenue"}


def test_range_applies_to_latest_values_chart_and_table(linus):
    shown = view("from=2019-11&to=202002")
    assert [f"{period:%Y%m}" for period in shown.chart.periods] == [
        "201911",
        "201912",
        "202001",
        "202002",
    ]
    assert f"{shown.chart.series[0].latest.period:%Y%m}" == "202002"
    assert shown.page.paginator.count == 12


@pytest.mark.parametrize(
    ("ordering", "first"),
    [
        ("", ("cost", "202112")),
        ("period", ("cost", "202001")),
        ("period&from=", ("cost", "201901")),
        ("kpi", ("cost", "202001")),
        ("-kpi", ("revenue", "202001")),
        ("-value", ("revenue", "202112")),
        ("nonsense", ("cost", "202112")),
        ("createdDate", ("cost", "202112")),
    ],
)
@pytest.mark.parametrize("limit", [2000, 10], ids=["in Python", "in the database"])
def test_table_is_sorted(linus, monkeypatch, ordering, first, limit):
    monkeypatch.setattr("stats.dashboard.MAX_LOADED_FIGURES", limit)
    assert table(view(f"ordering={ordering}"))[0] == first


@pytest.mark.parametrize(
    "query", ["", "from=", "kpi=cost", "search=ro", "from=202001&page=2", "page=x"]
)
def test_few_and_many_figures_are_shown_alike(linus, monkeypatch, query):
    few = view(query)
    monkeypatch.setattr("stats.dashboard.MAX_LOADED_FIGURES", 10)
    many = view(query)
    assert few.chart == many.chart
    assert few.choices == many.choices
    assert table(few) == table(many)
    assert few.page.paginator.count == many.page.paginator.count


def test_links_to_pages_keep_the_filter(linus):
    page = linus.get(
        "/dashboard/?kpi=cost&kpi=profit&from=&ordering=-value&page=2"
    ).content.decode()
    assert "51 to 72 of 72" in page
    assert (
        'href="?kpi=cost&amp;kpi=profit&amp;from=&amp;ordering=-value&amp;page=1#figures-title"'
        in page
    )
    assert re.search(r'aria-sort="descending">\s*<a[^>]*ordering=value#figures-title"', page)


@pytest.mark.parametrize("number", ["0", "-1", "99999", "x", "9" * 400])
def test_missing_page_is_replaced_by_the_nearest(linus, number):
    assert linus.get(f"/dashboard/?page={number}").status_code == 200


def test_invalid_filter_is_kept_with_an_error_at_its_field(linus):
    page = linus.get("/dashboard/?from=2019-13&to=200001&search=x").content.decode()
    assert 'value="2019-13"' in page
    assert "Enter a month like 2019-01." in page
    assert 'aria-describedby="id_from_helptext id_from_error"' in page


def test_year_is_kept_when_the_filter_changes(linus):
    page = linus.get("/dashboard/?year=2020").content.decode()
    assert re.search(r'name="year" value="2020"', page)
    assert 'name="year"' not in linus.get("/dashboard/").content.decode()
    wrong = linus.get("/dashboard/?year=0").content.decode()
    assert 'id="id_year_error"' in wrong


def test_first_month_of_a_range_is_not_called_the_first_figure(linus):
    page = linus.get("/dashboard/?from=202003&to=202003").content.decode()
    assert "no earlier figure in this view" in page
    assert "the first figure" not in page


def test_view_without_figures_links_to_all_figures(linus):
    page = linus.get("/dashboard/?from=203001").content.decode()
    assert "No figures match this view." in page
    assert 'href="/dashboard/"' in page


def test_download_holds_the_filtered_figures(linus):
    query = "?kpi=revenue&from=2020-01&ordering=-value"
    page = linus.get(f"/dashboard/{query}").content.decode()
    address = re.search(r'href="(/api/stats[^"]+)"', page)[1].replace("&amp;", "&")
    lines = list(csv.DictReader(io.StringIO(linus.get(address).getvalue().decode("utf-8-sig"))))
    assert [(line["kpi"], line["period"]) for line in lines] == table(view(query[1:]))


def test_forms_are_linked_for_users_with_permissions(linus, django_user_model):
    assert b"Add a figure" not in linus.get("/dashboard/").content
    assert b"/edit/" not in linus.get("/dashboard/").content
    linus.force_login(django_user_model.objects.create_superuser("ada"))
    page = linus.get("/dashboard/").content
    assert b"Add a figure" in page
    assert page.count(b"/edit/") == page.count(b"/delete/") == 50
    for address in re.findall(r'href="(figures/[^"?]+)', page.decode())[:2]:
        assert linus.get(urljoin("http://testserver/dashboard/", address)).status_code == 200


def test_many_kpis_take_no_more_queries(linus, django_assert_max_num_queries):
    Stat.objects.bulk_create(Stat(kpi=f"k{n}", year=2020, month=1, value=n) for n in range(500))
    linus.get("/dashboard/")
    with django_assert_max_num_queries(8):
        linus.get("/dashboard/")


def test_default_range_is_two_years_up_to_the_newest_figure(linus):
    shown = view("")
    assert shown.default_from == "2020-01"
    assert shown.page.paginator.count == 72
    assert not shown.is_filtered
    page = linus.get("/dashboard/").content.decode()
    assert 'type="month" name="from" value="2020-01"' in page
    assert re.search(r'href="/api/stats\?[^"]*from=2020-01[^"]*" download', page)


@pytest.mark.parametrize("query", ["from=", "to=202112", "year=2019", "from=201901&to="])
def test_any_range_replaces_the_default(linus, query):
    assert view(query).default_from == ""
    assert view(query).page[-1].period.startswith(("2019", "2020"))


def test_old_kpi_is_shown_with_its_own_last_two_years(linus):
    Stat.objects.create(kpi="fax", year=1999, month=12, value=1)
    assert table(view("kpi=fax")) == [("fax", "199912")]
    assert view("").default_from == "2020-01"


def test_default_range_begins_with_the_first_year_at_the_earliest():
    Stat.objects.create(kpi="tithe", year=1000, month=2, value=1)
    assert view("").default_from == "1000-01"
    assert not view("").filter.errors


@pytest.mark.parametrize("limit", [2000, 10], ids=["in Python", "in the database"])
def test_sixty_kpis_are_cards_without_a_chart(linus, monkeypatch, limit):
    monkeypatch.setattr("stats.dashboard.MAX_LOADED_FIGURES", limit)
    Stat.objects.bulk_create(
        Stat(kpi=f"k{n:02}", year=2021, month=month, value=n) for n in range(60) for month in (1, 2)
    )
    shown = view("")
    assert (len(shown.chart.series), shown.kpi_count) == (60, 63)
    assert not shown.chart.is_drawn
    assert not any(choice.is_shown for choice in shown.choices)
    page = linus.get("/dashboard/").content.decode()
    assert "data-chart" not in page
    assert '<a href="?kpi=k07">k07</a>' in page
    assert page.count("<polyline") == 60
    assert "60 of 63 KPIs." in page
    assert view("kpi=k07&kpi=cost").chart.is_drawn
