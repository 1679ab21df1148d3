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
    update_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fake(cognito):
    pass


def access(username="ada", **options):
    return provider().access_verifier.access_claims(mint_access_token(username, **options))


def identity(username="ada", **options):
    token = mint_id_token(username, **options)
    return provider().sign_in_verifier.id_claims(token, nonce=None)


def test_access_token_and_id_token_belong_to_one_user():
    assert get_or_create_user(access()) == get_or_create_user(identity())
    assert Identity.objects.count() == 1


def test_id_token_updates_name_and_email():
    get_or_create_user(access())
    get_or_create_user(identity(name="Ada Lovelace"))
    get_or_create_user(identity(email="countess@example.com", name="Ada King"))
    stored = Identity.objects.get()
    assert (stored.email, stored.name) == ("countess@example.com", "Ada King")
    assert stored.user.email == "countess@example.com"


def test_long_names_are_cut_and_a_long_email_is_left_out():
    user = get_or_create_user(identity(email=f"{'a' * 250}@example.com", name="Ada " * 100))
    user.refresh_from_db()
    stored = Identity.objects.get()
    assert (user.email, stored.email) == ("", "")
    assert (len(user.first_name), len(stored.name)) == (150, 255)


def test_same_email_is_not_the_same_user():
    ada = get_or_create_user(identity("ada", email="shared@example.com"))
    assert get_or_create_user(identity("mallory", email="shared@example.com")) != ada


def test_username_is_generated():
    user = get_or_create_user(access())
    assert user.username.startswith("user-")
    assert not user.has_usable_password()


@pytest.mark.parametrize(
    "provision",
    [lambda: get_or_create_user(access()), lambda: get_or_create_user(identity())],
    ids=["access-token", "id-token"],
)
def test_users_are_not_created_if_the_setting_is_off(settings, provision):
    settings.COGNITO = {**settings.COGNITO, "CREATE_PEOPLE": False}
    with pytest.raises(UnknownUser):
        provision()
    assert not get_user_model().objects.exists()


def test_deactivated_user_is_refused_with_both_tokens():
    user = get_or_create_user(access())
    user.is_active = False
    user.save()
    with pytest.raises(UserDeactivated):
        get_or_create_user(access())
    with pytest.raises(UserDeactivated):
        get_or_create_user(identity())


@pytest.mark.django_db(transaction=True)
def test_concurrent_first_calls_create_one_user():
    claims, keys = access(), []

    def provision():
        try:
            keys.append(get_or_create_user(claims).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=provision) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1
    assert get_user_model().objects.count() == 1


def test_own_pool_identities_are_those_of_its_issuer():
    user = get_or_create_user(identity())
    own = Identity.objects.get()
    Identity.objects.create(user=user, issuer="https://partner.example", subject="ada")
    get_or_create_user(identity("grace"))
    assert list(own_pool_identities(user=user)) == [own]
    assert own_pool_identities().count() == 2


def test_update_user_creates_no_identity():
    """A renewal that is concurrent with unlinking must not link the identity again."""
    user = get_or_create_user(identity())
    Identity.objects.all().delete()
    update_user(user, identity(name="Ada King"))
    assert not Identity.objects.exists()
