"""Existing users are linked to pool users by verified email address, after a dry run."""

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
    output = StringIO()
    call_command("cognito_link_users", *arguments, stdout=output)
    return output.getvalue()


def reason(**changes):
    grace = {"sub": "s-1", "username": "grace", "email": "grace@example.com"}
    [proposal] = email_linking.propose_links([{**grace, "email_verified": "true", **changes}])
    return proposal.reason


def test_dry_run_shows_the_link_and_does_not_create_it(mary):
    output = link_users()
    assert "+  grace <grace@example.com>: link to mary" in output
    assert "1 would be linked." in output
    assert not Identity.objects.exists()


def test_link_is_created_once_and_recorded(mary, pool):
    assert "1 linked." in link_users("mary", "--apply")
    identity = Identity.objects.get()
    assert (identity.user, identity.issuer) == (mary, pool.issuer)
    assert identity.subject == pool.get_user("grace").sub
    event = SignInEvent.objects.get(kind="linked")
    assert (event.user, event.pool_username, event.reason) == (mary, "grace", "verified_email")
    assert "0 linked." in link_users("--apply")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"email_verified": "false"}, "has no verified email address"),
        ({"email": ""}, "has no verified email address"),
        ({"email": "other@example.com"}, "has an email address that no user here has"),
    ],
)
def test_pool_user_without_an_unambiguous_match_is_not_linked(mary, changes, expected):
    assert reason(**changes) == expected


@pytest.mark.parametrize("similar", ["\u212aate@example.com", "kat\u00c9@example.com"])
def test_letters_that_are_equal_only_in_unicode_make_another_email_address(similar):
    """The collation of the database does not matter."""
    for plain in ("kate@example.com", "kat\u00e9@example.com"):
        assert email_linking._lower_ascii(similar) != email_linking._lower_ascii(plain)


def test_email_address_of_two_users_links_neither(mary):
    User.objects.create_user("second", email="grace@example.com")
    assert reason() == "has an email address that several users here have"


def test_email_address_of_two_pool_users_links_neither(mary):
    one = {"sub": "1", "username": "g1", "email": "grace@example.com", "email_verified": "true"}
    two = {**one, "sub": "2", "username": "g2", "email": "GRACE@example.com"}
    reasons = {proposal.reason for proposal in email_linking.propose_links([one, two])}
    assert reasons == {"shares its email address with another pool user"}


def test_user_who_is_linked_already_or_deactivated_is_not_linked(mary, pool):
    identity = Identity.objects.create(user=mary, issuer=pool.issuer, subject="other")
    assert reason() == "matches mary, who is linked to another pool user"
    identity.delete()
    User.objects.update(is_active=False)
    assert reason() == "matches mary, who is deactivated"


def test_disabled_pool_users_are_not_linked(mary, pool):
    pool.disable("grace")
    assert "0 would be linked." in link_users()


def test_unavailable_pool_changes_nothing(mary, pool):
    pool.stop()
    with pytest.raises(CommandError, match=r"Nothing was changed\.$"):
        link_users("--apply")
