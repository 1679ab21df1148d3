from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Identity, SignIn, User, users

pytestmark = pytest.mark.django_db
ISSUER = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI"


@pytest.fixture
def person():
    return User.objects.create_user("person-1")


@pytest.fixture
def row(person):
    return SignIn.objects.create(
        user=person,
        issuer=ISSUER,
        subject="abc",
        client_id="client",
        sealed_tokens="sealed",
        access_expires_at=timezone.now() + timedelta(hours=1),
        renew_at=timezone.now() + timedelta(minutes=59),
    )


@pytest.fixture(params=["of", "known"])
def find(request):
    """Both ways to look for an identity."""
    return {"of": Identity.objects.of, "known": Identity.known}[request.param]


def test_identity_is_found_by_issuer_and_subject(person, find):
    identity = Identity.objects.create(user=person, issuer=ISSUER, subject="abc")
    assert find(issuer=ISSUER, subject="abc") == identity
    assert find(issuer=ISSUER + "x", subject="abc") is None


@pytest.mark.parametrize("subject", ["ABC", "abc ", "ábc", "\uff41bc"])
def test_identity_is_compared_byte_for_byte(person, find, subject):
    Identity.objects.create(user=person, issuer=ISSUER, subject="abc")
    assert find(issuer=ISSUER, subject=subject) is None


def test_identity_is_not_taken_from_a_database_that_folds_case(person, monkeypatch):
    Identity.objects.create(user=person, issuer=ISSUER, subject="abc")
    everything = Identity.objects.all()
    monkeypatch.setattr(type(everything), "filter", lambda self, **conditions: self)
    assert everything.of(issuer=ISSUER, subject="ABC") is None
    assert everything.of(issuer=ISSUER, subject="abc") is not None
    monkeypatch.setattr(users._KNOWN, "instances", lambda **values: list(everything))
    assert Identity.known(issuer=ISSUER, subject="ABC") is None
    assert Identity.known(issuer=ISSUER, subject="abc") is not None


def test_identity_exists_once(person):
    Identity.objects.create(user=person, issuer=ISSUER, subject="abc")
    with pytest.raises(IntegrityError), transaction.atomic():
        Identity.objects.create(user=person, issuer=ISSUER, subject="abc")


def test_change_of_a_row_as_it_was_read_is_written(row):
    assert SignIn.objects.change(row, sealed_tokens="renewed")
    fresh = SignIn.objects.get()
    assert (fresh.sealed_tokens, fresh.version) == ("renewed", 1)
    assert (row.sealed_tokens, row.version) == ("renewed", 1)


def test_change_of_a_row_that_changed_meanwhile_writes_nothing(row):
    stale = SignIn.objects.get()
    SignIn.objects.change(row, sealed_tokens="first")
    assert not SignIn.objects.change(stale, sealed_tokens="second")
    assert SignIn.objects.get().sealed_tokens == "first"
    assert stale.sealed_tokens == "sealed"


def test_ended_row_never_revives(row):
    stale = SignIn.objects.get()
    assert SignIn.objects.change(row, ended_at=timezone.now(), sealed_tokens="")
    for reader in (stale, row, SignIn.objects.get()):
        assert not SignIn.objects.change(reader, ended_at=None, sealed_tokens="back")
    ended = SignIn.objects.get()
    assert ended.ended_at is not None
    assert ended.sealed_tokens == ""


def test_keys_of_sign_ins_are_random_and_long():
    assert len({SignIn().key for _ in range(100)}) == 100
    assert len(SignIn().key) == 43


def test_user_is_shown_by_the_best_name_known():
    assert str(User(username="person-1")) == "person-1"
    assert str(User(username="person-1", email="a@example.com")) == "a@example.com"
    assert str(User(username="p", email="a@example.com", first_name="Ada")) == "Ada"
