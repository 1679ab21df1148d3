"""Which models a member of staff can look at in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_permission_codename
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest


def can_view(request: HttpRequest, model: type[Model]) -> bool:
    """Return True if the admin would show `model`'s own list: to view or to change is enough."""
    opts = model._meta
    names = (get_permission_codename(action, opts) for action in ("view", "change"))
    return any(request.user.has_perm(f"{opts.app_label}.{name}") for name in names)


def can_look_up(request: HttpRequest, model: type[Model], path: str) -> bool:
    """Return True if `path`, like `identities__email`, uses only models that staff can view.

    The columns of `model` itself, whose list is open, are always allowed. A foreign key is one.
    """
    target = _target(model, path.lstrip("^=@").split(LOOKUP_SEP))
    return target is model or can_view(request, target)


def _target(model: type[Model], parts: list[str]) -> type[Model]:
    """Return the model that has the last column of a path."""
    field = _field(model, parts[0])
    related = getattr(field, "related_model", None)
    if not isinstance(related, type):
        return model
    rest = parts[1:]
    if field.concrete and not field.many_to_many:
        column = _field(related, rest[0]) if rest else None
        if column is None or getattr(column, "primary_key", False):
            return model  # the foreign key's own column
    return _target(related, rest) if rest else related


def _field(model: type[Model], name: str) -> Any:
    """Return the field of this name, or None: the name is that of a lookup."""
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
