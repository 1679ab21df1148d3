"""All permissions of a person in one row of one query.

Django reads those of the person and those of the groups one by one (of a superuser the whole list
twice), and at each row another thread of the process may have its turn: of fifty requests that
came at once, the last was answered 30 ms later.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission, PermissionsMixin
from django.db import router
from django.db.models import Aggregate, JSONField, Q, Value
from django.db.models.functions import Concat

from ..core.db import CompiledQuery, Given


def is_as_django_has_them(user: Any) -> bool:
    """Whether permissions are in two relations of the user and in the same database."""
    return isinstance(user, PermissionsMixin) and user._state.db == router.db_for_read(Permission)


def permission_names(user: Any) -> set[str]:
    """`{"stats.add_stat", …}` of such an active user, as ModelBackend finds them."""
    everything, theirs = _queries()
    rows = everything.rows() if user.is_superuser else theirs.rows(user=user.pk)
    return set(rows[0][0] or ())


class _JSONArray(Aggregate):
    function = "JSON_ARRAYAGG"
    output_field = JSONField()

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSON_GROUP_ARRAY", **more)

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSONB_AGG", **more)


@cache
def _queries() -> tuple[CompiledQuery[Permission], CompiledQuery[Permission]]:
    """For all permissions there are, and for those of one person."""
    users = get_user_model()._base_manager
    person = users.filter(pk=Given("user", users.model._meta.pk))
    theirs = Permission.objects.filter(
        Q(pk__in=person.values("user_permissions")) | Q(pk__in=person.values("groups__permissions"))
    )
    return _names(Permission.objects.all()), _names(theirs)


def _names(rows: Any) -> CompiledQuery[Permission]:
    name = Concat("content_type__app_label", Value("."), "codename")
    one_group = rows.order_by().values(all=Value(1))  # of all rows, with no GROUP BY
    return CompiledQuery(one_group.annotate(names=_JSONArray(name)).values_list("names"))
