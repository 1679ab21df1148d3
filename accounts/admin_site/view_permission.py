"""Checks whether a staff user has the permission to view a model in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_permission_codename
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest


def can_view(request: HttpRequest, model: type[Model]) -> bool:
    """Return True if staff can open the list of `model`, by its view or change permission."""
    opts = model._meta
    names = (get_permission_codename(action, opts) for action in ("view", "change"))
    return any(request.user.has_perm(f"{opts.app_label}.{name}") for name in names)


def can_look_up(request: HttpRequest, model: type[Model], path: str) -> bool:
    """Return True if `path`, such as `identities__email`, uses only models that staff can view.

    The columns of `model` itself are always allowed, because the list is open. A foreign key is
    one of them.
    """
    target = _target(model, path.lstrip("^=@").split(LOOKUP_SEP))
    return target is model or can_view(request, target)


def _target(model: type[Model], parts: list[str]) -> type[Model]:
    """Return the model to which the last column of a path belongs."""
    field = _field(model, parts[0])
    related = getattr(field, "related_model", None)
    if not isinstance(related, type):
        return model
    rest = parts[1:]
    if field.concrete and not field.many_to_many:
        column = _field(related, rest[0]) if rest else None
        if column is None or getattr(column, "primary_key", False):
            return model  # the column of the foreign key itself
    return _target(related, rest) if rest else related


def _field(model: type[Model], name: str) -> Any:
    """Return the field of this name, or None if the name is that of a lookup."""
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
