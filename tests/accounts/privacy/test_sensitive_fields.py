"""Our models name their sensitive fields; a host's models list what an export includes."""

import pytest
from django.apps import apps
from django.apps.registry import Apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from accounts.models import SignIn, User
from accounts.privacy.sensitive_fields import (
    _OURS,
    display_name,
    exported_fields,
    exported_values,
    sensitive_fields,
)
from tests.host.models import ApiToken, Device, Profile, Team


def names(model):
    return {field.name for field in exported_fields(model)}


def test_each_of_our_own_models_is_named():
    assert set(_OURS) == set(apps.get_app_config("accounts").get_models())


def test_named_columns_exist():
    for model, columns in _OURS.items():
        assert columns <= {field.name for field in model._meta.concrete_fields}


def test_our_models_are_exported_without_their_sensitive_fields():
    assert sensitive_fields(SignIn) >= {"key", "sealed_tokens"}
    assert not sensitive_fields(SignIn) & names(SignIn)
    assert {"subject", "device", "ip_address"} <= names(SignIn)


def test_hosts_model_is_exported_as_it_lists():
    assert names(Profile) == {"motto"}
    assert names(ApiToken) == {"user", "label"}
    assert names(Device) == names(Team) == set()


def test_hosts_user_model_adds_to_what_every_user_model_has(monkeypatch):
    class Member(models.Model):  # noqa: DJ008
        number = models.AutoField(primary_key=True)
        email = models.EmailField()
        password = models.TextField()
        pin = models.TextField()
        city = models.TextField()

        privacy_export_fields = ("city",)

        class Meta:
            app_label = "host"
            apps = Apps()

    monkeypatch.setattr("accounts.privacy.sensitive_fields.get_user_model", lambda: Member)
    assert names(Member) == {"number", "email", "city"}


def test_listed_name_that_is_no_field_is_an_error(monkeypatch):
    monkeypatch.setattr(Profile, "privacy_export_fields", ("mottto",))
    with pytest.raises(FieldDoesNotExist, match="mottto"):
        exported_fields(Profile)


def test_file_is_exported_by_its_name():
    class Picture(models.Model):  # noqa: DJ008
        file = models.FileField()

        privacy_export_fields = ("file",)

        class Meta:
            app_label = "host"
            apps = Apps()

    assert exported_values(Picture(file="grace.png")) == {"file": "grace.png"}


def test_label_contains_only_fields_that_the_model_lists():
    assert display_name(ApiToken(key="0123-key", user_id=7, label="laptop")) == "7, laptop"
    assert display_name(Device(pk=3, key_ring="blue", unlock="4711")) == ""
    assert display_name(User(pk=7, email="grace@example.com")) == "grace@example.com"
