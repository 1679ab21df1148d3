"""People who left the pool are found through cognito-idp, and deactivated after a dry run."""

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
def known(pool):
    """ada, grace and linus, all known here."""

    def make(name, **rights):
        user = User.objects.create_user(f"person-{name}", **rights)
        subject = pool.get_user(name).sub
        Identity.objects.create(user=user, issuer=pool.issuer, subject=subject, username=name)
        return user

    return {"ada": make("ada", is_superuser=True), "grace": make("grace"), "linus": make("linus")}


def reconcile(*arguments):
    said = StringIO()
    call_command("reconcile_users", *arguments, stdout=said)
    return said.getvalue()


def active():
    return sorted(user.username for user in User.objects.filter(is_active=True))


def test_dry_run_names_who_is_gone_or_disabled_and_changes_nothing(pool, known):
    pool.delete("linus")
    pool.disable("grace")
    said = reconcile()
    assert f"+  linus at {pool.issuer}: gone\n" in said
    assert f"+  grace at {pool.issuer}: disabled\n" in said
    assert "ada" not in said
    assert "2 would be deactivated" in said
    assert len(active()) == 3


def test_apply_deactivates_and_records_each_once(pool, known):
    pool.delete("linus")
    pool.disable("grace")
    assert "2 deactivated." in reconcile("--apply")
    assert active() == ["person-ada"]
    recorded = SignInEvent.objects.filter(kind="deactivated").order_by("pool_username")
    assert [(each.pool_username, each.reason) for each in recorded] == [
        ("grace", "disabled_in_pool"),
        ("linus", "gone_in_pool"),
    ]
    assert "0 deactivated." in reconcile("--apply")
    assert recorded.count() == 2


def test_long_list_is_compared_page_by_page(pool, known, monkeypatch):
    monkeypatch.setattr(reconciliation, "ASKED_ONE_BY_ONE", 0)
    pool.disable("grace")
    assert "1 deactivated." in reconcile("--apply")
    assert active() == ["person-ada", "person-linus"]


def test_person_whom_a_page_of_the_list_left_out_stays(pool, known, monkeypatch):
    monkeypatch.setattr(reconciliation, "ASKED_ONE_BY_ONE", 0)
    real = user_pool.everyone
    monkeypatch.setattr(user_pool, "everyone", lambda only="": real(only=only) if only else [])
    pool.disable("grace")
    assert "1 deactivated." in reconcile("--apply")
    assert active() == ["person-ada", "person-linus"]


def test_recreated_username_is_somebody_else(pool, known):
    pool.delete("linus")
    user_pool.invite(username="linus", email="linus@example.com")
    assert "linus" in reconcile()
    assert "1 deactivated." in reconcile("--apply")


def test_person_with_two_lost_identities_is_one_person(pool, known):
    second = Identity.objects.create(user=known["grace"], issuer=pool.issuer, subject="gone")
    pool.disable("grace")
    assert "1 deactivated." in reconcile("--apply", "--at-most", "1")
    assert SignInEvent.objects.filter(kind="deactivated").count() == 1
    assert second.user == known["grace"]


def test_person_with_another_way_in_is_kept(pool, known):
    Identity.objects.create(user=known["grace"], issuer="https://other", subject="g", username="g")
    pool.disable("grace")
    said = reconcile("--apply")
    assert "kept: also signs in as g at https://other" in said
    assert len(active()) == 3


def test_last_superuser_is_kept(pool, known):
    pool.disable("ada")
    assert "kept: is the last active superuser" in reconcile("--apply")
    User.objects.create_superuser("another")
    assert "1 deactivated." in reconcile("--apply")


def test_identity_of_another_pool_is_left_alone(pool, known):
    partner = User.objects.create_user("partner")
    Identity.objects.create(user=partner, issuer="https://other", subject="p")
    assert "0 deactivated." in reconcile("--apply")


def test_too_many_change_nothing(pool, known):
    pool.disable("grace")
    pool.disable("linus")
    with pytest.raises(CommandError, match="2 people would be deactivated, more than 1"):
        reconcile("--apply", "--at-most", "1")
    assert len(active()) == 3


def test_pool_that_does_not_answer_changes_nothing(pool, known):
    pool.stop()
    with pytest.raises(CommandError, match=r"Nothing was changed\.$"):
        reconcile("--apply")
    assert len(active()) == 3


def test_invitation_is_mailed_sent_again_and_found(pool):
    invited = user_pool.invite(username="zoe", email="zoe@example.com")
    assert (invited.status, invited.email) == (user_pool.INVITED, "zoe@example.com")
    first = pool.mailbox[-1].code
    again = user_pool.invite_again("zoe")
    assert again.subject == invited.subject
    assert pool.mailbox[-1].code != first
    assert user_pool.find(invited.subject) == again
    waiting = user_pool.everyone(only=f'cognito:user_status = "{user_pool.INVITED}"')
    assert "zoe" in [each.username for each in waiting]
    assert user_pool.invitation_lasts().days == 7


def test_person_who_has_signed_in_is_not_invited_again(pool):
    with pytest.raises(aws.AwsProblem) as refused:
        user_pool.invite_again("ada")
    assert refused.value.code == "UnsupportedUserStateException"


def test_delete_of_nobody_says_so(pool):
    assert user_pool.delete("linus")
    assert not user_pool.delete("linus")
    assert user_pool.find("no-such-sub") is None


def test_pool_at_aws_without_credentials_is_said_plainly(settings, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    at_aws = {"POOL_ID": "eu-west-1_AbCdEf123", "ISSUER": "", "CLIENT_DOMAIN": "my-team"}
    settings.COGNITO = {**settings.COGNITO, **at_aws}
    assert "no AWS credentials" in user_pool.why_unavailable()
    monkeypatch.setenv("AWS_PROFILE", "admin")
    assert user_pool.why_unavailable() == ""
