"""The erasure of a user: a dry run lists all effects, and it does everything or nothing."""

import json
from decimal import Decimal
from io import StringIO

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command

from accounts.audit import events
from accounts.models import Identity, SignIn, SignInEvent, User
from accounts.provider import aws
from local_pool.testing import LocalPool
from stats import writing
from stats.models import Stat
from tests.accounts.pools import use_pool
from tests.host.models import ApiToken, Article, Booking, Device, Invoice, Ledger, Pet, Profile

pytestmark = pytest.mark.django_db


def run(*arguments):
    output = StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue()


@pytest.fixture
def grace(cognito_client):
    """A user who signed in, wrote a figure, and was changed by another user."""
    user = cognito_client(
        "grace", groups=["editors"], email="grace@example.com", name="Grace H"
    ).user
    writing.save(
        Stat(kpi="Revenue", year=2020, month=3, value=Decimal(1)), writing.Author(user, "page")
    )
    reference = SignIn.objects.get(user=user).reference
    events.record_event(
        "refused", reference=reference, pool_username="grace", reason="user_deactivated"
    )
    boss = User.objects.create_superuser("boss")
    LogEntry.objects.create(
        user=boss,
        content_type=ContentType.objects.get_for_model(User),
        object_id=str(user.pk),
        object_repr="Grace H",
        action_flag=CHANGE,
    )
    events.record_event("deactivated", user=boss, reason="admin", by=user)
    return user


def test_dry_run_lists_all_deletions_and_changes_nothing(grace):
    profile = Profile.objects.create(user=grace, phone="030", motto="Ever on")
    Pet.objects.create(profile=profile, name="Rex")
    ApiToken.objects.create(user=grace, key="a-secret-key", label="laptop")
    Device.objects.create(user=grace, key_ring="blue", unlock="4711")
    Article.objects.create(author=grace, title="Of moths", hidden=True)
    output = run("cognito_erase_user", "grace")
    deleted, nullified = output.split("Kept, without the user as author\n")
    assert "-  accounts.User: 1\n     Grace H\n" in deleted
    assert "-  accounts.Identity: 1\n     grace at " in deleted
    assert "-  accounts.SignIn: 1\n" in deleted
    assert "-  accounts.User_groups: 1\n-  " in deleted
    assert "-  host.Profile: 1\n     Ever on\n" in deleted
    assert "-  host.Pet: 1\n     Rex\n" in deleted
    assert f"-  host.ApiToken: 1\n     {grace.pk}, laptop\n" in deleted
    assert "-  host.Device: 1\n-  " in deleted
    assert "-  browser sessions: 1\n" in deleted
    assert "-  entries about the user in the admin's log: 1\n" in deleted
    assert "=  host.Article (author): 1\n     Of moths\n" in nullified
    assert "=  stats.Stat (created_by): 1\n     Revenue, 2020, 3, 1" in nullified
    assert "~  audit events that only name the user: 1\n" in nullified
    assert "add --apply" in output
    for value in ("a-secret-key", "blue", "4711"):
        assert value not in output
    assert User.objects.filter(pk=grace.pk).exists()
    assert SignIn.objects.live().filter(user=grace).exists()


def test_dry_run_lists_ten_objects_of_a_model_or_all(grace):
    profile = Profile.objects.create(user=grace)
    for number in range(12):
        Pet.objects.create(profile=profile, name=f"pet {number:02}")
    output = run("cognito_erase_user", "grace")
    assert "-  host.Pet: 12\n" in output
    assert "     pet 09\n     and 2 more\n" in output
    assert "     pet 11\n" in run("cognito_erase_user", "grace", "--verbosity", "2")


def test_erasure_leaves_only_what_the_user_wrote(grace):
    subject = Identity.objects.get(user=grace).subject
    events_before = SignInEvent.objects.count()
    sessions = Session.objects.count()
    output = run("cognito_erase_user", "grace", "--apply")
    assert "Erased." in output
    assert not User.objects.filter(pk=grace.pk).exists()
    assert not Identity.objects.filter(subject=subject).exists()
    assert not SignIn.objects.exists()
    assert Session.objects.count() == sessions - 1
    figure = Stat.objects.get()
    assert (figure.created_by, figure.updated_by, figure.kpi) == (None, None, "Revenue")
    assert SignInEvent.objects.count() > events_before
    boss = User.objects.get(username="boss")
    remaining = SignInEvent.objects.exclude(user=boss)
    assert {(event.pool_username, event.device, event.ip_address) for event in remaining} == {
        ("", "", None)
    }
    assert "Grace" not in str(list(SignInEvent.objects.values()))
    assert "grace" not in str(list(SignInEvent.objects.values()))
    assert "Grace" not in str(list(LogEntry.objects.values()))
    with pytest.raises(CommandError, match='No user matches "grace"'):
        run("cognito_erase_user", "grace")


@pytest.fixture
def pool(settings):
    with LocalPool() as running:
        use_pool(settings, running)
        yield running


@pytest.fixture
def linus(pool):
    user = User.objects.create_user("user-linus")
    subject = pool.get_user("linus").sub
    Identity.objects.create(user=user, issuer=pool.issuer, subject=subject, username="linus")
    return user


def test_pool_user_is_exported_and_deleted_on_request(pool, linus):
    from accounts.provider import user_pool

    content = json.loads(run("cognito_export_user", "linus", "--pool"))
    assert content["pool"][0]["email"] == "linus@example.com"
    subject = pool.get_user("linus").sub
    assert "-  pool user: linus\n" in run("cognito_erase_user", "linus", "--pool")
    assert user_pool.get_user(subject) is not None
    run("cognito_erase_user", "linus", "--pool", "--apply")
    assert user_pool.get_user(subject) is None
    assert not User.objects.filter(pk=linus.pk).exists()


def test_pool_user_with_the_same_name_is_not_deleted(pool, linus):
    from accounts.provider import user_pool

    user_pool.delete("linus")
    namesake = user_pool.invite(username="linus", email="other@example.com")
    run("cognito_erase_user", "linus", "--pool", "--apply")
    assert user_pool.get_user(namesake.subject) is not None


def test_unavailable_pool_changes_nothing(pool, linus):
    pool.stop()
    with pytest.raises(CommandError, match=r"Nothing was changed\.$"):
        run("cognito_erase_user", "linus", "--pool", "--apply")
    assert User.objects.filter(pk=linus.pk).exists()


@pytest.mark.parametrize("apply", [(), ("--apply",)])
def test_protecting_object_is_reported_first_and_nothing_changes(pool, linus, apply):
    Invoice.objects.create(customer=linus, number="R-17")
    pet = Pet.objects.create(profile=Profile.objects.create(user=linus), name="Rex")
    output = StringIO()
    with pytest.raises(CommandError, match="prevent the deletion of the user") as refused:
        call_command("cognito_erase_user", "linus", "--pool", *apply, stdout=output)
    assert refused.value.returncode == 1
    assert "!  host.Invoice (customer): 1\n     R-17\n" in output.getvalue()
    assert "-  host.Pet: 1\n" in output.getvalue()
    assert pool.get_user("linus")
    assert Identity.objects.filter(user=linus).exists()
    assert Pet.objects.filter(pk=pet.pk).exists()
    assert not SignInEvent.objects.exists()


def test_restricting_object_is_reported_too(pool, linus):
    Booking.objects.create(guest=linus)
    output = StringIO()
    with pytest.raises(CommandError, match="prevent the deletion of the user"):
        call_command("cognito_erase_user", "linus", stdout=output)
    assert "!  host.Booking (guest): 1\n" in output.getvalue()


@pytest.mark.django_db(transaction=True)
def test_database_constraint_that_fails_keeps_the_pool_user(pool, linus):
    entry = Ledger.objects.create(owner=linus)
    with pytest.raises(CommandError, match=r"Nothing was changed\.$"):
        run("cognito_erase_user", "linus", "--pool", "--apply")
    assert pool.get_user("linus")
    assert User.objects.filter(pk=linus.pk).exists()
    entry.delete()  # otherwise the test database cannot be emptied


@pytest.mark.django_db(transaction=True)
def test_pool_that_refuses_the_deletion_changes_nothing(pool, linus, monkeypatch):
    def refuse(username):
        raise aws.AwsError("AWS refused.")

    monkeypatch.setattr("accounts.provider.user_pool.delete", refuse)
    with pytest.raises(CommandError, match=r"^AWS refused. Nothing was changed\.$"):
        run("cognito_erase_user", "linus", "--pool", "--apply")
    assert Identity.objects.filter(user=linus).exists()
    assert not SignInEvent.objects.exists()


def test_events_about_other_users_lose_only_the_name(grace):
    other = User.objects.create_user("other", first_name="Grace H")  # a namesake
    boss = User.objects.get(username="boss")
    events.record_event("activated", user=boss, reason="admin", by=other)
    run("cognito_erase_user", "grace", "--apply")
    deactivated = SignInEvent.objects.get(kind="deactivated", user=boss)
    assert (deactivated.reason, deactivated.details) == ("admin", {})
    activated = SignInEvent.objects.get(kind="activated", user=boss)
    assert activated.details == {"by": "Grace H", "by_id": str(other.pk)}
