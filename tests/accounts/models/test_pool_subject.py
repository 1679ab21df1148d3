"""Identities by pool and subject: several issuers of a pool, and rows of the earlier version."""

from types import SimpleNamespace

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Identity, SignIn, User, is_same_pool
from tests.accounts.earlier_version import insert_identity, insert_sign_in

pytestmark = pytest.mark.django_db

POOL = "eu-west-1_AbCdEf123"
ORIGINAL, UPDATED, REPLICA = (
    f"https://{host}.amazonaws.com/{POOL}"
    for host in ("cognito-idp.eu-west-1", "issuer-cognito-idp.eu-west-1", "cognito-idp.us-east-2")
)


def token(issuer=ORIGINAL, *, pool_id=POOL, subject="ada"):
    return SimpleNamespace(pool_id=pool_id, issuer=issuer, subject=subject)


@pytest.fixture
def user():
    return User.objects.create_user("user-1")


@pytest.mark.parametrize("stored", [ORIGINAL, UPDATED])
@pytest.mark.parametrize("issuer", [ORIGINAL, UPDATED, REPLICA])
def test_identity_is_found_under_each_issuer_of_the_pool(user, stored, issuer):
    identity = Identity.objects.create(user=user, issuer=stored, subject="ada")
    assert identity.pool_id == POOL
    assert Identity.objects.get_exact(token(issuer)) == identity
    identity.refresh_from_db()
    assert identity.issuer == stored  # an earlier version finds the identity by it


def test_identity_of_another_pool_or_subject_is_not_found(user):
    Identity.objects.create(user=user, issuer=ORIGINAL, subject="ada")
    other = ORIGINAL.replace(POOL, "eu-west-1_Partner12")
    assert Identity.objects.get_exact(token(other, pool_id="eu-west-1_Partner12")) is None
    assert Identity.objects.get_exact(token(subject="ADA")) is None


def test_identity_is_found_with_one_query(user):
    Identity.objects.create(user=user, issuer=ORIGINAL, subject="ada")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert Identity.objects.get_exact(token(UPDATED)) is not None
    assert len(queries) == 1


def test_two_identities_of_one_pool_user_are_refused(user):
    Identity.objects.create(user=user, issuer=ORIGINAL, subject="ada")
    with pytest.raises(IntegrityError), transaction.atomic():
        Identity.objects.create(user=user, issuer=UPDATED, subject="ada")


@pytest.mark.parametrize("issuer", [ORIGINAL, UPDATED])
def test_row_of_the_earlier_version_gets_the_pool_when_it_is_looked_up(user, issuer):
    row = insert_identity(user, ORIGINAL, "ada")
    assert Identity.objects.get_exact(token(issuer)) == row
    row.refresh_from_db()
    assert row.pool_id == POOL
    assert Identity.objects.get_exact(token(issuer)) == row


def test_row_of_the_earlier_version_is_not_that_of_another_pool(user):
    insert_identity(user, ORIGINAL, "ada")
    insert_identity(user, ORIGINAL, "grace")
    partner = ORIGINAL.replace(POOL, "eu-west-1_Partner12")
    assert Identity.objects.get_exact(token(partner, pool_id="eu-west-1_Partner12")) is None
    assert Identity.objects.get_exact(token(subject="linus")) is None


def test_pool_with_an_issuer_of_another_form_keeps_its_identities(user):
    identity = Identity.objects.create(user=user, issuer="https://sso.example/realm", subject="ada")
    assert identity.pool_id == "https://sso.example/realm"
    assert Identity.objects.get_exact(token("https://sso.example/other")) is None
    assert Identity.objects.get_exact(token("https://sso.example/realm")) == identity
    identity.refresh_from_db()
    assert identity.pool_id == POOL
    key = token("https://sso.example/realm", pool_id="https://sso.example/realm")  # a sign-in's
    assert Identity.objects.get_exact(key) == identity
    identity.refresh_from_db()
    assert identity.pool_id == POOL


def test_deactivated_account_of_the_earlier_version_comes_first(user):
    other = User.objects.create_user("user-2", is_active=False)
    insert_identity(user, ORIGINAL, "ada")
    Identity.objects.create(user=other, pool_id=UPDATED, issuer=UPDATED, subject="ada")
    assert Identity.objects.get_exact(token()).user == other


def test_housekeeping_assigns_pools_and_sets_second_accounts_aside(user):
    other, third = User.objects.create_user("user-2"), User.objects.create_user("user-3")
    used = Identity.objects.create(user=user, issuer=ORIGINAL, subject="ada")
    second = insert_identity(other, UPDATED, "ada")
    new = insert_identity(third, ORIGINAL, "grace")
    Identity.objects.assign_pools(at_most=10)
    second.refresh_from_db()
    new.refresh_from_db()
    assert (second.pool_id, new.pool_id) == (UPDATED, POOL)
    assert (list(Identity.objects.set_aside()), second.successor) == ([second], used)
    assert (used.successor, new.successor) == (None, None)


def test_account_that_was_set_aside_is_used_after_the_other_one_is_deleted(user):
    other = User.objects.create_user("user-2")
    used = Identity.objects.create(user=user, issuer=ORIGINAL, subject="ada")
    aside = Identity.objects.create(user=other, pool_id=UPDATED, issuer=UPDATED, subject="ada")
    assert Identity.objects.get_exact(token(UPDATED)) == used
    used.delete()
    assert Identity.objects.get_exact(token(ORIGINAL)) == aside
    assert not Identity.objects.set_aside()


def test_row_that_another_process_stored_in_the_meantime_is_found(user, monkeypatch):
    """The row of the earlier version is then a second account, which housekeeping sets aside."""
    other = User.objects.create_user("user-2")
    insert_identity(user, ORIGINAL, "ada")
    is_of_pool = Identity.is_of_pool

    def store_another(identity, key):
        if not Identity.objects.filter(user=other).exists():
            Identity.objects.create(user=other, issuer=UPDATED, subject="ada")
        return is_of_pool(identity, key)

    monkeypatch.setattr(Identity, "is_of_pool", store_another)
    assert Identity.objects.get_exact(token()).user == other


def test_sign_in_of_the_earlier_version_has_its_identity(user):
    identity = Identity.objects.create(user=user, issuer=ORIGINAL, subject="ada")
    sign_in = insert_sign_in(user, UPDATED, "ada")
    assert sign_in.identity == identity
    assert not sign_in.is_break_glass


def test_break_glass_sign_in_has_no_pool_and_no_identity(user):
    insert_identity(user, ORIGINAL, "ada")
    sign_in = insert_sign_in(user, "", "")
    assert SignIn(user=user).identity is sign_in.identity is None


def test_issuers_of_one_pool_are_the_same_pool():
    assert is_same_pool(token(ORIGINAL), token(UPDATED))
    assert is_same_pool(token(ORIGINAL, pool_id=""), token(UPDATED))
    assert is_same_pool(token("https://sso.example", pool_id=""), token("https://sso.example"))
    assert not is_same_pool(token(), token(UPDATED, pool_id="eu-west-1_Partner12"))
