"""All permissions of a user in one row of one query.

Django runs two queries and reads their rows one by one, and each row may switch to another thread.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission, PermissionsMixin
from django.db import router
from django.db.models import Aggregate, JSONField, Q, Value
from django.db.models.functions import Concat

from ..core.db import CompiledQuery, QueryParameter


def uses_default_permissions(user: Any) -> bool:
    """Return True if the user has Django's two permission relations, in the same database."""
    return isinstance(user, PermissionsMixin) and user._state.db == router.db_for_read(Permission)


def load_permissions(user: Any) -> set[str]:
    """Return the permissions of an active user as ModelBackend does: `{"stats.add_stat", …}`."""
    of_all, of_user = _queries()
    result = of_all.rows() if user.is_superuser else of_user.rows(user=user.pk)
    return set(result[0][0] or ())


class _JSONArray(Aggregate):
    function = "JSON_ARRAYAGG"
    output_field = JSONField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra_context: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSON_GROUP_ARRAY", **extra_context)

    def as_postgresql(self, compiler: Any, connection: Any, **extra_context: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSONB_AGG", **extra_context)


@cache
def _queries() -> tuple[CompiledQuery[Permission], CompiledQuery[Permission]]:
    """Return the query for all existing permissions, and the query for those of one user."""
    users = get_user_model()._base_manager
    user = users.filter(pk=QueryParameter("user", users.model._meta.pk))
    of_user = Permission.objects.filter(
        Q(pk__in=user.values("user_permissions")) | Q(pk__in=user.values("groups__permissions"))
    )
    return _names(Permission.objects.all()), _names(of_user)


def _names(result: Any) -> CompiledQuery[Permission]:
    name = Concat("content_type__app_label", Value("."), "codename")
    one_group = result.order_by().values(all=Value(1))  # one group of all rows
    return CompiledQuery(one_group.annotate(names=_JSONArray(name)).values_list("names"))
