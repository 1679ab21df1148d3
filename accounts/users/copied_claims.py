"""The copies of an ID token's claims in the fields of the user model.

The user model may be the host project's own, so its fields decide what is copied and how long a
value can be. A value that cannot be stored is never an error: the field stays as it was.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models

from ..cognito.claims import AccessClaims, IdClaims
from ..core.db import atomic
from ..problems.outage import is_outage

MAX_EMAIL_LENGTH = 254  # characters (RFC 5321 section 4.5.3.1.3); Cognito allows 2,048
_NAME_FIELDS = ("first_name", "last_name")

_log = logging.getLogger(__name__)


def text_field(model: Any, name: str) -> models.Field[Any, Any] | None:
    """Return the text column of this name, or None if the user model has none."""
    field = concrete_field(model, name)
    return field if isinstance(field, models.CharField | models.TextField) else None


def concrete_field(model: Any, name: str) -> models.Field[Any, Any] | None:
    """Return the column of this name, or None. A property of this name is not a column."""
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    is_column = isinstance(field, models.Field) and field.concrete and not field.many_to_many
    return field if is_column else None


def email_field_name(model: Any) -> str:
    """Return the name of the field with the email address (`EMAIL_FIELD`), or ""."""
    name = model.get_email_field_name() if hasattr(model, "get_email_field_name") else "email"
    return name if text_field(model, name) is not None else ""


def copied_fields(model: Any) -> tuple[str, ...]:
    """Return the names of the fields that hold copies of claims."""
    names = (*_NAME_FIELDS, email_field_name(model))
    return tuple(name for name in names if text_field(model, name) is not None)


def email_of(user: Any) -> str:
    """Return the email address of a user, or "" if there is none. A machine has none."""
    name = email_field_name(user) if hasattr(user, "_meta") else ""
    return (getattr(user, name) or "") if name else ""


def profile_values(model: Any, claims: AccessClaims | IdClaims) -> dict[str, str]:
    """Return the values for fields of `model` by name, as far as the token has them.

    Names are cut to the length of their field. A longer email address is left out: cut, it would be
    another one, perhaps of another user. Access tokens have neither.
    """
    if not isinstance(claims, IdClaims):
        return {}
    values = {}
    email = claims.email or ""
    field = text_field(model, email_field_name(model))
    if field is not None and email and len(email) <= (field.max_length or MAX_EMAIL_LENGTH):
        values[field.name] = email
    first_name, last_name = claims.given_name or "", claims.family_name or ""
    if not (first_name or last_name):
        first_name = claims.name or ""
    if not (first_name or last_name):
        return values
    for name, value in zip(_NAME_FIELDS, (first_name, last_name), strict=True):
        field = text_field(model, name)
        if field is not None and (value or field.blank):
            values[name] = value[: field.max_length]
    return values


def save_profile(user: Any, claims: IdClaims) -> None:
    """Store the claims that differ from the user's fields, each on its own if necessary."""
    model = user._meta.model
    changes = {
        name: value
        for name, value in profile_values(model, claims).items()
        if getattr(user, name) != value and not model._meta.get_field(name).primary_key
    }
    if not changes or _save(user, changes) is None:
        return
    for name, value in changes.items():
        if error := _save(user, {name: value}):
            _log_unsaved(model._meta.label, name, user.pk, describe(error))


def _save(user: Any, changes: dict[str, str]) -> Exception | None:
    """Store these fields. Return the error if the model or the database refuses one of them."""
    previous = {name: getattr(user, name) for name in changes}
    try:
        with atomic(user._meta.model):
            for name, value in changes.items():
                setattr(user, name, value)
            user.save(update_fields=list(changes))
    except Exception as error:  # any code of the host project may run when a user is saved
        if is_outage(error):
            raise
        for name, value in previous.items():
            setattr(user, name, value)
        return error
    return None


@lru_cache(maxsize=1000)  # one line per field and user, with bounded memory
def _log_unsaved(model: str, field: str, key: Any, why: str) -> None:
    _log.warning(
        "%s %s: the value of the user pool for %r could not be stored, so the field stays as it "
        "was: %s",
        model, key, field, why,
    )  # fmt: skip


def describe(error: Exception) -> str:
    """Return the words of a database, or of a validation, on one line and without values."""
    # The other lines of PostgreSQL's messages hold the values.
    message = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
