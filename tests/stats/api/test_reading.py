"""Reading figures: lists with filters and pages, conditional requests, and CSV."""

import csv
import io
import json
from itertools import chain
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.utils.dateparse import parse_datetime

from stats.api import stream
from stats.api.serializers import StatSerializer
from stats.models import Revision, Stat
from tests.stats.api.conftest import FIGURE, STATS

pytestmark = pytest.mark.django_db

MEMBERS = ["id", "kpi", "period", "year", "month", "value", "createdDate", "updatedDate"]


def body(response):
    return json.loads(response.getvalue())


def rows(response):
    assert response.status_code == 200, response.content
    return body(response)["data"]


def test_list_holds_all_figures_with_the_original_members(reader, some_figures):
    data = rows(reader.get(STATS))
    assert len(data) == 48
    assert list(data[0]) == MEMBERS
    first = dict(data[0])
    assert parse_datetime(first.pop("createdDate")) <= parse_datetime(first.pop("updatedDate"))
    first.pop("id")
    assert first == {"kpi": "cost", "period": "201901", "year": 2019, "month": 1, "value": 1.0}


def test_item_list_and_serializer_agree(reader, some_figures):
    (listed,) = rows(reader.get(f"{STATS}?kpi=cost&from=202012"))
    stat = Stat.objects.get(pk=listed["id"])
    assert reader.get(f"{STATS}/{stat.pk}").json() == listed
    assert json.loads(json.dumps(StatSerializer(stat).data)) == listed


def test_empty_list_is_valid_json(reader):
    assert body(reader.get(STATS)) == {"data": []}


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("kpi=REVENUE", 24),
        ("kpi=cost&kpi=revenue", 48),
        ("kpi=unknown", 0),
        ("year=2020", 24),
        ("from=201907&to=202006", 24),
        ("from=2019-07&to=2020-06", 24),
        ("search=REV", 24),
        ("search=e&year=2019&from=201912", 1),
        ("kpi=&year=&from=&to=&search=&ordering=", 48),
    ],
)
def test_list_is_filtered(reader, some_figures, query, count):
    assert len(rows(reader.get(f"{STATS}?{query}"))) == count


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("year=0", "year"),
        ("year=abc", "year"),
        ("from=201913", "from"),
        ("to=2020", "to"),
        ("from=202001&to=201912", "to"),
        ("ordering=password", "ordering"),
        ("kpi=a%00b", "kpi"),
        ("search=a%00b", "search"),
        ("search=" + "x" * 65, "search"),
    ],
)
def test_invalid_filter_is_400_with_its_name(reader, query, field):
    response = reader.get(f"{STATS}?{query}")
    assert response.status_code == 400
    assert list(response.json()["fields"]) == [field]
    assert response.json()["detail"].startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("ordering", "first", "last"),
    [
        ("", ("cost", "201901"), ("Revenue", "202012")),
        ("kpi", ("cost", "201901"), ("Revenue", "202012")),
        ("-period", ("cost", "202012"), ("Revenue", "201901")),
        ("-value", ("Revenue", "202012"), ("cost", "201901")),
        ("-kpi,-period", ("Revenue", "202012"), ("cost", "201901")),
        ("month,-year", ("cost", "202001"), ("Revenue", "201912")),
        ("-id", ("Revenue", "202012"), ("cost", "201901")),
    ],
)
def test_list_is_ordered(reader, some_figures, ordering, first, last):
    data = rows(reader.get(f"{STATS}?ordering={ordering}"))
    assert (data[0]["kpi"], data[0]["period"]) == first
    assert (data[-1]["kpi"], data[-1]["period"]) == last


# --- Pages ----------------------------------------------------------------------------------------

ORDERINGS = ["", "-period", "value", "-month", "kpi,-value", "createdDate", "-updatedDate", "-id"]


@pytest.mark.parametrize("ordering", ORDERINGS)
def test_pages_hold_the_whole_list_in_both_directions(reader, some_figures, ordering):
    whole = rows(reader.get(f"{STATS}?ordering={ordering}"))
    address, pages = f"{STATS}?ordering={ordering}&limit=7", []
    while address:
        page = reader.get(address).json()
        pages.append(page["data"])
        before, address = address, page["next"]
    assert list(chain(*pages)) == whole
    assert [len(page) for page in pages] == [7] * 6 + [6]
    backwards = []
    address = before
    while address:
        page = reader.get(address).json()
        backwards.insert(0, page["data"])
        address = page["previous"]
    assert list(chain(*backwards)) == whole


def test_pages_are_stable_when_figures_are_added_or_deleted(reader, some_figures):
    page = reader.get(f"{STATS}?limit=10").json()
    Stat.objects.filter(pk=page["data"][0]["id"]).delete()
    Stat.objects.create(kpi="assets", year=2019, month=1, value=1)
    following = reader.get(page["next"]).json()["data"]
    assert (following[0]["kpi"], following[0]["period"]) == ("cost", "201906")


def test_pages_keep_the_filter(reader, some_figures):
    page = reader.get(f"{STATS}?kpi=cost&kpi=revenue&year=2019&limit=20").json()
    assert len(reader.get(page["next"]).json()["data"]) == 4


def test_last_page_that_is_full_has_no_next(reader, some_figures):
    page = reader.get(f"{STATS}?limit=48").json()
    assert (page["next"], page["previous"]) == (None, None)
    assert body(reader.get(STATS)).keys() == {"data"}


@pytest.mark.parametrize(
    "limit", ["-1", "0", "10001", "x", "1.5", "", "\u0661", "9" * 5000], ids=lambda value: value[:6]
)
def test_invalid_limit_is_400(reader, limit):
    response = reader.get(STATS, {"limit": limit})
    assert response.status_code == 400
    assert response.json()["detail"] == "limit: Enter a whole number from 1 to 10000."


def test_cursor_of_another_ordering_is_400(reader, some_figures):
    following = reader.get(f"{STATS}?limit=5").json()["next"]
    assert reader.get(f"{following}&ordering=-value").status_code == 400


# --- Versions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["", "?limit=5", "?format=csv", "?kpi=cost"])
def test_unchanged_list_is_not_sent_again(reader, some_figures, query):
    response = reader.get(STATS + query)
    again = reader.get(STATS + query, headers={"If-None-Match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    weak = reader.get(STATS + query, headers={"If-None-Match": f'"x", W/{response["ETag"]}'})
    assert weak.status_code == 304
    other = reader.get(f"{STATS}?kpi=revenue", headers={"If-None-Match": response["ETag"]})
    assert other.status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        lambda: Stat.objects.create(**FIGURE),
        lambda: Stat.objects.bulk_create([Stat(**FIGURE)]),
        lambda: Stat.objects.first().delete(),
        lambda: Stat.objects.filter(kpi_key="cost").delete(),
        lambda: Stat.objects.filter(kpi_key="cost").update(value=7),
        lambda: Stat.objects.bulk_update([Stat(pk=Stat.objects.first().pk, value=7)], ["value"]),
        lambda: Stat.objects.first().save(),
    ],
    ids=["create", "bulk create", "delete", "bulk delete", "update", "bulk update", "save"],
)
def test_every_change_changes_the_entity_tag_of_the_list(reader, some_figures, change):
    Stat.objects.filter(kpi_key="revenue", year=2020, month=3).delete()
    etag = reader.get(STATS)["ETag"]
    change()
    assert reader.get(STATS, headers={"If-None-Match": etag}).status_code == 200


def test_unchanged_item_is_not_sent_again(reader, some_figures):
    address = f"{STATS}/{some_figures[0].pk}"
    etag = reader.get(address)["ETag"]
    assert reader.get(address, headers={"If-None-Match": etag}).status_code == 304
    Stat.objects.filter(pk=some_figures[1].pk).update(value=7)
    assert reader.get(address, headers={"If-None-Match": etag}).status_code == 304
    Stat.objects.filter(pk=some_figures[0].pk).update(value=7)
    assert reader.get(address, headers={"If-None-Match": etag}).status_code == 200


# --- CSV ------------------------------------------------------------------------------------------


def csv_rows(response):
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    content = response.getvalue()
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_csv_holds_the_same_figures_as_the_list(reader, some_figures):
    table = csv_rows(reader.get(f"{STATS}?format=csv&year=2019"))
    assert table[0] == MEMBERS
    data = rows(reader.get(f"{STATS}?year=2019"))
    assert table[1:] == [[str(value) for value in item.values()] for item in data]
    accepted = reader.get(f"{STATS}?year=2019", headers={"Accept": "text/csv"})
    assert csv_rows(accepted) == table


@pytest.mark.parametrize("name", ["limit", "cursor"])
def test_csv_request_with_pages_is_refused(reader, name):
    response = reader.get(f"{STATS}?format=csv&{name}=-1")
    assert response.status_code == 400
    assert response.json()["detail"] == f"{name}: A CSV has no pages. Remove this parameter."


def test_item_takes_one_query(reader, some_figures, django_assert_num_queries):
    address = f"{STATS}/{some_figures[0].pk}"
    reader.get(address)
    with django_assert_num_queries(1):
        assert reader.get(address).status_code == 200


def test_csv_escapes_formulas(reader):
    Stat.objects.bulk_create([Stat(**{**FIGURE, "kpi": "=cmd|' /C calc'!A0", "value": -5})])
    (values,) = csv_rows(reader.get(f"{STATS}?format=csv"))[1:]
    assert values[1] == "'=cmd|' /C calc'!A0"
    assert values[5] == "-5.0"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("count", [1, 300])
def test_csv_escapes_formulas_for_every_separator(reader, separator, count):
    names = ["=1", "x;=2*3", "x,+1", "x\t@1", "\uff1d1", 'x;"=1']
    Stat.objects.bulk_create(
        Stat(kpi=name, year=2000 + number, month=1, value=-5)
        for name in names
        for number in range(count)
    )
    text = reader.get(f"{STATS}?format=csv").getvalue().decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    cells = {cell.strip(' "') for line in lines for cell in line}
    assert len(lines) == len(names) * count + 1
    assert {cell for cell in cells if cell.startswith((*"=+-@", "\uff1d"))} <= {"-5.0"}


def test_error_of_a_csv_request_is_json(reader):
    response = reader.get(f"{STATS}?format=csv&year=0")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/json"
    assert response.json()["detail"].startswith("year: ")
    unknown = reader.get(f"{STATS}?format=xml")
    assert (unknown.status_code, unknown.json()["code"]) == (406, "not_acceptable")


# --- Permissions and queries ----------------------------------------------------------------------


def test_reading_requires_a_user_or_a_scope(cognito_client):
    assert cognito_client.anonymous().get(STATS).status_code == 401
    assert cognito_client("linus").get(STATS).status_code == 200
    assert cognito_client.machine(scopes=["stats/read"]).get(STATS).status_code == 200
    refused = cognito_client.machine(scopes=["stats/write"]).get(STATS)
    assert refused.status_code == 403
    assert 'scope="stats/read"' in refused["WWW-Authenticate"]


def test_missing_item_is_404(reader):
    for address in (f"{STATS}/1", f"{STATS}/{'9' * 18}", f"{STATS}/x"):
        assert reader.get(address).status_code == 404


@pytest.mark.parametrize("query", ["", "?kpi=revenue&year=2020", "?limit=50", "?format=csv"])
def test_new_list_takes_two_queries_and_an_unchanged_one_a_single_query(
    reader, django_assert_num_queries, query
):
    call_command("seed_stats", until="2021-12", verbosity=0)
    reader.get(f"{STATS}?kpi=x")  # verifies the token
    with django_assert_num_queries(2):
        response = reader.get(STATS + query)
        response.getvalue()
    with django_assert_num_queries(1):
        reader.get(STATS + query, headers={"If-None-Match": response["ETag"]})


@pytest.fixture
def clock(monkeypatch):
    """A clock for lists that are kept. It stands still."""
    clock = SimpleNamespace(now=6000.0)
    monkeypatch.setattr(stream, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def test_repeated_request_queries_only_the_revision(
    reader, some_figures, cognito, clock, django_assert_num_queries
):
    """The caller is identified without the database and without Cognito."""
    first = reader.get(STATS)
    calls = list(cognito.calls)
    with django_assert_num_queries(1) as captured:
        second = reader.get(STATS)
    assert "stats_revision" in captured.captured_queries[0]["sql"]
    assert (second.content, second["ETag"]) == (first.content, first["ETag"])
    assert cognito.calls == calls


def test_kept_list_is_replaced_after_any_change(reader, some_figures, clock):
    stat, other = some_figures[:2]

    def change(value):
        stat.value = value
        stat.save()

    changes = [
        (lambda: change(7), 48, 7),
        (lambda: Stat.objects.filter(pk=stat.pk).update(value=8), 48, 8),
        (other.delete, 47, 8),
        (lambda: Stat.objects.create(**{**FIGURE, "kpi": "new"}), 48, 8),
    ]
    for write, count, value in changes:
        rows(reader.get(STATS))
        write()
        data = rows(reader.get(STATS))
        assert (len(data), data[0]["value"]) == (count, value)


def test_list_of_a_change_that_is_rolled_back_is_not_shown_again(reader, clock):
    """The next change has another number, so it does not get the list of the one before."""
    with transaction.atomic():
        Stat.objects.create(**{**FIGURE, "kpi": "withdrawn"})
        withdrawn = reader.get(STATS)
        assert [row["kpi"] for row in rows(withdrawn)] == ["withdrawn"]
        transaction.set_rollback(True)
    assert rows(reader.get(STATS)) == []
    Stat.objects.create(**{**FIGURE, "kpi": "stays"})
    current = reader.get(STATS, headers={"If-None-Match": withdrawn["ETag"]})
    assert [row["kpi"] for row in rows(current)] == ["stays"]


def test_change_by_plain_sql_is_shown_within_a_minute(reader, some_figures, clock):
    """Such a change leaves the revision as it is."""
    assert rows(reader.get(STATS))[0]["value"] == 1
    with connection.cursor() as cursor:
        cursor.execute("UPDATE stats_stat SET value = 5 WHERE id = %s", [some_figures[0].pk])
    clock.now += 60
    assert rows(reader.get(STATS))[0]["value"] == 5


def test_list_and_its_revision_are_read_from_one_database(
    reader, some_figures, settings, monkeypatch
):
    """A replica may lag behind, so its list must not get the entity tag of another database."""
    replicas = iter(["replica"])

    class Router:
        def db_for_read(self, model, **hints):
            return next(replicas, None) if model is Stat else None

    read, current = [], Revision.current
    monkeypatch.setattr(Revision, "current", lambda using: read.append(using) or current(using))
    connections["replica"] = connections["default"]
    settings.DATABASE_ROUTERS = [Router()]
    try:
        assert len(rows(reader.get(STATS))) == 48
    finally:
        del connections["replica"]
    assert read == ["replica"]


def test_few_lists_are_kept(reader, some_figures):
    for number in range(stream.MAX_KEPT_LISTS + 1):
        rows(reader.get(f"{STATS}?search={number}"))
    assert stream._short_list.cache_info().currsize == stream.MAX_KEPT_LISTS == 64


def test_empty_list_has_an_entity_tag(reader):
    etag = reader.get(STATS)["ETag"]
    assert reader.get(STATS, headers={"If-None-Match": etag}).status_code == 304
    Stat.objects.create(**FIGURE)
    assert reader.get(STATS, headers={"If-None-Match": etag}).status_code == 200


def test_different_queries_are_cached_separately(reader, some_figures):
    for query, count in (("", 48), ("kpi=cost", 24), ("kpi=cost&year=2019", 12), ("x=1", 48)):
        for _ in range(2):
            assert len(rows(reader.get(f"{STATS}?{query}"))) == count


def test_browsable_api_shows_the_first_figures(reader, some_figures):
    page = reader.get(STATS, headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "&quot;kpi&quot;: &quot;cost&quot;" in page.content.decode()
