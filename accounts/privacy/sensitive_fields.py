"""The fields that no admin page shows, and the fields that an export of personal data includes.

Our own models name their sensitive fields here. Of a model of the host project, an export includes
only the fields that the model lists:

    class Order(models.Model):
        privacy_export_fields = ("number", "placed_at")
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.db.models import Model
from django.utils.encoding import is_protected_type

from ..models import (
    Identity,
    PendingRevocation,
    RateCounter,
    RefreshResult,
    Revocation,
    SignIn,
    SignInEvent,
    User,
)

# Secrets, and columns that only coordinate processes.
_OURS: dict[type[Model], frozenset[str]] = {
    User: frozenset({"password"}),
    Identity: frozenset(),
    SignIn: frozenset({"key", "sealed_tokens", "version"}),
    SignInEvent: frozenset(),
    Revocation: frozenset(),  # the IDs of tokens are not secret
    PendingRevocation: frozenset({"sealed_token"}),
    RefreshResult: frozenset({"key", "owner", "sealed_result"}),
    RateCounter: frozenset({"key"}),
}
_OF_USERS = {field.name for field in AbstractUser._meta.get_fields()} - {"password"}


def sensitive_fields(model: type[Model]) -> frozenset[str]:
    """Return the names of the sensitive fields of one of our models, else an empty set."""
    return _OURS.get(model, frozenset())


def exported_fields(model: type[Model]) -> list[Any]:
    """Return the fields that an export includes. If there are none, it only counts the rows.

    Of a host project's user model, these are the fields that Django's has, and those it lists.
    Raises FieldDoesNotExist if the model lists a name that is not a field.
    """
    fields = [*model._meta.concrete_fields, *model._meta.many_to_many]
    if _is_ours(model):
        return [field for field in fields if field.name not in sensitive_fields(model)]
    listed = getattr(model, "privacy_export_fields", ())
    names = {model._meta.get_field(name).name for name in listed}
    if _is_user(model):
        names |= {model._meta.pk.name, *_OF_USERS}
    return [field for field in fields if field.name in names]


def exported_values(instance: Model) -> dict[str, Any]:
    """Return the fields that an export includes, as values that Django's JSON encoder accepts."""
    return {field.name: _value(field, instance) for field in exported_fields(type(instance))}


def display_name(instance: Model) -> str:
    """Return the label of an instance for an operator, or "" if its model lists no fields.

    `__str__` of a host project's model may return any field, so the listed fields are the label.
    """
    if _is_ours(type(instance)) or _is_user(type(instance)):
        return str(instance)
    return ", ".join(map(str, exported_values(instance).values()))


def _is_ours(model: type[Model]) -> bool:
    return model in _OURS or model._meta.label == "admin.LogEntry"


def _is_user(model: type[Model]) -> bool:
    return issubclass(model, get_user_model())


def _value(field: Any, instance: Model) -> Any:
    value = field.value_from_object(instance)
    if field.many_to_many:
        return list(map(str, value))
    return value if is_protected_type(value) else field.value_to_string(instance)
