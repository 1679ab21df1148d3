from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Identity, SignIn, User

pytestmark = pytest.mark.django_db
ISSUER = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI"


@pytest.fixture
def user():
    return User.objects.create_user("user-1")


@pytest.fixture
def sign_in(user):
    return SignIn.objects.create(
        user=user,
        issuer=ISSUER,
        subject="abc",
        client_id="client",
        sealed_tokens="sealed",
        access_expires_at=timezone.now() + timedelta(hours=1),
        renew_at=timezone.now() + timedelta(minutes=59),
    )


def test_identity_is_found_by_issuer_and_subject(user):
    identity = Identity.objects.create(user=user, issuer=ISSUER, subject="abc")
    assert Identity.objects.get_exact(Identity(issuer=ISSUER, subject="abc")) == identity
    assert Identity.objects.get_exact(Identity(issuer=ISSUER + "x", subject="abc")) is None


@pytest.mark.parametrize("subject", ["ABC", "abc ", "ábc", "\uff41bc"])
def test_identity_is_compared_byte_for_byte(user, subject):
    Identity.objects.create(user=user, issuer=ISSUER, subject="abc")
    assert Identity.objects.get_exact(Identity(issuer=ISSUER, subject=subject)) is None


def test_identity_is_compared_exactly_on_a_database_that_ignores_case(user, monkeypatch):
    Identity.objects.create(user=user, issuer=ISSUER, subject="abc")
    identities = Identity.objects.all()
    monkeypatch.setattr(type(identities), "filter", lambda self, **conditions: self)
    assert identities.get_exact(Identity(issuer=ISSUER, subject="ABC")) is None
    assert identities.get_exact(Identity(issuer=ISSUER, subject="abc")) is not None


def test_identity_is_unique(user):
    Identity.objects.create(user=user, issuer=ISSUER, subject="abc")
    with pytest.raises(IntegrityError), transaction.atomic():
        Identity.objects.create(user=user, issuer=ISSUER, subject="abc")


def test_update_of_an_unchanged_sign_in_is_written(sign_in):
    assert SignIn.objects.update_if_unchanged(sign_in, sealed_tokens="renewed")
    fresh = SignIn.objects.get()
    assert (fresh.sealed_tokens, fresh.version) == ("renewed", 1)
    assert (sign_in.sealed_tokens, sign_in.version) == ("renewed", 1)


def test_update_of_a_changed_sign_in_writes_nothing(sign_in):
    stale = SignIn.objects.get()
    SignIn.objects.update_if_unchanged(sign_in, sealed_tokens="first")
    assert not SignIn.objects.update_if_unchanged(stale, sealed_tokens="second")
    assert SignIn.objects.get().sealed_tokens == "first"
    assert stale.sealed_tokens == "sealed"


def test_ended_sign_in_cannot_be_reopened(sign_in):
    stale = SignIn.objects.get()
    assert SignIn.objects.update_if_unchanged(sign_in, ended_at=timezone.now(), sealed_tokens="")
    for reader in (stale, sign_in, SignIn.objects.get()):
        assert not SignIn.objects.update_if_unchanged(reader, ended_at=None, sealed_tokens="back")
    ended = SignIn.objects.get()
    assert ended.ended_at is not None
    assert ended.sealed_tokens == ""


def test_keys_of_sign_ins_are_random_and_long():
    assert len({SignIn().key for _ in range(100)}) == 100
    assert len(SignIn().key) == 43


def test_label_of_a_user_is_the_name_then_the_email_then_the_username():
    assert str(User(username="user-1")) == "user-1"
    assert str(User(username="user-1", email="a@example.com")) == "a@example.com"
    assert str(User(username="p", email="a@example.com", first_name="Ada")) == "Ada"
