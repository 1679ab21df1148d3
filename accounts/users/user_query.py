"""The user of a session, read with a query that is compiled once."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Manager, QuerySet

from ..core.db import CompiledQuery, QueryParameter


def load_user(pk: Any) -> Any:
    """Return the user with this primary key, or None."""
    users: Any = get_user_model()._default_manager
    if (
        type(users).get_queryset is not Manager.get_queryset
        or users._queryset_class is not QuerySet
    ):
        return users.filter(pk=pk).first()  # a host project's manager may depend on the request
    return next(iter(_query().instances(pk=pk)), None)


@cache
def _query() -> CompiledQuery[Any]:
    model = get_user_model()
    return CompiledQuery(model._default_manager.filter(pk=QueryParameter("pk", model._meta.pk)))
