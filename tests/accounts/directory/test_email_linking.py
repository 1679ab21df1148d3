"""Users a site had before are linked to people of the pool: by hand, after a dry run."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.directory import email_linking
from accounts.models import Identity, SignInEvent, User
from local_pool.testing import LocalPool
from tests.accounts.pools import use_pool

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool(settings):
    with LocalPool() as running:
        use_pool(settings, running)
        yield running


@pytest.fixture
def mary(pool):
    return User.objects.create_user("mary", email="Grace@Example.com")


def link_users(*arguments):
    said = StringIO()
    call_command("link_users", *arguments, stdout=said)
    return said.getvalue()


def reason(**person):
    found = {"sub": "s-1", "username": "grace", "email": "grace@example.com"}
    [proposal] = email_linking.proposals([{**found, "email_verified": "true", **person}])
    return proposal.reason


def test_dry_run_shows_the_link_and_makes_none(mary):
    said = link_users()
    assert "+  grace <grace@example.com> is mary" in said
    assert "1 would be linked." in said
    assert not Identity.objects.exists()


def test_link_is_made_once_and_recorded(mary, pool):
    assert "1 linked." in link_users("mary", "--apply")
    identity = Identity.objects.get()
    assert (identity.user, identity.issuer) == (mary, pool.issuer)
    assert identity.subject == pool.get_user("grace").sub
    event = SignInEvent.objects.get(kind="linked")
    assert (event.user, event.pool_username, event.reason) == (mary, "grace", "verified_email")
    assert "0 linked." in link_users("--apply")


@pytest.mark.parametrize(
    ("person", "why"),
    [
        ({"email_verified": "false"}, "has no verified e-mail address"),
        ({"email": ""}, "has no verified e-mail address"),
        ({"email": "nobody@example.com"}, "has an e-mail address that nobody has here"),
    ],
)
def test_person_without_a_certain_match_is_not_linked(mary, person, why):
    assert reason(**person) == why


@pytest.mark.parametrize("alike", ["\u212aate@example.com", "kat\u00c9@example.com"])
def test_letters_that_only_unicode_takes_for_the_same_are_another_address(alike):
    """Whatever the database's collation says."""
    for plain in ("kate@example.com", "kat\u00e9@example.com"):
        assert email_linking._folded(alike) != email_linking._folded(plain)


def test_address_of_two_users_links_neither(mary):
    User.objects.create_user("second", email="grace@example.com")
    assert reason() == "has an e-mail address that several users have here"


def test_address_of_two_people_of_the_pool_links_neither(mary):
    one = {"sub": "1", "username": "g1", "email": "grace@example.com", "email_verified": "true"}
    two = {**one, "sub": "2", "username": "g2", "email": "GRACE@example.com"}
    reasons = {each.reason for each in email_linking.proposals([one, two])}
    assert reasons == {"shares the e-mail address with others in the pool"}


def test_user_who_is_somebody_else_in_the_pool_or_deactivated_is_not_linked(mary, pool):
    identity = Identity.objects.create(user=mary, issuer=pool.issuer, subject="other")
    assert reason() == "would be mary, who is somebody else in the pool"
    identity.delete()
    User.objects.update(is_active=False)
    assert reason() == "would be mary, who is deactivated"


def test_disabled_people_are_not_offered(mary, pool):
    pool.disable("grace")
    assert "0 would be linked." in link_users()


def test_pool_that_does_not_answer_changes_nothing(mary, pool):
    pool.stop()
    with pytest.raises(CommandError, match=r"Nothing was changed\.$"):
        link_users("--apply")
