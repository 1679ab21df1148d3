"""How a new user is stored: whole with the first INSERT, whatever the user model requires.

Constraints, validators, receivers of signals and parallel requests never see a user without the
values that are known. If the model refuses a value of the user pool, such as an email address that
another user has, the user is created without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models

from ..models.users import NO_MAIL
from .copied_claims import MAX_EMAIL_LENGTH, email_field_name, text_field


def required_values(model: Any, username: str, *, needs_email: bool = False) -> dict[str, Any]:
    """Return values for the fields that every user needs, before anything else is known.

    `username` becomes the value of USERNAME_FIELD, and of a field `username` next to it. An email
    address that must be unique, or must not be empty, is `<username>@users.invalid` for now. With
    `needs_email`, it is that in any case.
    """
    values: dict[str, Any] = {}
    if _accepts(model._meta.get_field(model.USERNAME_FIELD), username):
        values[model.USERNAME_FIELD] = username
    if text_field(model, "username") is not None:
        values["username"] = username
    email = email_field_name(model)
    if not email:
        return values
    field, domain = model._meta.get_field(email), f"@{NO_MAIL}"
    is_login = email == model.USERNAME_FIELD
    if is_login and "@" in username:  # a get_username() of the host project
        return values
    is_required = needs_email or is_login or not field.blank
    if is_required or (is_unique(model, email) and not field.null):
        room = (field.max_length or MAX_EMAIL_LENGTH) - len(domain)
        values[email] = username[-max(room, 1) :] + domain
    return values


def _accepts(field: Any, username: str) -> bool:
    """Return False if the field has a default, as a UUID has, and the name is not such a value."""
    has_own_value = field.has_default() or field.has_db_default()
    if not has_own_value and not isinstance(field, models.AutoField):
        return True
    try:
        field.to_python(username)
    except ValidationError:
        return False
    return True


def is_unique(model: Any, name: str) -> bool:
    """Return True if a constraint of the model includes this field, such as unique=True."""
    names: set[str] = set()
    for options in (model._meta, *(parent._meta for parent in model._meta.get_parent_list())):
        names.update(*options.unique_together)
        for constraint in options.constraints:
            if isinstance(constraint, models.UniqueConstraint):
                names.update(constraint.fields)
                expressions: Any = constraint.expressions
                for expression in expressions:
                    names |= {getattr(part, "name", "") for part in expression.flatten()}
    return bool(model._meta.get_field(name).unique) or name in names


def call_create_user(model: Any, values: Mapping[str, Any]) -> Any:
    """Create a user with `create_user` of the model's manager.

    Raises TypeError if it does not accept all the values by name.
    """
    return model._default_manager.create_user(**values)


def insert_user(model: Any, values: Mapping[str, Any]) -> Any:
    """Create a user without a password, and without the manager of the model."""
    user = model(**values)
    if hasattr(user, "set_unusable_password"):
        user.set_unusable_password()
    user.save()
    return user


# A host project's `create_user` may require a password, or refuse some of the values.
INSERTS: tuple[Callable[[Any, Mapping[str, Any]], Any], ...] = (call_create_user, insert_user)


def missing_fields(model: Any, values: Mapping[str, Any]) -> list[str]:
    """Return the fields that must have a value and have none."""
    return [
        field.name
        for field in model._meta.concrete_fields
        if not (field.null or field.has_default() or field.has_db_default() or field.auto_created)
        and not isinstance(field, models.AutoField | models.GeneratedField)
        and not (field.empty_strings_allowed and not is_unique(model, field.name))
        and field.name not in values
        and field.name != "password"
        and not getattr(field, "auto_now", False)
        and not getattr(field, "auto_now_add", False)
    ]


def max_username_length(model: Any) -> int | None:
    """Return the length of USERNAME_FIELD, or None if it has no limit."""
    try:
        return getattr(model._meta.get_field(model.USERNAME_FIELD), "max_length", None)
    except FieldDoesNotExist:
        return None
