import re
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from stats.models import Stat

pytestmark = pytest.mark.django_db

DASHBOARD = "/dashboard/"


@pytest.fixture
def user(client):
    user = get_user_model().objects.create_user(username="p-1")
    client.force_login(user)
    return user


def text_of(response) -> str:
    without_tags = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", without_tags)


def figure(kpi: str, month: int, value: str) -> Stat:
    return Stat(kpi=kpi, year=2020, month=month, value=Decimal(value))


def test_dashboard_has_its_url():
    assert reverse("stats:dashboard") == DASHBOARD


def test_anonymous_user_is_redirected_to_sign_in(client):
    response = client.get(f"{DASHBOARD}?from=201901")

    assert response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=/dashboard/%3Ffrom%3D201901"


def test_empty_dashboard_has_no_chart(client, user):
    response = client.get(DASHBOARD)

    assert response.status_code == 200
    assert "No figures yet. Figures appear here when an editor adds them." in text_of(response)
    assert b"data-chart" not in response.content
    assert b"<table" not in response.content


def test_empty_dashboard_links_to_the_form_if_the_user_can_add(client, user):
    user.is_staff = True
    user.save()
    user.user_permissions.add(Permission.objects.get(codename="add_stat"))
    response = client.get(DASHBOARD)

    assert reverse("stats:add") in response.content.decode()
    assert reverse("admin:stats_stat_import") in response.content.decode()
    assert "manage.py" not in text_of(response)


def test_one_figure_is_the_first(client, user):
    figure("revenue", 3, "1234.50").save()
    text = text_of(client.get(DASHBOARD))

    assert "1,234.5 Mar 2020, no earlier figure in this view" in text
    assert "No figures yet" not in text


def test_dashboard_shows_latest_value_and_change_per_kpi(client, user):
    call_command("seed_stats", until="2021-12", verbosity=0)
    text = text_of(client.get(DASHBOARD))

    assert "January 2020 to December 2021" in text
    assert "revenue 209,142 +14,150 (+7.3%) since Nov 2021" in text
    assert "profit 77,737 +7,521 (+10.7%) since Nov 2021" in text
    assert "cost 131,405 +6,629 (+5.3%) since Nov 2021" in text


def test_chart_data_and_table_hold_the_same_months(client, user):
    call_command("seed_stats", until="2021-12", verbosity=0)
    response = client.get(DASHBOARD)
    chart = response.context["chart"]

    assert chart.as_json()["months"][0] == "2020-01"
    assert [series["name"] for series in chart.as_json()["series"]] == ["cost", "profit", "revenue"]
    assert response.content.count(b'<th scope="row">') == 24
    assert response.content.count(b'class="table__name"') == 50
    assert b'<script id="stats-data" type="application/json">' in response.content


def test_missing_month_has_a_text(client, user):
    Stat.objects.bulk_create([figure("cost", 1, "1"), figure("revenue", 2, "2")])

    assert "Jan 2020 1 \N{EN DASH} no figure" in text_of(client.get(DASHBOARD))


def test_kpi_name_is_escaped(client, user):
    figure("</script><b>x", 1, "1").save()
    page = client.get(DASHBOARD).content.decode()

    assert "<b>x" not in page


def test_more_kpis_than_lines_are_all_in_the_table(client, user):
    # The chart has at most six lines; KPIs can be selected.
    Stat.objects.bulk_create([figure(f"kpi {number}", 1, "1") for number in range(8)])
    response = client.get(DASHBOARD)

    assert "8 of 8 KPIs." in text_of(response)
    assert response.content.count(b'class="table__name"') == 8


def test_dashboard_takes_one_query_for_the_figures(client, user):
    call_command("seed_stats", until="2021-12", verbosity=0)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.get(DASHBOARD)

    statements = [query["sql"] for query in queries if Stat._meta.db_table in query["sql"]]
    assert len(statements) == 2  # the newest month, then the figures
    assert len(queries) <= 7  # including the session, the user, permissions and the sign-in


def test_dashboard_takes_few_queries_with_a_sign_in(cognito_client, django_assert_max_num_queries):
    call_command("seed_stats", until="2021-12", verbosity=0)
    browser = cognito_client("grace", groups=["editors"], bearer=False)
    with django_assert_max_num_queries(8):
        assert "Delete" in browser.get(DASHBOARD).content.decode()


def test_dashboard_is_not_cached_by_the_browser(client, user):
    assert "no-store" in client.get(DASHBOARD)["Cache-Control"]


def test_older_figure_is_shown_with_its_month(client, user):
    Stat.objects.bulk_create(
        [figure("cost", 1, "5"), figure("cost", 2, "4"), figure("revenue", 3, "2")]
    )
    text = text_of(client.get(DASHBOARD))

    assert "cost 4 Feb 2020: \N{MINUS SIGN}1 (\N{MINUS SIGN}20.0%) since Jan 2020" in text
