"""Columns that hold secrets are known by what their model says, their name or their kind."""

import pytest
from django.apps import apps

from accounts.models import User
from accounts.privacy.sensitive_fields import _OURS, shown_name, sounds_secret, withheld_columns
from tests.host.models import ApiCall, ApiToken, Device, Invoice, Profile


def test_each_of_our_own_models_is_named():
    assert set(_OURS) == set(apps.get_app_config("accounts").get_models())


def test_named_columns_exist():
    for model, columns in _OURS.items():
        assert columns <= {field.name for field in model._meta.concrete_fields}


@pytest.mark.parametrize(
    "name",
    [
        *("password", "api_token", "accessToken", "client_secret", "secret2", "apikey", "api_key"),
        *("key", "key_hash", "recovery-keys", "pin", "otp", "totp", "passphrase", "credentials"),
    ],
)
def test_name_of_a_secret_is_known(name):
    assert sounds_secret(name)


@pytest.mark.parametrize("name", ["monkey", "opinion", "hashtag", "keyword", "email", "id", "pint"])
def test_other_name_is_left(name):
    assert not sounds_secret(name)


def test_columns_of_a_site():
    assert withheld_columns(Profile) == {"phone"}  # encrypted
    assert withheld_columns(ApiToken) == {"key"}
    assert withheld_columns(ApiCall) == {"used"}  # holds the token's key
    assert withheld_columns(Device) == {"unlock"}  # says so itself
    assert withheld_columns(User) == {"password"}


def test_row_is_called_by_nothing_secret():
    assert shown_name(Invoice(pk=3, number="R-17")) == "R-17"
    assert shown_name(ApiToken(key="0123-key")) == "(not shown)"
    assert shown_name(Profile(pk=7)) == "7"
    assert shown_name(User(pk=7, email="grace@example.com")) == "grace@example.com"
