"""Adding, editing and deleting a figure on pages."""

import re

import pytest
from django.contrib.auth.models import Group

from stats.models import Change, Stat

pytestmark = pytest.mark.django_db
ADD = "/dashboard/figures/add/"
FIGURE = {"kpi": "revenue", "month": "2020-03", "value": "12.5"}


@pytest.fixture
def grace(client, django_user_model):
    user = django_user_model.objects.create(username="p-1", first_name="Grace")
    user.groups.add(Group.objects.get(name="editors"))
    client.force_login(user)
    return client


@pytest.fixture
def stat(db):
    return Stat.objects.create(kpi="revenue", year=2020, month=3, value="12.5")


def edit(stat):
    return f"/dashboard/figures/{stat.pk}/edit/"


def delete(stat):
    return f"/dashboard/figures/{stat.pk}/delete/"


def errors(page):
    return re.findall(r'class="field__error"[^>]*>([^<]*)<', page.content.decode())


def test_added_figure_is_confirmed_in_a_message(grace):
    response = grace.post(ADD, {**FIGURE, "kpi": "  Revenue "}, follow=True)
    assert response.redirect_chain == [("/dashboard/", 302)]
    assert "Added Revenue for 2020-03: 12.5." in response.content.decode()
    stat = Stat.objects.get()
    assert (stat.kpi, str(stat.created_by)) == ("Revenue", "Grace")
    assert Change.objects.get().through == "page"


def test_form_takes_few_queries(grace, stat, django_assert_max_num_queries):
    with django_assert_max_num_queries(17):
        assert grace.post(edit(stat), {**FIGURE, "value": "13"}).status_code == 302
    assert str(Stat.objects.get().value) == "13"


def test_form_returns_to_the_previous_view(grace, stat):
    back = "/dashboard/?kpi=revenue&page=1"
    page = grace.get(edit(stat), {"next": back}).content.decode()
    assert 'name="next" value="/dashboard/?kpi=revenue&amp;page=1"' in page
    assert grace.post(edit(stat), {**FIGURE, "next": back})["Location"] == back


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_form_never_redirects_to_another_site(grace, target):
    assert grace.post(ADD, {**FIGURE, "next": target})["Location"] == "/dashboard/"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("kpi", "", "This field is required."),
        ("kpi", "=cmd", "The name must not begin with"),
        ("kpi", "x" * 65, "Ensure this value has at most 64 characters"),
        ("kpi", "a\x00b", "Null characters are not allowed."),
        ("month", "2020-13", "Enter a month like 2019-01."),
        ("month", "0999-01", "Enter a month like 2019-01."),
        ("month", "", "This field is required."),
        ("value", "1,5", "Enter a number, with a point"),
        ("value", "NaN", "Enter a number, with a point"),
        ("value", "Infinity", "Enter a number, with a point"),
        ("value", "1e400", "Enter a number of at most 15 digits."),
        ("value", "1234567890123456", "Enter a number of at most 15 digits."),
        ("value", "12345678.90123456", "Enter a number of at most 15 digits."),
    ],
)
def test_error_is_shown_at_its_field_and_input_is_kept(grace, field, value, message):
    page = grace.post(ADD, {**FIGURE, field: value})
    assert page.status_code == 200
    (error,) = errors(page)
    assert message in error
    for name, entered in {**FIGURE, field: value}.items():
        if entered.isprintable() and entered:
            assert f'name="{name}" value="{entered}"' in page.content.decode()
    assert Stat.objects.count() == 0


def test_second_figure_of_a_month_is_an_error(grace, stat):
    page = grace.post(ADD, {**FIGURE, "kpi": "REVENUE"}).content.decode()
    assert "This KPI already has a figure for this month." in page
    assert Stat.objects.count() == 1


def test_figure_is_edited(grace, stat):
    assert 'value="12.5"' in grace.get(edit(stat)).content.decode()
    response = grace.post(edit(stat), {**FIGURE, "value": "-7", "seen_version": "1"}, follow=True)
    assert "Saved revenue for 2020-03: \N{MINUS SIGN}7." in response.content.decode()
    assert Change.objects.get().before == "revenue 2020-03: 12.5"


def test_concurrent_change_is_an_error_before_it_is_replaced(grace, stat):
    Stat.objects.update(value=99)
    late = {**FIGURE, "value": "1", "seen_version": "1"}
    page = grace.post(edit(stat), late).content.decode()
    assert "so nothing was saved. It is now revenue for 2020-03: 99." in page
    assert 'name="value" value="1"' in page
    assert 'name="seen_version" value="2"' in page
    assert Stat.objects.get().value == 99
    grace.post(edit(stat), {**late, "seen_version": "2"})
    assert Stat.objects.get().value == 1


def test_figure_is_deleted_after_confirmation(grace, stat):
    page = grace.get(delete(stat)).content.decode()
    assert "Delete revenue for 2020-03?" in page
    assert Stat.objects.count() == 1
    response = grace.post(delete(stat), follow=True)
    assert "Deleted revenue for 2020-03: 12.5." in response.content.decode()
    assert Stat.objects.count() == 0
    assert str(Change.objects.get().by) == "Grace"


@pytest.mark.parametrize("page", ["add", "edit", "delete"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_writing_requires_permissions(client, django_user_model, stat, page, method):
    address = {"add": ADD, "edit": edit(stat), "delete": delete(stat)}[page]
    anonymous = getattr(client, method)(address, {**FIGURE, "month": "2020-09"})
    assert anonymous.status_code == 302
    assert anonymous["Location"].startswith("/accounts/login/")
    client.force_login(django_user_model.objects.create(username="p-2", first_name="Linus"))
    refused = getattr(client, method)(address, {**FIGURE, "month": "2020-09"})
    assert refused.status_code == 403
    assert "signed in as Linus" in refused.content.decode()
    assert Stat.objects.get().month == 3


@pytest.mark.parametrize("number", ["0", "999", "9" * 30])
def test_missing_figure_is_404(grace, number):
    for page in ("edit", "delete"):
        address = f"/dashboard/figures/{number}/{page}/"
        assert grace.get(address).status_code == grace.post(address, FIGURE).status_code == 404


def test_figure_deleted_while_it_is_edited_is_404(grace, stat, monkeypatch):
    from stats import views

    def gone(*args, **kwargs):
        raise Stat.DoesNotExist

    monkeypatch.setattr(views.writing, "change", gone)
    assert grace.post(edit(stat), FIGURE).status_code == 404


def test_concurrent_second_figure_is_a_form_error(grace, stat, monkeypatch):
    from stats.forms import FigureForm

    monkeypatch.setattr(FigureForm, "validate_constraints", lambda self: None, raising=False)
    page = grace.post(ADD, {**FIGURE, "kpi": "REVENUE"}).content.decode()
    assert "This KPI already has a figure for this month." in page


@pytest.mark.parametrize(
    ("page", "reads", "writes"), [(lambda stat: ADD, 4, 26), (edit, 5, 28), (delete, 5, 17)]
)
def test_pages_take_few_queries(grace, stat, django_assert_max_num_queries, page, reads, writes):
    with django_assert_max_num_queries(reads):
        assert grace.get(page(stat)).status_code == 200
    with django_assert_max_num_queries(writes):
        assert grace.post(page(stat), {**FIGURE, "month": "2020-07"}).status_code == 302


@pytest.mark.parametrize("zero", ["-0", "-0.0", "-.0", "0e9", "-0e-9"])
def test_zero_has_no_sign(grace, zero):
    grace.post(ADD, {**FIGURE, "value": zero})
    assert str(Stat.objects.get().value) == "0"
    assert Change.objects.get().after.endswith(": 0")
