import threading

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from accounts.models import Identity
from accounts.problems.errors import UnknownUser, UserDeactivated
from accounts.provider import provider
from accounts.testing import mint_access_token, mint_id_token
from accounts.users.provisioning import (
    get_or_create_user,
    own_pool_identities,
    update_person,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fake(cognito):
    pass


def access(username="ada", **options):
    return provider().verifier.access_claims(mint_access_token(username, **options))


def identity(username="ada", **options):
    token = mint_id_token(username, **options)
    return provider().sign_in_verifier.id_claims(token, nonce=None)


def test_access_token_and_id_token_are_one_person():
    assert get_or_create_user(access()) == get_or_create_user(identity())
    assert Identity.objects.count() == 1


def test_id_token_updates_name_and_email():
    get_or_create_user(access())
    get_or_create_user(identity(name="Ada Lovelace"))
    get_or_create_user(identity(email="countess@example.com", name="Ada King"))
    row = Identity.objects.get()
    assert (row.email, row.name) == ("countess@example.com", "Ada King")
    assert row.user.email == "countess@example.com"


def test_names_are_cut_to_fit_and_an_address_too_long_for_one_is_left_out():
    user = get_or_create_user(identity(email=f"{'a' * 250}@example.com", name="Ada " * 100))
    user.refresh_from_db()
    row = Identity.objects.get()
    assert (user.email, row.email) == ("", "")
    assert (len(user.first_name), len(row.name)) == (150, 255)


def test_same_email_is_not_the_same_person():
    ada = get_or_create_user(identity("ada", email="shared@example.com"))
    assert get_or_create_user(identity("mallory", email="shared@example.com")) != ada


def test_username_says_nothing_about_the_pool():
    user = get_or_create_user(access())
    assert user.username.startswith("person-")
    assert not user.has_usable_password()


@pytest.mark.parametrize(
    "person",
    [lambda: get_or_create_user(access()), lambda: get_or_create_user(identity())],
    ids=["access-token", "id-token"],
)
def test_people_are_not_created_when_the_setting_says_so(settings, person):
    settings.COGNITO = {**settings.COGNITO, "CREATE_PEOPLE": False}
    with pytest.raises(UnknownUser):
        person()
    assert not get_user_model().objects.exists()


def test_deactivated_person_is_refused_in_both_ways():
    user = get_or_create_user(access())
    user.is_active = False
    user.save()
    with pytest.raises(UserDeactivated):
        get_or_create_user(access())
    with pytest.raises(UserDeactivated):
        get_or_create_user(identity())


@pytest.mark.django_db(transaction=True)
def test_first_sight_by_many_at_once_makes_one_person():
    claims, seen = access(), []

    def see():
        try:
            seen.append(get_or_create_user(claims).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=see) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len(set(seen)) == 1
    assert get_user_model().objects.count() == 1


def test_identities_of_our_own_pool_are_those_of_its_issuer():
    user = get_or_create_user(identity())
    own = Identity.objects.get()
    Identity.objects.create(user=user, issuer="https://partner.example", subject="ada")
    get_or_create_user(identity("grace"))
    assert list(own_pool_identities(user=user)) == [own]
    assert own_pool_identities().count() == 2


def test_update_person_creates_no_identity():
    """A renewal that overtakes an unlinking must not link the identity again."""
    user = get_or_create_user(identity())
    Identity.objects.all().delete()
    update_person(user, identity(name="Ada King"))
    assert not Identity.objects.exists()
