"""Users who left the pool are found through cognito-idp, and deactivated after a dry run."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.directory import reconciliation
from accounts.models import Identity, SignInEvent, User
from accounts.provider import aws, user_pool
from local_pool.testing import LocalPool
from tests.accounts.pools import use_pool

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool(settings):
    with LocalPool() as running:
        use_pool(settings, running)
        yield running


@pytest.fixture
def users(pool):
    """ada, grace and linus: all three have an identity here."""

    def make(name, **rights):
        user = User.objects.create_user(f"person-{name}", **rights)
        subject = pool.get_user(name).sub
        Identity.objects.create(user=user, issuer=pool.issuer, subject=subject, username=name)
        return user

    return {"ada": make("ada", is_superuser=True), "grace": make("grace"), "linus": make("linus")}


def reconcile(*arguments):
    output = StringIO()
    call_command("cognito_reconcile_users", *arguments, stdout=output)
    return output.getvalue()


def active_usernames():
    return sorted(user.username for user in User.objects.filter(is_active=True))


def test_dry_run_names_deleted_and_disabled_users_and_changes_nothing(pool, users):
    pool.delete("linus")
    pool.disable("grace")
    output = reconcile()
    assert f"+  linus at {pool.pool_id}: gone\n" in output
    assert f"+  grace at {pool.pool_id}: disabled\n" in output
    assert "ada" not in output
    assert "2 would be deactivated" in output
    assert len(active_usernames()) == 3


def test_apply_deactivates_each_user_and_records_it_once(pool, users):
    pool.delete("linus")
    pool.disable("grace")
    assert "2 deactivated." in reconcile("--apply")
    assert active_usernames() == ["person-ada"]
    events = SignInEvent.objects.filter(kind="deactivated").order_by("pool_username")
    assert [(event.pool_username, event.reason) for event in events] == [
        ("grace", "disabled_in_pool"),
        ("linus", "gone_in_pool"),
    ]
    assert "0 deactivated." in reconcile("--apply")
    assert events.count() == 2


def test_many_identities_are_compared_with_the_list_of_pool_users(pool, users, monkeypatch):
    monkeypatch.setattr(reconciliation, "MAX_SINGLE_LOOKUPS", 0)
    pool.disable("grace")
    assert "1 deactivated." in reconcile("--apply")
    assert active_usernames() == ["person-ada", "person-linus"]


def test_user_missing_from_the_list_but_in_the_pool_stays_active(pool, users, monkeypatch):
    monkeypatch.setattr(reconciliation, "MAX_SINGLE_LOOKUPS", 0)
    list_users = user_pool.list_users
    monkeypatch.setattr(
        user_pool, "list_users", lambda only="": list_users(only=only) if only else []
    )
    pool.disable("grace")
    assert "1 deactivated." in reconcile("--apply")
    assert active_usernames() == ["person-ada", "person-linus"]


def test_recreated_username_is_another_pool_user(pool, users):
    pool.delete("linus")
    user_pool.invite(username="linus", email="linus@example.com")
    assert "linus" in reconcile()
    assert "1 deactivated." in reconcile("--apply")


def test_user_with_two_missing_identities_counts_once(pool, users):
    second = Identity.objects.create(user=users["grace"], issuer=pool.issuer, subject="gone")
    pool.disable("grace")
    assert "1 deactivated." in reconcile("--apply", "--at-most", "1")
    assert SignInEvent.objects.filter(kind="deactivated").count() == 1
    assert second.user == users["grace"]


def test_user_who_can_also_sign_in_through_another_pool_stays_active(pool, users):
    Identity.objects.create(user=users["grace"], issuer="https://other", subject="g", username="g")
    pool.disable("grace")
    output = reconcile("--apply")
    assert "stays active: can also sign in as g at https://other" in output
    assert len(active_usernames()) == 3


def test_last_superuser_stays_active(pool, users):
    pool.disable("ada")
    assert "stays active: is the last active superuser" in reconcile("--apply")
    User.objects.create_superuser("another")
    assert "1 deactivated." in reconcile("--apply")


def test_identity_of_another_pool_is_not_compared(pool, users):
    partner = User.objects.create_user("partner")
    Identity.objects.create(user=partner, issuer="https://other", subject="p")
    assert "0 deactivated." in reconcile("--apply")


def test_more_users_than_the_limit_change_nothing(pool, users):
    pool.disable("grace")
    pool.disable("linus")
    with pytest.raises(CommandError, match="2 users would be deactivated, but the limit is 1"):
        reconcile("--apply", "--at-most", "1")
    assert len(active_usernames()) == 3


def test_unavailable_pool_changes_nothing(pool, users):
    pool.stop()
    with pytest.raises(CommandError, match=r"Nothing was changed\.$"):
        reconcile("--apply")
    assert len(active_usernames()) == 3


def test_invitation_is_mailed_resent_and_listed(pool):
    invited = user_pool.invite(username="zoe", email="zoe@example.com")
    assert (invited.status, invited.email) == (user_pool.INVITED, "zoe@example.com")
    first = pool.mailbox[-1].code
    again = user_pool.resend_invitation("zoe")
    assert again.subject == invited.subject
    assert pool.mailbox[-1].code != first
    assert user_pool.get_user(invited.subject) == again
    invited_users = user_pool.list_users(only=f'cognito:user_status = "{user_pool.INVITED}"')
    assert "zoe" in [pool_user.username for pool_user in invited_users]
    assert user_pool.invitation_lifetime().days == 7


def test_invitation_of_a_confirmed_pool_user_is_not_resent(pool):
    with pytest.raises(aws.AwsError) as caught:
        user_pool.resend_invitation("ada")
    assert caught.value.code == "UnsupportedUserStateException"


def test_deleting_a_missing_pool_user_returns_false(pool):
    assert user_pool.delete("linus")
    assert not user_pool.delete("linus")
    assert user_pool.get_user("no-such-sub") is None


def test_missing_aws_credentials_are_the_unavailable_reason(settings, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    at_aws = {"POOL_ID": "eu-west-1_AbCdEf123", "ISSUER": "", "CLIENT_DOMAIN": "my-team"}
    settings.COGNITO = {**settings.COGNITO, **at_aws}
    assert "no AWS credentials" in user_pool.unavailable_reason()
    monkeypatch.setenv("AWS_PROFILE", "admin")
    assert user_pool.unavailable_reason() == ""
