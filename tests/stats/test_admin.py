import pytest
from django.urls import reverse

from stats.models import Stat

pytestmark = pytest.mark.django_db

LIST, ADD = reverse("admin:stats_stat_changelist"), reverse("admin:stats_stat_add")
FIGURE = {"kpi": "revenue", "year": 2020, "month": 3, "value": "1234.5"}


def test_list_shows_values_without_padding(admin_client):
    Stat.objects.create(**FIGURE)
    page = admin_client.get(LIST).content.decode()

    assert "1,234.5</td>" in page
    assert "202003" in page


def test_figure_is_added_and_changed(admin_client):
    assert admin_client.post(ADD, FIGURE).status_code == 302
    stat = Stat.objects.get()
    change = reverse("admin:stats_stat_change", args=[stat.pk])

    assert 'value="1234.5"' in admin_client.get(change).content.decode()
    assert admin_client.post(change, {**FIGURE, "value": "7"}).status_code == 302
    assert Stat.objects.get().value == 7


def test_second_figure_for_a_month_is_a_form_error(admin_client):
    Stat.objects.create(**FIGURE)
    response = admin_client.post(ADD, {**FIGURE, "kpi": "REVENUE"})

    assert response.status_code == 200
    assert "This KPI already has a figure for this month." in response.content.decode()


def test_search_and_filters_find_a_figure(admin_client):
    Stat.objects.create(**FIGURE)
    for query in ("q=reven", "q=202003", "year=2020", "kpi=revenue"):
        assert "1,234.5</td>" in admin_client.get(f"{LIST}?{query}").content.decode()


def test_list_costs_few_queries_however_many_rows(admin_client, django_assert_max_num_queries):
    Stat.objects.bulk_create(Stat(**{**FIGURE, "year": 1900 + number}) for number in range(60))

    with django_assert_max_num_queries(9):
        admin_client.get(LIST)
