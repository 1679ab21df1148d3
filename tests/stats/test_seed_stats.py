import datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from stats.models import Stat

pytestmark = pytest.mark.django_db


def seed(until="2021-12", **options) -> str:
    output = StringIO()
    call_command("seed_stats", stdout=output, until=until, **options)
    return output.getvalue()


def table() -> list[tuple]:
    return list(Stat.objects.order_by("id").values_list("id", "kpi", "period", "value"))


def test_seed_adds_three_kpis_over_three_years():
    assert seed() == "Added 108 demo figures: revenue, profit and cost, 2019-01 to 2021-12.\n"

    assert Stat.objects.count() == 108
    assert set(Stat.objects.values_list("kpi", flat=True)) == {"revenue", "profit", "cost"}
    periods = sorted(set(Stat.objects.values_list("period", flat=True)))
    assert len(periods) == 36
    assert (periods[0], periods[-1]) == ("201901", "202112")


def test_second_run_changes_nothing():
    seed()
    before = table()

    assert seed() == "The figures already exist. Nothing was changed.\n"
    assert table() == before


def test_values_are_the_same_every_time():
    seed()
    first = [figure[1:] for figure in table()]
    Stat.objects.all().delete()
    seed()

    assert [figure[1:] for figure in table()] == first
    assert first[0] == ("revenue", "201901", 109_740)
    assert first[-3] == ("revenue", "202112", 209_142)


def test_profit_is_revenue_minus_cost():
    seed()

    for period in Stat.objects.values_list("period", flat=True).distinct():
        value = dict(Stat.objects.filter(period=period).values_list("kpi", "value"))
        assert value["profit"] == value["revenue"] - value["cost"]


def test_changed_figure_is_kept_and_deleted_one_is_added_again():
    seed()
    Stat.objects.filter(kpi="revenue", period="201901").update(value=1)
    Stat.objects.filter(kpi="cost", period="201901").delete()

    assert seed().startswith("Added 1 demo figures")
    assert Stat.objects.get(kpi="revenue", period="201901").value == 1
    assert Stat.objects.count() == 108


def test_quiet_run_prints_nothing():
    assert seed(verbosity=0) == ""


@pytest.mark.parametrize("count", [0, 5, 1234])
def test_number_of_figures_is_added_once(count):
    message = f"Added {count:,} figures.\n" if count else seed(rows=0)

    assert seed(rows=count) == message
    assert Stat.objects.count() == count
    assert "Nothing was changed" in seed(rows=count)
    assert Stat.objects.count() == count


def test_negative_number_of_rows_is_refused():
    with pytest.raises(CommandError, match="0 or more"):
        seed(rows=-1)


def test_demo_figures_end_with_the_previous_month_by_default():
    seed(until=None)
    last_day = timezone.localdate().replace(day=1) - datetime.timedelta(days=1)
    assert Stat.objects.order_by("-period").first().period == f"{last_day:%Y%m}"
    assert Stat.objects.count() == 108


def test_a_later_month_adds_figures_and_changes_none():
    seed()
    before = table()
    assert seed(until="2022-01").startswith("Added 3 demo figures")
    assert table()[:108] == before


def test_unknown_month_is_refused():
    with pytest.raises(CommandError, match="not a month"):
        seed(until="2021-13")
