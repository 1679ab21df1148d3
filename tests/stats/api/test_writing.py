"""Writing figures: permissions, validation, lost updates and bulk requests."""

import json
import threading

import pytest
from django.db import connection

from stats.cleaning import MAX_UNKNOWN_FIELDS
from stats.models import Change, Revision, Stat
from tests.stats.api.conftest import FIGURE, STATS

pytestmark = pytest.mark.django_db
BULK = f"{STATS}/bulk"


def send(client, method, address, data, **headers):
    """Send `data`, which is a JSON text or is serialized to one."""
    body = data if isinstance(data, str | bytes) else json.dumps(data)
    content_type = headers.pop("content_type", "application/json")
    send_it = getattr(client, method)
    return send_it(address, data=body, content_type=content_type, headers=headers)


def history():
    changes = Change.objects.order_by("pk")
    return [
        (change.action, change.before, change.after, change.by and str(change.by), change.through)
        for change in changes
    ]


# --- One at a time --------------------------------------------------------------------------------


def test_figure_is_created_read_replaced_patched_and_deleted(editor):
    created = send(editor, "post", STATS, {**FIGURE, "kpi": "  Revenue "})
    assert created.status_code == 201, created.content
    item = created.json()
    assert (item["kpi"], item["period"], item["value"]) == ("Revenue", "202003", 12.5)
    address = created["Location"]
    assert address.endswith(f"{STATS}/{item['id']}")
    assert editor.get(address).json() == item

    replaced = send(editor, "put", address, {**FIGURE, "month": 4})
    assert replaced.status_code == 200
    assert replaced.json()["period"] == "202004"
    assert replaced.json()["createdDate"] == item["createdDate"]
    assert replaced.json()["updatedDate"] > item["updatedDate"]
    patched = send(editor, "patch", address, {"value": -1})
    assert (patched.json()["value"], patched.json()["month"]) == (-1, 4)
    assert len({response["ETag"] for response in (created, replaced, patched)}) == 3
    assert editor.delete(address).status_code == 204
    assert editor.get(address).status_code == 404
    assert [line[:3] for line in history()] == [
        ("added", "", "Revenue 2020-03: 12.5"),
        ("changed", "Revenue 2020-03: 12.5", "revenue 2020-04: 12.5"),
        ("changed", "revenue 2020-04: 12.5", "revenue 2020-04: -1"),
        ("deleted", "revenue 2020-04: -1", ""),
    ]
    assert {line[4] for line in history()} == {"API"}


def test_response_can_be_sent_back_unchanged(editor):
    item = send(editor, "post", STATS, FIGURE).json()
    response = send(editor, "put", f"{STATS}/{item['id']}", {**item, "value": 7})
    assert response.status_code == 200
    assert response.json()["value"] == 7


def test_change_without_a_difference_is_not_recorded(editor):
    created = send(editor, "post", STATS, FIGURE)
    again = send(editor, "put", created["Location"], FIGURE)
    assert again["ETag"] == created["ETag"]
    assert len(history()) == 1


def test_author_is_stored(editor):
    item = send(editor, "post", STATS, FIGURE).json()
    stat = Stat.objects.get(pk=item["id"])
    assert stat.created_by is not None
    assert stat.created_by == stat.updated_by == Change.objects.get().by


def test_value_is_exact(editor):
    body = '{"kpi": "a", "year": 2020, "month": 1, "value": 0.123456789012345}'
    assert send(editor, "post", STATS, body).json()["value"] == 0.123456789012345
    assert str(Stat.objects.get().value) == "0.123456789012345"


def test_second_figure_of_a_month_is_refused(editor):
    send(editor, "post", STATS, FIGURE)
    other = send(editor, "post", STATS, {**FIGURE, "month": 4})
    message = "This KPI already has a figure for this month."
    response = send(editor, "post", STATS, {**FIGURE, "kpi": "REVENUE"})
    assert (response.status_code, response.json()["fields"]) == (400, {"month": [message]})
    moved = send(editor, "patch", other["Location"], {"month": 3})
    assert (moved.status_code, moved.json()["fields"]) == (400, {"month": [message]})
    assert Stat.objects.count() == 2


# --- Lost updates ---------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_concurrent_change_is_412(editor, method):
    created = send(editor, "post", STATS, FIGURE)
    address, seen = created["Location"], created["ETag"]
    send(editor, "patch", address, {"value": 99}, **{"If-Match": seen})
    late = send(editor, method, address, {**FIGURE, "value": 1}, **{"If-Match": seen})
    assert late.status_code == 412
    assert late.json()["code"] == "precondition_failed"
    assert Stat.objects.get().value == 99
    current = editor.get(address)["ETag"]
    done = send(editor, method, address, {**FIGURE, "value": 1}, **{"If-Match": f'"x", {current}'})
    assert done.status_code in (200, 204)


@pytest.mark.django_db(transaction=True)
def test_only_one_of_ten_concurrent_writers_succeeds(editor, live_server):
    created = send(editor, "post", STATS, FIGURE)
    token = editor._credentials["HTTP_AUTHORIZATION"]
    barrier, statuses = threading.Barrier(10), []

    def write(value):
        from rest_framework.test import APIClient

        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=token)
        barrier.wait()
        response = send(
            client, "patch", created["Location"], {"value": value}, **{"If-Match": created["ETag"]}
        )
        statuses.append(response.status_code)
        connection.close()

    threads = [threading.Thread(target=write, args=(value,)) for value in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, *[412] * 9]
    assert Stat.objects.get().version == 2


# --- Permissions-----------------------------------------------------------------------------------

WRITES = [
    ("post", ""),
    ("put", "/{pk}"),
    ("patch", "/{pk}"),
    ("delete", "/{pk}"),
    ("post", "/bulk"),
]


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_writing_requires_the_permission_or_the_scope(cognito_client, method, path):
    pk = Stat.objects.create(**FIGURE).pk
    address, data = STATS + path.format(pk=pk), {**FIGURE, "month": 5}
    data = {"data": [data]} if path == "/bulk" else data
    reader = cognito_client("linus", session=False)
    machine = cognito_client.machine
    assert send(cognito_client.anonymous(), method, address, data).status_code == 401
    refused = send(reader, method, address, data)
    assert refused.status_code == 403
    assert "You cannot" in refused.json()["detail"]
    refused = send(machine(scopes=["stats/read"]), method, address, data)
    assert refused.status_code == 403
    assert 'scope="stats/write"' in refused["WWW-Authenticate"]
    assert Stat.objects.get().month == 3
    response = send(machine(scopes=["stats/write"]), method, address, data)
    assert response.status_code in (200, 201, 204)


def test_machine_is_named_in_the_history(cognito_client):
    machine = cognito_client.machine(scopes=["stats/write"])
    send(machine, "post", STATS, FIGURE)
    change = Change.objects.get()
    assert change.by is None
    assert change.through == machine_id(machine)


def machine_id(machine):
    from accounts.provider import provider

    token = machine._credentials["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    return provider().access_verifier.access_claims(token).client_id


def test_scope_in_a_users_token_is_not_a_permission(cognito_client):
    linus = cognito_client("linus", scopes=["openid", "stats/write"], session=False)
    assert send(linus, "post", STATS, FIGURE).status_code == 403


def test_writing_with_a_session_requires_the_csrf_token(cognito_client):
    grace = cognito_client("grace", groups=["editors"], bearer=False, enforce_csrf_checks=True)
    refused = send(grace, "post", STATS, FIGURE)
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")


# --- Bad input ------------------------------------------------------------------------------------

WRONG = [
    ("month", "13"),
    ("month", "0"),
    ("month", "true"),
    ("month", "1.5"),
    ("month", '"1_0"'),
    ("month", "null"),
    ("month", "[]"),
    ("month", "1" + "0" * 400),
    ("year", "0"),
    ("year", "10000"),
    ("year", '"two thousand"'),
    ("value", "1234567890123456"),
    ("value", "0.1234567890123456"),
    ("value", "123456789012345.6"),
    ("value", "1e400"),
    ("value", "1e-400"),
    ("value", "1e999999999"),
    ("value", '"NaN"'),
    ("value", '"Infinity"'),
    ("value", '"1,5"'),
    ("value", '"1_0"'),
    ("value", '""'),
    ("value", "true"),
    ("value", "null"),
    ("value", "{}"),
    ("kpi", '""'),
    ("kpi", '"   "'),
    ("kpi", "7"),
    ("kpi", '"=cmd|calc"'),
    ("kpi", '"+1"'),
    ("kpi", '"@SUM(A1)"'),
    ("kpi", '"a\\u0000b"'),
    ("kpi", '"\\ud800"'),
    ("kpi", '"' + "x" * 65 + '"'),
    ("note", '"unknown"'),
]


def with_field(name, value):
    members = {**{key: json.dumps(item) for key, item in FIGURE.items()}, name: value}
    return "{" + ",".join(f'"{key}": {item}' for key, item in members.items()) + "}"


@pytest.mark.parametrize(("name", "value"), WRONG, ids=lambda value: value[:20])
def test_invalid_field_is_400_with_its_name_also_in_bulk(editor, name, value):
    response = send(editor, "post", STATS, with_field(name, value))
    assert response.status_code == 400
    assert list(response.json()["fields"]) == [name]
    body = f'{{"data": [{json.dumps({**FIGURE, "month": 1})}, {with_field(name, value)}]}}'
    response = send(editor, "post", BULK, body)
    assert response.status_code == 400
    assert {
        number: list(errors) for number, errors in response.json()["fields"]["rows"].items()
    } == {"2": [name]}
    assert response.json()["detail"].startswith(f"rows.2.{name}: ")
    assert Stat.objects.count() == Change.objects.count() == Revision.current("default") == 0


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        '"text"',
        '{"kpi": NaN}',
        '{"value": Infinity}',
        "[" * 100_000,
        b"\xff\xfe",
        '{"kpi": "r\xe9venue"}'.encode("latin-1"),
        "1" * 5000,
    ],
    ids=range(11),
)
@pytest.mark.parametrize("address", [STATS, BULK])
@pytest.mark.usefixtures("no_garbage_collection")
def test_body_that_is_not_a_figure_is_400(editor, address, body):
    response = send(editor, "post", address, body)
    assert response.status_code == (200 if (address, body) == (BULK, "[]") else 400), (
        response.content
    )
    assert Stat.objects.count() == 0


@pytest.mark.parametrize("escape", [r"\ud800", r"x\udfff"])
def test_unencodable_name_of_a_field_is_replaced_in_the_error(editor, escape):
    figure = f'{{"kpi": "cost", "year": 2020, "month": 1, "value": 1, "{escape}": 1}}'
    for address, body in ((STATS, figure), (BULK, f'{{"data": [{figure}]}}')):
        response = send(editor, "post", address, body)
        assert response.status_code == 400
        assert "There is no such field." in response.json()["detail"]


def test_error_lists_a_limited_number_of_unknown_fields(editor):
    figure = {"kpi": "cost", "year": 2020, "month": 1, "value": 1}
    response = send(editor, "post", STATS, figure | {f"x{number}": 1 for number in range(1000)})
    assert response.status_code == 400
    assert len(response.json()["fields"]) == MAX_UNKNOWN_FIELDS


def test_all_missing_fields_are_listed(editor):
    response = send(editor, "post", STATS, {"kpi": "a"})
    assert set(response.json()["fields"]) == {"year", "month", "value"}


@pytest.mark.parametrize("content_type", ["text/plain", "text/csv", "multipart/form-data"])
def test_other_content_type_is_refused(editor, content_type):
    response = send(editor, "post", STATS, "kpi=a", content_type=content_type)
    assert response.status_code == 415
    assert content_type in response.json()["detail"]


def test_body_of_20_mb_is_refused(editor):
    response = send(editor, "post", BULK, '{"data": [' + " " * 20_000_000 + "]}")
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


# --- Many at once ---------------------------------------------------------------------------------


def test_bulk_adds_changes_and_skips_figures(editor, some_figures):
    before = Stat.objects.get(kpi_key="cost", period="201902")
    figures = [
        {"kpi": "cost", "year": 2019, "month": 1, "value": 1},
        {"kpi": "cost", "year": 2019, "month": 2, "value": 2.5},
        {"kpi": "cost", "year": 2021, "month": 1, "value": 3},
    ]
    response = send(editor, "post", BULK, {"data": figures})
    assert response.json() == {"created": 1, "updated": 1, "unchanged": 1}
    after = Stat.objects.get(pk=before.pk)
    assert (after.value, after.version) == (2.5, 2)
    assert after.created_at == before.created_at
    assert after.updated_at > before.updated_at
    assert after.updated_by is not None
    assert sorted(line[:3] for line in history()) == [
        ("added", "", "cost 2021-01: 3"),
        ("changed", "cost 2019-02: 2", "cost 2019-02: 2.5"),
    ]
    again = send(editor, "post", BULK, figures)
    assert again.json() == {"created": 0, "updated": 0, "unchanged": 3}


def test_bulk_reports_all_invalid_rows_and_writes_nothing(editor):
    figures = [
        FIGURE,
        {**FIGURE, "month": 13, "value": "x"},
        "no object",
        {**FIGURE, "kpi": "REVENUE"},
        {**FIGURE, "month": 4},
    ]
    response = send(editor, "post", BULK, figures)
    assert response.status_code == 400
    assert response.json()["fields"]["rows"] == {
        "2": {
            "month": ["Enter a month from 1 to 12."],
            "value": ["Enter a number, with a point as the decimal separator."],
        },
        "3": {"row": ["This is not an object with fields."]},
        "4": {"month": ["Row 1 already has a figure of this KPI for this month."]},
    }
    assert Stat.objects.count() == 0


def many_rows(count):
    return [
        {"kpi": f"kpi {number // 120}", "year": 2000 + number // 12 % 10, "month": number % 12 + 1}
        | {"value": number}
        for number in range(count)
    ]


def test_bulk_takes_10000_rows_in_few_queries(editor, django_assert_max_num_queries):
    figures = many_rows(10_000)
    editor.get(STATS)
    # 30 for each 1,000, because SQLite limits the parameters of a query.
    with django_assert_max_num_queries(300):
        response = send(editor, "post", BULK, {"data": figures})
    assert response.json() == {"created": 10_000, "updated": 0, "unchanged": 0}
    assert Change.objects.count() == 10_000
    changed = [{**figure, "value": figure["value"] + 0.5} for figure in figures[:500]]
    response = send(editor, "post", BULK, {"data": changed})
    assert response.json() == {"created": 0, "updated": 500, "unchanged": 0}


def test_bulk_refuses_more_rows(editor):
    response = send(editor, "post", BULK, {"data": many_rows(10_001)})
    assert response.status_code == 400
    assert "Send at most 10000 at once" in response.json()["detail"]


def test_bulk_is_undone_when_the_database_fails_half_way(editor, monkeypatch):
    from stats import writing

    upsert_batch = writing._upsert_batch

    def fail_at_last(batch, author):
        if len(batch) < writing.BATCH:
            raise RuntimeError("the disk is full")
        return upsert_batch(batch, author)

    monkeypatch.setattr(writing, "_upsert_batch", fail_at_last)
    editor.raise_request_exception = False
    response = send(editor, "post", BULK, {"data": many_rows(700)})
    assert (response.status_code, response.json()["code"]) == (500, "server_error")
    assert Stat.objects.count() == Change.objects.count() == Revision.current("default") == 0


@pytest.mark.parametrize(
    ("method", "most"), [("post", 14), ("put", 16), ("patch", 16), ("delete", 16)]
)
def test_writing_costs_few_queries(editor, django_assert_max_num_queries, method, most):
    created = send(editor, "post", STATS, FIGURE)
    address = STATS if method == "post" else created["Location"]
    with django_assert_max_num_queries(most):
        response = send(editor, method, address, {**FIGURE, "month": 7})
    assert response.status_code in (200, 201, 204)


# --- Hostile numbers and names --------------------------------------------------------------------

LONG = "7" * 30_000
HOSTILE = [
    ("value", f'"{LONG}x"'),
    ("value", f'"{LONG}"'),
    ("value", LONG),
    ("value", f"{LONG}.5"),
    ("value", "1e99999999999999999999"),
    ("year", f'"{LONG}x"'),
    ("month", LONG),
    ("month", "1e99999999999999999999"),
    ("kpi", f'"{LONG}x"'),
    ("kpi", '"' + "a\u0301\u0323" * 30_000 + '"'),
]


@pytest.mark.parametrize(("field", "text"), HOSTILE)
@pytest.mark.parametrize("bulk", [False, True])
def test_very_long_text_is_a_mistake_of_its_field(editor, field, text, bulk):
    figure = {**FIGURE, field: "TEXT"}
    body = json.dumps({"data": [figure]} if bulk else figure).replace('"TEXT"', text)
    response = send(editor, "post", BULK if bulk else STATS, body)
    assert response.status_code == 400
    fields = response.json()["fields"]
    assert list(fields["rows"]["1"] if bulk else fields) == [field]


@pytest.mark.parametrize("zero", ["-0.0", "-0", '"-0.00"', "-0e5", '"-0e-99"'])
def test_zero_has_no_sign(editor, zero):
    body = json.dumps({**FIGURE, "value": "TEXT"}).replace('"TEXT"', zero)
    created = send(editor, "post", STATS, body)
    assert str(created.json()["value"]) == "0.0"
    assert str(editor.get(created["Location"]).json()["value"]) == "0.0"
    assert str(Stat.objects.get().value) == "0"
