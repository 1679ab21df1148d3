"""Secrets and keys can change without signing users out."""

from datetime import timedelta
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.core.encryption import Cipher
from accounts.models import PendingRevocation, RefreshResult, SignIn
from accounts.provider import provider
from accounts.sessions import ending
from accounts.tokens import shared_refresh, storage

pytestmark = pytest.mark.django_db


def is_signed_in(client):
    return client.get("/profile/").status_code == 200


def use_keys(settings, *keys):
    settings.COGNITO = {**settings.COGNITO, "TOKEN_ENCRYPTION_KEYS": list(keys)}


def reencrypt(*arguments):
    said = StringIO()
    call_command("cognito_reencrypt_tokens", *arguments, stdout=said)
    return said.getvalue()


def test_tokens_move_to_the_new_key_and_the_old_one_can_go(cognito_client, settings):
    [old] = settings.COGNITO["TOKEN_ENCRYPTION_KEYS"]
    new = Fernet.generate_key().decode()
    ada = cognito_client("ada")
    tokens = storage.open_tokens(SignIn.objects.get())
    ending.queue_revocation("a refresh token", reference="7c1e09ab")
    use_keys(settings, new, old)
    with pytest.raises(CommandError, match="without --check"):
        reencrypt("--check")
    version = SignIn.objects.get().version
    assert reencrypt() == "Encrypted with the first key already: 0. Encrypted again: 2.\n"
    counts = "Encrypted with the first key already: 2. Encrypted with earlier keys: 0.\n"
    assert reencrypt("--check") == counts
    use_keys(settings, new)
    row = SignIn.objects.get()
    assert (storage.open_tokens(row), row.version) == (tokens, version)
    sealed = PendingRevocation.objects.get().sealed_token
    assert provider().cipher.open(sealed) == {
        "refresh_token": "a refresh token",
        "linked": False,
    }
    assert is_signed_in(ada)


def test_result_of_a_refresh_moves_to_the_new_key(cognito_client, settings):
    """It may hold the only refresh token that Cognito still accepts."""
    [old] = settings.COGNITO["TOKEN_ENCRYPTION_KEYS"]
    cognito_client("ada")
    sign_in = SignIn.objects.get()
    refresh_token = storage.open_tokens(sign_in).refresh_token
    tokens = shared_refresh.renew_once(sign_in, refresh_token, give_up_at=0, timeout=None)
    new = Fernet.generate_key().decode()
    use_keys(settings, new, old)
    assert "Encrypted again: 2." in reencrypt()
    use_keys(settings, new)
    sealed = RefreshResult.objects.get().sealed_result
    assert provider().cipher.open(sealed)["tokens"]["access_token"] == tokens.access_token


def test_tokens_that_no_key_opens_are_counted_and_unchanged(cognito_client, settings):
    cognito_client("ada")
    use_keys(settings, Fernet.generate_key().decode())
    before = SignIn.objects.get().sealed_tokens
    assert "No configured key decrypts 1" in reencrypt()
    assert SignIn.objects.get().sealed_tokens == before


def test_resealed_content_keeps_its_age():
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    sealed = Cipher([old], clock=lambda: 1000).seal({"a": 1})
    resealed = Cipher([new, old], clock=lambda: 5000).reseal(sealed)
    assert Cipher([new], clock=lambda: 1010).open(resealed, max_age=10) == {"a": 1}
    assert Cipher([new, old]).reseal(resealed) is None


def test_secret_key_can_change_while_users_are_signed_in(cognito_client, settings):
    old, new = settings.SECRET_KEY, "another-secret-key-that-signs-nothing-of-worth-0123456789-abc"
    active, inactive = cognito_client("ada"), cognito_client("grace")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = new, [old]
    assert is_signed_in(active)
    settings.SECRET_KEY_FALLBACKS = []
    assert is_signed_in(active)
    assert not is_signed_in(inactive)  # so the old key has to stay for the lifetime of a session


def test_servers_with_both_keys_accept_each_others_sessions(cognito_client, settings):
    """Between two restarts, one server signs with the old key and the other with the new one."""
    old, new = settings.SECRET_KEY, "another-secret-key-that-signs-nothing-of-worth-0123456789-abc"
    ada = cognito_client("ada")
    for first, second in [(old, new), (new, old)] * 2:
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = first, [second]
        assert is_signed_in(ada)


def test_concurrent_request_with_the_earlier_signature_ends_no_session(cognito_client, settings):
    """The response to one request of a browser must not invalidate the cookie of another."""
    ada, slower = cognito_client("ada"), Client()
    slower.cookies = ada.cookies.copy()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-secret-key-that-signs-nothing-of-worth-0123456789-abc"
    assert is_signed_in(ada)
    assert is_signed_in(slower)
    settings.SECRET_KEY_FALLBACKS = []
    assert is_signed_in(ada)
    assert is_signed_in(slower)


def test_changed_password_ends_a_session_of_an_earlier_key_too(cognito_client, settings):
    ada = cognito_client("ada")
    user = ada.user
    user.set_password("a password of this site, changed elsewhere")
    user.save()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-secret-key-that-signs-nothing-of-worth-0123456789-abc"
    assert not is_signed_in(ada)


def test_client_secret_changes_and_sign_ins_are_renewed_with_the_new_one(cognito_client, settings):
    ada = cognito_client("ada")
    settings.COGNITO = {**settings.COGNITO, "CLIENT_SECRET": "another-client-secret-0123456789"}
    assert provider().config.client_secret == "another-client-secret-0123456789"
    before = SignIn.objects.get()
    SignIn.objects.update(renew_at=timezone.now() - timedelta(seconds=1))
    assert is_signed_in(ada)
    assert SignIn.objects.get().renew_at > timezone.now()
    assert SignIn.objects.get().sealed_tokens != before.sealed_tokens
