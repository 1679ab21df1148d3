from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from stats import writing
from stats.models import Change, Stat
from stats.writing import Author
from tests.stats.scale import fill

pytestmark = pytest.mark.django_db

LIST, ADD = reverse("admin:stats_stat_changelist"), reverse("admin:stats_stat_add")
FIGURE = {"kpi": "revenue", "year": 2020, "month": 3, "value": "1234.5"}
FORM = {"kpi": "revenue", "month": "2020-03", "value": "1234.5"}
CLEAN = {"kpi": "revenue", "year": 2020, "month": 3}


def test_list_edits_values_without_padding(admin_client):
    Stat.objects.create(**FIGURE)
    page = admin_client.get(LIST).content.decode()

    assert 'value="1234.5"' in page
    assert "2020-03" in page


def test_figure_is_added_and_changed(admin_client):
    assert admin_client.post(ADD, FORM).status_code == 302
    stat = Stat.objects.get()
    change = reverse("admin:stats_stat_change", args=[stat.pk])

    assert 'value="1234.5"' in admin_client.get(change).content.decode()
    assert admin_client.post(change, {**FORM, "value": "7"}).status_code == 302
    assert Stat.objects.get().value == 7


def test_second_figure_for_a_month_is_a_form_error(admin_client):
    Stat.objects.create(**FIGURE)
    response = admin_client.post(ADD, {**FORM, "kpi": "REVENUE"})

    assert response.status_code == 200
    assert "This KPI already has a figure for this month." in response.content.decode()


def test_search_and_filters_find_a_figure(admin_client):
    Stat.objects.create(**FIGURE)
    for query in (
        "q=REVEN",
        "q=202003",
        "q=2020-03",
        "year=2020",
        "kpi=Revenue",
        "period=202003",
        "",
    ):
        assert 'value="1234.5"' in admin_client.get(f"{LIST}?{query}").content.decode()


def test_list_takes_a_constant_number_of_queries(admin_client, django_assert_max_num_queries):
    Stat.objects.bulk_create(Stat(**{**FIGURE, "year": 1900 + number}) for number in range(60))

    with django_assert_max_num_queries(12):
        admin_client.get(LIST)


# --- Changes in the admin are in the history, like all others -------------------------------------


def edited_in_list(stats, **values):
    """Return the form of the list with changed values."""
    form = {"form-TOTAL_FORMS": len(stats), "form-INITIAL_FORMS": len(stats), "_save": "Save"}
    for place, stat in enumerate(stats):
        form[f"form-{place}-id"] = stat.pk
        form[f"initial-form-{place}-value"] = stat.value
        form[f"form-{place}-value"] = values.get(f"value_{place}", stat.value)
    return form


def test_value_is_edited_in_the_list_with_author_and_history(admin_client):
    Stat.objects.create(**FIGURE)
    Stat.objects.create(**{**FIGURE, "month": 2})
    stats = list(Stat.objects.order_by("-period"))
    response = admin_client.post(LIST, edited_in_list(stats, value_0="7"), follow=True)

    assert "1 figure was changed successfully." in response.content.decode()
    stat = Stat.objects.get(month=3)
    assert (stat.value, stat.version, str(stat.updated_by)) == (7, 2, "admin@example.com")
    (change,) = Change.objects.all()
    assert (change.before, change.after) == ("revenue 2020-03: 1234.5", "revenue 2020-03: 7")
    assert (change.through, change.by) == ("admin", stat.updated_by)


def test_saving_the_list_keeps_concurrent_changes_of_other_users(admin_client):
    march, february = (Stat.objects.create(**{**FIGURE, "month": month}) for month in (3, 2))
    page = admin_client.get(LIST).content.decode()
    assert 'name="initial-form-1-value" value="1234.5"' in page
    assert 'aria-label="Value of revenue 2020-02"' in page
    Stat.objects.filter(pk=february.pk).update(value=99)
    form = edited_in_list([march, february], value_0="7")
    initial = {f"initial-form-{number}-value": "1234.5" for number in (0, 1)}
    admin_client.post(LIST, {**form, "form-1-value": "1234.5", **initial})

    assert dict(Stat.objects.values_list("month", "value")) == {3: 7, 2: 99}


@pytest.mark.parametrize(
    ("page", "most"),
    [("add", 4), ("change", 5), ("delete", 8), ("history", 9), ("import", 4), ("export", 6)],
)
def test_pages_of_the_admin_take_few_queries(
    admin_client, django_assert_max_num_queries, page, most
):
    pk = writing.add({**CLEAN, "value": Decimal(1)}, Author(None, "6machine")).pk
    of_one = [pk] if page in ("change", "delete", "history") else []
    with django_assert_max_num_queries(most):
        response = admin_client.get(reverse(f"admin:stats_stat_{page}", args=of_one))
    assert response.status_code == 200


def test_history_and_deletion_take_few_queries(admin_client, django_assert_max_num_queries):
    fill(60)
    chosen = list(Stat.objects.values_list("pk", flat=True))
    action = {"action": "delete_figures", "_selected_action": chosen}
    with django_assert_max_num_queries(12):
        assert "60" in admin_client.post(LIST, action).content.decode()
    with django_assert_max_num_queries(24):
        admin_client.post(LIST, {**action, "confirmed": "yes"})
    assert Change.objects.count() == 60
    with django_assert_max_num_queries(8):
        admin_client.get(reverse("admin:stats_change_changelist"))


def test_empty_list_is_a_page(admin_client):
    assert admin_client.get(LIST).status_code == 200


def test_search_has_a_label_and_keeps_the_filter(admin_client):
    Stat.objects.create(**FIGURE)
    page = admin_client.get(f"{LIST}?year=2020&q=rev").content.decode()
    assert '<label for="searchbar">Find</label>' in page
    assert '<input type="hidden" name="year" value="2020">' in page
    assert page.count('name="q"') == 1


@pytest.mark.parametrize("value", ["NaN", "1e400", "1234567890123456", "", "x"])
def test_invalid_value_in_the_list_is_an_error_and_nothing_is_saved(admin_client, value):
    stat = Stat.objects.create(**FIGURE)
    page = admin_client.post(LIST, edited_in_list([stat], value_0=value)).content.decode()

    assert 'class="errorlist"' in page
    assert Stat.objects.get().version == 1


def test_history_shows_changes_from_all_sources(admin_client, admin_user):
    stat = writing.add({**CLEAN, "value": Decimal(1)}, Author(None, "6machine"))
    writing.change(stat.pk, {"value": Decimal(2)}, Author(admin_user, "page"))
    page = admin_client.get(reverse("admin:stats_stat_history", args=[stat.pk])).content.decode()

    assert "revenue 2020-03: 1</td><td>revenue 2020-03: 2" in page
    assert "admin@example.com</td><td>page" in page
    assert "6machine" in page
    changes = admin_client.get(reverse("admin:stats_change_changelist")).content.decode()
    assert "revenue 2020-03: 2" in changes
    assert admin_client.get(reverse("admin:stats_change_add")).status_code == 403


def test_deletion_of_one_figure_is_confirmed_and_in_the_history(admin_client):
    stat = Stat.objects.create(**FIGURE)
    address = reverse("admin:stats_stat_delete", args=[stat.pk])

    assert "Are you sure" in admin_client.get(address).content.decode()
    admin_client.post(address, {"post": "yes"})
    assert [change.action for change in Change.objects.all()] == ["deleted"]


def delete_form(stats, **more):
    return {"action": "delete_figures", "_selected_action": [stat.pk for stat in stats], **more}


def test_deletion_of_many_figures_is_confirmed(admin_client):
    stats = [Stat.objects.create(**{**FIGURE, "month": month}) for month in range(1, 13)]
    question = admin_client.post(LIST, delete_form(stats[:11])).content.decode()

    assert "These 11 figures will be deleted permanently." in question
    assert "… 11 in total" in question
    assert Stat.objects.count() == 12
    done = admin_client.post(LIST, delete_form(stats[:11], confirmed="yes"), follow=True)
    assert "Deleted 11 figures." in done.content.decode()
    assert Stat.objects.get() == stats[11]
    assert Change.objects.count() == 11


def test_deletion_across_pages_deletes_only_filtered_figures(admin_client):
    fill(1300, months=600)
    across = {"select_across": "1"}
    first = Stat.objects.filter(kpi="store 00001").order_by("-period")[:1]
    address = f"{LIST}?kpi=store+00001"
    question = admin_client.post(address, delete_form(first, **across)).content.decode()

    assert "These 600 figures will be deleted permanently." in question
    assert 'name="select_across" value="1"' in question
    admin_client.post(address, delete_form(first, confirmed="yes", **across))
    assert Stat.objects.count() == 700
    assert not Stat.objects.filter(kpi="store 00001").exists()


def test_deletion_requires_the_permission(client, django_user_model):
    stat = Stat.objects.create(**FIGURE)
    staff = django_user_model.objects.create(username="p-3", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_stat"))
    client.force_login(staff)
    client.post(LIST, delete_form([stat], confirmed="yes"))

    assert Stat.objects.count() == 1
    assert client.get(reverse("admin:stats_stat_import")).status_code == 403
    assert client.get(reverse("admin:stats_stat_export")).status_code == 200


@pytest.mark.parametrize("who", ["anonymous", "linus"])
@pytest.mark.parametrize("name", ["changelist", "add", "import", "export"])
def test_admin_is_for_staff(client, django_user_model, who, name):
    if who == "linus":
        client.force_login(django_user_model.objects.create(username="p-4"))
    assert client.get(reverse(f"admin:stats_stat_{name}")).status_code in (302, 403)
