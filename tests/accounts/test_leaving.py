"""Everything about a person is exported, and forgotten after a dry run."""

import json
from decimal import Decimal
from io import StringIO

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command

from accounts import events
from accounts.models import Identity, SignIn, SignInEvent, User
from local_pool.testing import LocalPool
from stats import writing
from stats.models import Stat
from tests.flows.conftest import ENVIRONMENT_NAMES

pytestmark = pytest.mark.django_db


def run(*arguments):
    said = StringIO()
    call_command(*arguments, stdout=said)
    return said.getvalue()


@pytest.fixture
def grace(cognito_client):
    """Somebody who signed in, wrote a figure, and about whom somebody else did something."""
    user = cognito_client(
        "grace", groups=["editors"], email="grace@example.com", name="Grace H"
    ).user
    writing.save(
        Stat(kpi="Revenue", year=2020, month=3, value=Decimal(1)), writing.Author(user, "page")
    )
    reference = SignIn.objects.get(user=user).reference
    events.record("refused", reference=reference, person="grace", reason="person_deactivated")
    boss = User.objects.create_superuser("boss")
    LogEntry.objects.create(
        user=boss,
        content_type=ContentType.objects.get_for_model(User),
        object_id=str(user.pk),
        object_repr="Grace H",
        action_flag=CHANGE,
    )
    events.record("deactivated", user=boss, reason="admin", by=user)
    return user


def test_export_holds_everything_and_no_secret(grace):
    row = SignIn.objects.get(user=grace)
    said = run("export_user", "grace@example.com")
    content = json.loads(said)
    assert content["account"]["email"] == "grace@example.com"
    assert content["account"]["groups"] == ["editors"]
    rows = content["rows"]
    assert [each["username"] for each in rows["accounts.Identity (user)"]] == ["grace"]
    assert [each["address"] for each in rows["accounts.SignIn (user)"]] == ["127.0.0.1"]
    assert {each["kind"] for each in rows["accounts.SignInEvent"]} >= {"signed in", "refused"}
    assert [each["kpi"] for each in rows["stats.Stat (created_by)"]] == ["Revenue"]
    for secret in (row.key, row.sealed_tokens, grace.password):
        assert secret not in said
    assert SignInEvent.objects.filter(kind="exported", user=grace).exists()


def test_dry_run_tells_and_changes_nothing(grace):
    said = run("forget_user", "grace")
    assert "-  identity grace at " in said
    assert "-  1 sign-ins" in said
    assert "Add --apply" in said
    assert User.objects.filter(pk=grace.pk).exists()
    assert SignIn.objects.live().filter(user=grace).exists()


def test_nothing_of_the_person_is_left_but_what_they_wrote(grace):
    subject = Identity.objects.get(user=grace).subject
    events_before = SignInEvent.objects.count()
    sessions = Session.objects.count()
    said = run("forget_user", "grace", "--apply")
    assert "Forgotten." in said
    assert not User.objects.filter(pk=grace.pk).exists()
    assert not Identity.objects.filter(subject=subject).exists()
    assert not SignIn.objects.exists()
    assert Session.objects.count() == sessions - 1
    figure = Stat.objects.get()
    assert (figure.created_by, figure.updated_by, figure.kpi) == (None, None, "Revenue")
    assert SignInEvent.objects.count() > events_before
    boss = User.objects.get(username="boss")
    kept = SignInEvent.objects.exclude(user=boss)
    assert {(each.person, each.device, each.address) for each in kept} == {("", "", None)}
    assert "Grace" not in str(list(SignInEvent.objects.values()))
    assert "grace" not in str(list(SignInEvent.objects.values()))
    assert "Grace" not in str(list(LogEntry.objects.values()))
    with pytest.raises(CommandError, match="Nobody here is called grace"):
        run("forget_user", "grace")


@pytest.fixture
def pool(settings):
    with LocalPool() as running:
        environment = running.env()
        settings.COGNITO = {
            **settings.COGNITO,
            **{key: environment.get(name, "") for key, name in ENVIRONMENT_NAMES.items()},
        }
        yield running


@pytest.fixture
def linus(pool):
    user = User.objects.create_user("person-linus")
    subject = pool.person("linus").sub
    Identity.objects.create(user=user, issuer=pool.issuer, subject=subject, username="linus")
    return user


def test_pool_account_is_exported_and_deleted_on_request(pool, linus):
    from accounts import pool_people

    content = json.loads(run("export_user", "linus", "--pool"))
    assert content["pool"][0]["email"] == "linus@example.com"
    subject = pool.person("linus").sub
    assert "the pool account included" in run("forget_user", "linus", "--pool")
    assert pool_people.find(subject) is not None
    run("forget_user", "linus", "--pool", "--apply")
    assert pool_people.find(subject) is None
    assert not User.objects.filter(pk=linus.pk).exists()


def test_pool_account_of_a_namesake_is_left_alone(pool, linus):
    from accounts import pool_people

    pool_people.delete("linus")
    namesake = pool_people.invite(username="linus", email="other@example.com")
    run("forget_user", "linus", "--pool", "--apply")
    assert pool_people.find(namesake.subject) is not None


def test_pool_that_does_not_answer_leaves_everything(pool, linus):
    pool.stop()
    with pytest.raises(CommandError, match=r"Nothing was changed here\.$"):
        run("forget_user", "linus", "--pool", "--apply")
    assert User.objects.filter(pk=linus.pk).exists()


def test_events_about_others_lose_the_name_and_nothing_else(grace):
    other = User.objects.create_user("other", first_name="Grace H")  # a namesake
    boss = User.objects.get(username="boss")
    events.record("activated", user=boss, reason="admin", by=other)
    run("forget_user", "grace", "--apply")
    deactivated = SignInEvent.objects.get(kind="deactivated", user=boss)
    assert (deactivated.reason, deactivated.details) == ("admin", {})
    activated = SignInEvent.objects.get(kind="activated", user=boss)
    assert activated.details == {"by": "Grace H", "by_id": str(other.pk)}
