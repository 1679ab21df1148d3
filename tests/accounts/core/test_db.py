from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import connection, models
from django.db.models import Value
from django.db.models.functions import Concat
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone

from accounts.core.db import CompiledQuery, QueryParameter
from accounts.models import Identity, SignIn
from accounts.sessions import browser_session

pytestmark = pytest.mark.django_db
TEXT = models.CharField()
BY_SUBJECT = CompiledQuery(Identity.objects.filter(subject=QueryParameter("subject", TEXT)))


@pytest.fixture
def user():
    return get_user_model().objects.create_user("user-1", email="ada@example.com")


@pytest.fixture
def identity(user):
    return Identity.objects.create(
        user=user,
        issuer="https://pool",
        subject="abc",
        groups=["admins", "ä%s"],
        groups_as_of=timezone.now(),
        staff_from_pool=True,
    )


def field_values(instance):
    fields = instance._meta.concrete_fields
    return {field.attname: getattr(instance, field.attname) for field in fields}


def test_instances_equal_those_of_the_queryset(identity):
    (instance,) = BY_SUBJECT.instances(subject="abc")
    assert field_values(instance) == field_values(Identity.objects.get())
    assert instance._state.db == "default"
    assert not instance._state.adding
    assert BY_SUBJECT.instances(subject="abd") == []


def test_each_call_reads_new_instances_from_the_database(identity):
    (first,) = BY_SUBJECT.instances(subject="abc")
    Identity.objects.update(username="changed")
    (second,) = BY_SUBJECT.instances(subject="abc")
    assert (first.username, second.username) == ("", "changed")
    first.username = "saved"
    first.save()
    assert BY_SUBJECT.instances(subject="abc")[0].username == "saved"


def test_parameters_are_never_read_as_sql(identity):
    assert BY_SUBJECT.instances(subject="abc' OR '1'='1") == []
    assert BY_SUBJECT.instances(subject="%s") == []


def test_parameters_are_assigned_by_name(identity):
    issuer, subject = QueryParameter("issuer", TEXT), QueryParameter("subject", TEXT)
    for query in (
        CompiledQuery(Identity.objects.filter(issuer=issuer, subject=subject)),
        CompiledQuery(Identity.objects.filter(subject=subject).filter(issuer=issuer)),
    ):
        assert query.instances(subject="abc", issuer="https://pool") == [identity]
        assert query.instances(subject="https://pool", issuer="abc") == []


def test_parameter_is_prepared_by_its_field():
    now = timezone.now()
    for number, days in enumerate((-1, 1)):
        Session.objects.create(session_key=str(number), expire_date=now + timedelta(days=days))
    moment = QueryParameter("now", Session._meta.get_field("expire_date"))
    live = CompiledQuery(Session.objects.filter(expire_date__gt=moment))
    assert [session.pk for session in live.instances(now=now)] == ["1"]
    assert live.instances(now=now + timedelta(days=2)) == []


def test_constants_of_the_queryset_are_kept(identity):
    at = Concat("username", Value("%s@"), "subject")
    query = CompiledQuery(
        Identity.objects.filter(staff_from_pool=True, issuer="https://pool")
        .filter(subject=QueryParameter("subject", TEXT))
        .values_list(at, "groups")
    )
    assert query.rows(subject="abc") == [["%s@abc", ["admins", "ä%s"]]]
    Identity.objects.update(staff_from_pool=False)
    assert query.rows(subject="abc") == []


def test_missing_parameter_raises_key_error(identity):
    with pytest.raises(KeyError, match="subject"):
        BY_SUBJECT.instances()


def test_sql_is_compiled_once_and_executed_each_time(identity, django_assert_num_queries):
    query = CompiledQuery(Identity.objects.filter(subject=QueryParameter("subject", TEXT)))
    spy = patch.object(SQLCompiler, "as_sql", autospec=True, side_effect=SQLCompiler.as_sql)
    with spy as as_sql, django_assert_num_queries(3):
        for _ in range(3):
            assert query.instances(subject="abc") == [identity]
    assert as_sql.call_count == 1


def test_database_is_chosen_by_the_router(identity, settings):
    routed = []

    class Router:
        def db_for_read(self, model, **hints):
            routed.append(model)
            return "default"

    settings.DATABASE_ROUTERS = [Router()]
    assert BY_SUBJECT.instances(subject="abc") == [identity]
    assert routed == [Identity]


@pytest.mark.django_db(transaction=True)
def test_each_thread_queries_on_its_own_connection(identity):
    def query(_):
        try:
            return [BY_SUBJECT.instances(subject="abc") for _ in range(50)]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(query, range(8)))
    assert results == [[[identity]] * 50] * 8


def test_sign_in_of_a_session_is_read_with_all_its_fields(user, rf):
    sign_in = SignIn.objects.create(
        user=user,
        issuer="https://pool",
        subject="abc",
        client_id="client",
        ip_address="192.0.2.1",
        access_expires_at=timezone.now(),
        renew_at=timezone.now(),
    )
    request = rf.get("/")
    request.session = {"sign_in": sign_in.key, "_auth_user_id": str(user.pk)}
    current = browser_session.current_sign_in(request)
    assert field_values(current) == field_values(SignIn.objects.get())
    request.session["_auth_user_id"] = str(user.pk + 1)
    assert browser_session.current_sign_in(request) is None
