"""JSON from the database, compared with Django REST framework's serializer."""

import datetime
import json
from decimal import Decimal

import psycopg
import pytest
from django.apps.registry import Apps
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import FieldError
from django.db import OperationalError, connection, models
from django.db.models import (
    Case,
    Count,
    DecimalField,
    Exists,
    ExpressionWrapper,
    F,
    Max,
    OuterRef,
    Q,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Concat, TruncMonth, Upper
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from stats.api.json_sql import JSONText, snapshot, snapshot_of_texts

pytestmark = pytest.mark.django_db


class Masked(models.CharField):
    """A column whose value Django converts when it loads it."""

    def from_db_value(self, value, expression, connection):
        return "***"


class Sample(models.Model):  # noqa: DJ008
    """One field of each type that JSONText can write, and some that it cannot."""

    big = models.BigIntegerField(null=True)
    small = models.PositiveSmallIntegerField(null=True)
    flag = models.BooleanField(null=True)
    name = models.CharField(max_length=200, null=True)  # noqa: DJ001
    note = models.TextField(null=True)  # noqa: DJ001
    day = models.DateField(null=True)
    at = models.DateTimeField(null=True)
    uid = models.UUIDField(null=True)
    price = models.DecimalField(max_digits=15, decimal_places=6, null=True)
    wide = models.DecimalField(max_digits=30, decimal_places=15, null=True)
    ratio = models.FloatField(null=True)
    data = models.JSONField(null=True)
    lasts = models.DurationField(null=True)
    secret = Masked(max_length=20, null=True)

    class Meta:
        apps = Apps()
        app_label = "json_sql"


def narrow(name):
    return ExpressionWrapper(F(name), DecimalField(max_digits=15, decimal_places=2))


NAME = JSONText(name="name")
NAMES = ("id", "big", "small", "flag", "name", "note", "day", "at", "uid", "price")
WRITTEN = JSONText(**dict.fromkeys(NAMES) | {name: name for name in NAMES}, wide=narrow("wide"))


class Milliseconds(serializers.DateTimeField):
    def to_representation(self, value):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class SampleSerializer(serializers.ModelSerializer):
    at = Milliseconds()
    price = serializers.FloatField()
    wide = serializers.FloatField()

    class Meta:
        model = Sample
        fields = (*NAMES, "wide")


@pytest.fixture
def table(db):
    columns = ", ".join(
        f'"{field.column}" {field.db_type(connection)}' for field in Sample._meta.concrete_fields
    )
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE json_sql_sample ({columns})")


def parsed(text):
    """Return a representation that shows the order of the members, and distinguishes 1 from 1.0."""
    return repr(json.loads(text, object_pairs_hook=list))


def scaled(digits, exponent):
    return Decimal(digits).scaleb(exponent)


# PostgreSQL cannot store a NUL, and UTF-8 cannot encode a lone surrogate.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
DIGITS = st.integers(-(10**15) + 1, 10**15 - 1)
SAMPLES = st.fixed_dictionaries(
    {
        "big": st.none() | st.integers(-(2**63), 2**63 - 1),
        "small": st.none() | st.integers(0, 32767),
        "flag": st.none() | st.booleans(),
        "name": st.none() | TEXT | st.sampled_from(['"', "\\", "\x01\x1f\x7f", "{}", "%s", "'"]),
        "note": st.none() | TEXT | st.sampled_from(["null", "[1]", '{"a":1}', "\u2028", "é💶"]),
        "day": st.none() | st.dates(),
        "at": st.none() | st.datetimes(timezones=st.just(datetime.UTC)),
        "uid": st.none() | st.uuids(),
        "price": st.none() | DIGITS.map(lambda digits: scaled(digits, -6)),
        "wide": st.none()
        | st.builds(
            lambda digits, places: Decimal(digits).scaleb(-places), DIGITS, st.integers(0, 15)
        ),
    }
)


@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(samples=st.lists(SAMPLES, max_size=6))
def test_text_equals_the_output_of_the_serializer(table, samples):
    Sample.objects.all().delete()
    Sample.objects.bulk_create(Sample(id=number, **values) for number, values in enumerate(samples))
    stored = Sample.objects.order_by("id")
    texts = stored.values_list(WRITTEN, flat=True)
    expected = [
        parsed(JSONRenderer().render(item)) for item in SampleSerializer(stored, many=True).data
    ]
    assert [parsed(text) for text in texts] == expected
    chunks = list(snapshot_of_texts(stored, WRITTEN, batch_size=4, chunk_size=2))
    assert len(chunks) == (len(samples) + 1) // 2
    members = json.loads(f"[{','.join(chunks)}]", object_pairs_hook=list)
    assert [repr(member) for member in members] == expected


@pytest.mark.parametrize(
    "at",
    [
        "2019-12-31T23:59:59.999999+00:00",
        "2020-02-29T00:00:00+00:00",
        "2020-01-01T00:30:00.0005+02:00",
    ],
)
def test_times_are_truncated_to_milliseconds_of_utc(table, at):
    moment = datetime.datetime.fromisoformat(at)
    Sample.objects.create(id=1, at=moment)
    text = Sample.objects.values_list(JSONText(at="at"), flat=True).get()
    expected = moment.astimezone(datetime.UTC).isoformat(timespec="milliseconds")
    assert json.loads(text) == {"at": expected.replace("+00:00", "Z")}


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("ratio", "FloatField is not a type of field"),
        ("data", "JSONField is not a type"),
        ("lasts", "DurationField is not a type"),
        ("wide", "more than 15 digits"),
        (Max("wide"), "more than 15 digits"),
        ("secret", "Masked converts the value in Python"),
        (Upper("secret"), "Masked converts the value in Python"),
        (TruncMonth("at"), "TruncMonth converts the value in Python"),
    ],
)
def test_inexact_member_is_refused(expression, why):
    with pytest.raises(FieldError, match=rf"cannot write it exactly: .*{why}"):
        Sample.objects.values_list(JSONText(id="id", it=expression))


def test_name_of_a_member_can_be_any_text(table):
    Sample.objects.create(id=7)
    names = ["it's", "100%", "%s", '"', "\\", "{0}", "é💶", ""]
    text = Sample.objects.values_list(JSONText(**dict.fromkeys(names, "id")), flat=True).get()
    assert list(json.loads(text).items()) == [(name, 7) for name in names]


def test_expressions_annotations_and_relations_are_written(table):
    for number in range(3):
        Sample.objects.create(
            id=number, name="it's 5%", small=number, price=Decimal("0.1") * number
        )
    later = Sample.objects.filter(id__gt=OuterRef("id"))
    queryset = Sample.objects.annotate(twice=F("small") * 2).order_by("id")
    text = JSONText(
        twice="twice",
        name=Concat("name", Value(" %s ✓"), output_field=models.TextField()),
        is_last=~Exists(later),
        is_big=Q(small__gte=1),
        word=Case(When(small=0, then=Value("none")), default=Value("some")),
    )
    first, *_, last = map(json.loads, queryset.values_list(text, flat=True))
    assert first == {
        "twice": 0, "name": "it's 5% %s ✓", "is_last": False, "is_big": False, "word": "none",
    }  # fmt: skip
    assert (last["twice"], last["is_last"], last["is_big"], last["word"]) == (4, True, True, "some")


def test_groups_and_sums_are_written(table):
    for number in range(4):
        Sample.objects.create(id=number, name="ab"[number % 2], price=Decimal("0.1") * number)
    groups = Sample.objects.values("name").annotate(count=Count("id"), total=Sum("price"))
    texts = groups.order_by("name").values_list(
        JSONText(name="name", count="count", total="total"), flat=True
    )
    assert [json.loads(text) for text in texts] == [
        {"name": "a", "count": 2, "total": 0.2},
        {"name": "b", "count": 2, "total": 0.4},
    ]


def test_columns_of_other_tables_are_written():
    permission = Permission.objects.select_related("content_type").first()
    group = Group.objects.create(name="readers")
    group.permissions.add(permission)
    texts = Group.objects.values_list(
        JSONText(
            group="name",
            of="permissions__content_type__app_label",
            type="permissions__content_type_id",
            key="permissions",
        ),
        flat=True,
    )
    assert json.loads(texts.get(pk=group.pk)) == {
        "group": "readers",
        "of": permission.content_type.app_label,
        "type": permission.content_type_id,
        "key": permission.pk,
    }


@pytest.mark.django_db
def test_each_of_distinct_rows_is_written_once():
    Group.objects.all().delete()
    Group.objects.bulk_create(Group(name=name) for name in ("b", "a", "c"))
    groups = Group.objects.filter(name__in=["a", "b"]).distinct().order_by("name")
    chunks = list(snapshot_of_texts(groups, NAME, batch_size=1, chunk_size=1))
    assert [json.loads(chunk) for chunk in chunks] == [{"name": "a"}, {"name": "b"}]


def many_groups(count=50_000):
    Group.objects.all().delete()
    Group.objects.bulk_create(Group(name=f"{number} {'x' * 140}") for number in range(count))
    return Group.objects.order_by("id")


@pytest.mark.django_db(transaction=True)
def test_long_list_outside_a_transaction_is_whole_and_in_order():
    chunks = snapshot_of_texts(many_groups(2501), NAME, batch_size=1000, chunk_size=400)
    items = json.loads(f"[{','.join(chunks)}]")
    assert [int(item["name"].split()[0]) for item in items] == list(range(2501))


@pytest.mark.parametrize("count", [500, 50_000])
def test_closing_a_list_early_does_not_abort_the_transaction(count):
    chunks = snapshot_of_texts(many_groups(count), NAME, batch_size=10, chunk_size=10)
    assert '"name"' in next(chunks)
    chunks.close()
    assert Group.objects.count() == count


@pytest.mark.django_db(transaction=True)
def test_query_while_a_list_is_streamed_is_refused_without_waiting():
    chunks = snapshot_of_texts(many_groups(100), NAME, batch_size=10, chunk_size=10)
    assert '"name"' in next(chunks)
    if connection.vendor == "postgresql":
        with pytest.raises(RuntimeError, match="streamed on this connection"):
            Group.objects.count()
    assert len(list(chunks)) == 9
    assert Group.objects.count() == 100


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("before_libpq_17", [False, True])
def test_list_without_a_recent_libpq_is_read_by_a_cursor(monkeypatch, before_libpq_17):
    groups = many_groups(30)
    capable = not before_libpq_17
    monkeypatch.setattr(psycopg.capabilities, "has_stream_chunked", lambda **_: capable)
    chunks = snapshot_of_texts(groups, NAME, batch_size=10, chunk_size=10)
    assert '"name"' in next(chunks)
    by_cursor = connection.vendor == "postgresql" and before_libpq_17
    assert connection.in_atomic_block is by_cursor
    assert len(list(chunks)) == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no server to lose")
def test_lost_connection_while_streaming_is_a_database_error():
    chunks = snapshot_of_texts(many_groups(), NAME, batch_size=10, chunk_size=10)
    assert '"name"' in next(chunks)
    with psycopg.connect(connection.connection.info.dsn) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
    with pytest.raises(OperationalError):
        list(chunks)
    connection.close()
    assert Group.objects.count() == 50_000


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("read", "needs_one"),
    [
        (lambda groups: snapshot(groups, batch_size=2), True),
        (lambda groups: snapshot_of_texts(groups, NAME, batch_size=2, chunk_size=2), False),
    ],
    ids=["rows", "texts"],
)
def test_closing_a_snapshot_early_ends_the_transaction(read, needs_one):
    Group.objects.all().delete()
    Group.objects.bulk_create(Group(name=f"group {number}") for number in range(5))
    chunks = read(Group.objects.order_by("id"))
    assert not connection.in_atomic_block  # not before it is read
    assert "group 0" in str(next(chunks))
    # On SQLite, a transaction would block all writers.
    assert connection.in_atomic_block is (connection.vendor == "postgresql" and needs_one)
    chunks.close()
    assert not connection.in_atomic_block
    assert Group.objects.count() == 5  # the connection can run another query
