import datetime
from decimal import Decimal
from itertools import pairwise

import pytest
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, transaction
from django.forms import modelform_factory

from stats.charts import Point
from stats.history import Revision
from stats.models import Stat

pytestmark = pytest.mark.django_db

FORM = modelform_factory(Stat, fields=["kpi", "year", "month", "value"])


def figure(**changes) -> Stat:
    return Stat(**{"kpi": "revenue", "year": 2020, "month": 3, "value": Decimal("1.5"), **changes})


def test_period_is_derived_by_the_database():
    stat = figure()
    stat.save()

    assert stat.period == "202003"
    assert Stat.objects.filter(period__range=("202001", "202012")).get() == stat


def test_period_follows_a_changed_month():
    stat = figure()
    stat.save()
    stat.month = 11
    stat.save()

    assert stat.period == "202011"


def test_bulk_create_sets_key_period_and_times():
    Stat.objects.bulk_create([figure(kpi="Straße"), figure(month=4)])
    stat = Stat.objects.get(month=3)

    assert (stat.kpi, stat.kpi_key, stat.period) == ("Straße", "strasse", "202003")
    assert stat.created_at.tzinfo == datetime.UTC
    assert stat.updated_at >= stat.created_at


def test_saving_again_changes_only_the_updated_time():
    stat = figure()
    stat.save()
    created, updated = stat.created_at, stat.updated_at
    stat.save()
    stat.refresh_from_db()

    assert stat.created_at == created
    assert stat.updated_at > updated


def test_value_is_loaded_exactly_and_without_padding():
    for month, value in enumerate(("0.1", "123456789012345", "0.123456789012345", "-7"), start=1):
        figure(month=month, value=Decimal(value)).save()

    values = Stat.objects.order_by("month").values_list("value", flat=True)
    assert [str(value) for value in values] == ["0.1", "123456789012345", "0.123456789012345", "-7"]


@pytest.mark.parametrize(
    "changes",
    [
        {"month": 0},
        {"month": 13},
        {"year": 0},
        {"year": 999},
        {"year": 10_000},
        {"kpi": ""},
        {"kpi": " revenue"},
        {"value": Decimal("1e15")},
        {"value": Decimal("-1e15")},
        {"kpi": "REVENUE", "month": 5},  # another spelling of a stored KPI
    ],
)
def test_database_constraints_reject_invalid_figures(changes):
    figure(month=5).save()

    with pytest.raises((IntegrityError, DataError)), transaction.atomic():
        Stat.objects.bulk_create([figure(**changes)])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"month": 13}, "month"),
        ({"month": 0}, "month"),
        ({"year": 0}, "year"),
        ({"year": 10_000}, "year"),
        ({"value": "1234567890123456"}, "value"),
        ({"value": "NaN"}, "value"),
        ({"kpi": "   "}, "kpi"),
        ({"kpi": "x" * 65}, "kpi"),
    ],
)
def test_form_error_is_at_its_field(changes, field):
    form = FORM({"kpi": "revenue", "year": 2020, "month": 3, "value": "1.5", **changes})

    assert list(form.errors) == [field]


def test_form_rejects_a_second_figure_in_another_spelling():
    figure().save()
    form = FORM({"kpi": " Revenue ", "year": 2020, "month": 3, "value": "2"})

    assert form.errors == {"__all__": ["This KPI already has a figure for this month."]}


def test_form_changes_a_figure_in_place():
    stat = figure()
    stat.save()
    form = FORM({"kpi": "Revenue", "year": 2020, "month": 3, "value": "2"}, instance=stat)

    assert form.is_valid(), form.errors
    form.save()
    assert Stat.objects.values_list("kpi", "kpi_key", "value").get() == ("Revenue", "revenue", 2)


def test_full_clean_trims_the_name():
    stat = figure(kpi="  net profit ")
    stat.full_clean()

    assert stat.kpi == "net profit"


def test_full_clean_rejects_a_second_figure_for_the_month():
    figure().save()

    with pytest.raises(ValidationError, match="already has a figure"):
        figure(kpi="REVENUE").full_clean()


def test_points_take_one_query(django_assert_num_queries):
    Stat.objects.bulk_create([figure(month=2), figure(kpi="Cost", value=7)])

    with django_assert_num_queries(1):
        points = Stat.objects.order_by("kpi_key").as_points()

    assert [point[:5] for point in points] == [
        ("cost", "Cost", 2020, 3, Decimal(7)),
        ("revenue", "revenue", 2020, 2, Decimal("1.5")),
    ]
    assert isinstance(points[0], Point)
    assert Stat.objects.get(pk=points[0].pk).updated_at == points[0].updated_at


def test_every_way_to_change_increments_the_version(django_assert_num_queries):
    stat = figure()
    stat.save()
    assert stat.version == 1
    stat.value = 2
    stat.save()
    assert stat.version == 2
    stat.value = 3
    stat.save(update_fields=["value"])
    assert Stat.objects.update(value=4) == 1
    Stat.objects.bulk_update([stat], ["value"])
    stat.refresh_from_db()
    assert (stat.version, stat.value) == (5, 3)


@pytest.mark.parametrize("way", ["update", "bulk_update", "save some fields"])
def test_every_way_to_change_updates_key_and_time(way):
    stat = figure()
    stat.save()
    before = stat.updated_at
    stat.kpi = "Straße"
    if way == "update":
        Stat.objects.update(kpi="Straße")
    elif way == "bulk_update":
        Stat.objects.bulk_update([stat], ["kpi"])
    else:
        stat.save(update_fields=["kpi"])
    stat = Stat.objects.get()

    assert stat.kpi_key == "strasse"
    assert stat.updated_at > before


def test_bulk_create_with_update_conflicts_is_refused():
    with pytest.raises(ValueError, match="upsert_all"):
        Stat.objects.bulk_create(
            [figure()],
            update_conflicts=True,
            unique_fields=["kpi_key", "year", "month"],
            update_fields=["value"],
        )
    assert not Stat.objects.exists()


def test_templates_and_managers_cannot_delete():
    assert not hasattr(Stat.objects, "delete")
    assert Stat.objects.all().delete.alters_data


def test_revision_is_initially_zero_and_grows_by_random_steps():
    numbers = [Revision.current("default")]
    for _ in range(3):
        step = Revision.grow("default")
        numbers.append(Revision.current("default"))
        assert 1 <= step == numbers[-1] - numbers[-2] <= Revision.MAX_STEP
    assert numbers[0] == 0
    assert len({after - before for before, after in pairwise(numbers)}) == 3


def test_figure_has_a_readable_name():
    assert str(figure()) == "revenue 2020-03"
