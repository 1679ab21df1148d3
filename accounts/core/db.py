"""Queries that run on each request of a signed-in user, compiled to SQL once per connection.

Django spends most of the time of such a query on building the SQL. Use an ordinary query wherever
it runs less often.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, NamedTuple, TypeVar

from django.conf import settings
from django.db import DatabaseError, connections, models, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Expression
from django.db.models.sql.compiler import SQLCompiler

Row = TypeVar("Row", bound=models.Model)

_log = logging.getLogger(__name__)


class QueryParameter(Expression):
    """A placeholder in a compiled query for a value that is passed on each call."""

    def __init__(self, name: str, field: models.Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> Any:
        return "%s", [self]


class CompiledQuery(Generic[Row]):
    """A queryset with `QueryParameter` values.

        isbn = QueryParameter("isbn", Book._meta.get_field("isbn"))
        lent = CompiledQuery(Book.objects.exclude(lent_at=None).filter(isbn=isbn))
        books = lent.instances(isbn="9780441172717")

    Each call runs the query again, on the database that the router names. It supports filters that
    return whole instances, or a `values_list()`. It does not support `only()`, `using()`, or
    `annotate()` on instances. A parameter that is None matches nothing.
    """

    def __init__(self, rows: models.QuerySet[Row, Any]) -> None:
        self._query, self._model = rows.query, rows.model
        self._names = [field.attname for field in rows.model._meta.concrete_fields]

    def instances(self, **parameters: Any) -> list[Row]:
        """Return the model instances for these parameters."""
        using, rows = self._results(parameters)
        return [self._model.from_db(using, self._names, row) for row in rows]

    def rows(self, **parameters: Any) -> list[list[Any]]:
        """Return the rows of a queryset that was made with `values_list()`."""
        return list(self._results(parameters)[1])

    def _results(self, parameters: dict[str, Any]) -> tuple[str, Iterator[Any]]:
        connection = connections[router.db_for_read(self._model)]
        compiled = self._compile(connection)
        params = [
            param.output_field.get_db_prep_value(parameters[param.name], connection)
            if isinstance(param, QueryParameter)
            else param
            for param in compiled.params
        ]
        with connection.cursor() as cursor:
            cursor.execute(compiled.sql, params)
            rows = cursor.fetchall()
        return connection.alias, compiled.compiler.apply_converters(rows, compiled.converters)

    def _compile(self, connection: BaseDatabaseWrapper) -> _Compiled:
        # Stored on the connection, which belongs to one thread, because a compiler has state.
        cache: dict[Any, _Compiled] = vars(connection).setdefault("_sso_compiled", {})
        if self not in cache:
            compiler = self._query.clone().get_compiler(connection=connection)
            sql, params = compiler.as_sql()
            columns = [column for column, *_ in compiler.select or ()]
            cache[self] = _Compiled(sql, params, compiler, compiler.get_converters(columns))
        return cache[self]


class _Compiled(NamedTuple):
    sql: str
    params: tuple[Any, ...]
    compiler: SQLCompiler
    converters: dict[int, Any]


def release_pooled_connections() -> None:
    """Return this thread's connections to psycopg's pool, before it waits for something else.

    The next query takes a connection again. A connection without a pool stays open, and so does one
    that is in a transaction.
    """
    for connection in connections.all(initialized_only=True):
        has_pool = connection.settings_dict.get("OPTIONS", {}).get("pool")
        if has_pool and not connection.in_atomic_block:
            connection.close()


def atomic(model: type[models.Model]) -> transaction.Atomic:
    """Return a transaction, or a savepoint, on the database that stores `model`."""
    return transaction.atomic(using=router.db_for_write(model))


@contextmanager
def lasting(model: type[models.Model]) -> Iterator[None]:
    """Return `atomic(model)` for changes that code of the host project must not undo or interrupt.

    An error in a callback of its `transaction.on_commit` is logged: the changes are stored then.
    """
    is_complete = False
    try:
        with atomic(model):
            yield
            is_complete = True
    except Exception as error:
        if not is_complete or isinstance(error, DatabaseError):
            raise
        _log.exception("A callback of transaction.on_commit failed.")


def is_atomic_view(view: Callable[..., Any], model: type[models.Model]) -> bool:
    """Return True if Django runs this view in a transaction (ATOMIC_REQUESTS) for `model`."""
    alias = router.db_for_write(model)
    exempt = getattr(view, "_non_atomic_requests", ())
    return bool(connections[alias].settings_dict["ATOMIC_REQUESTS"]) and alias not in exempt


def without_transactions(urlpatterns: list[Any]) -> list[Any]:
    """Exempt the views of `urlpatterns` from ATOMIC_REQUESTS.

    They call Cognito, and what they store must stay although they refuse the request.
    """
    for pattern in urlpatterns:
        pattern.callback._non_atomic_requests = frozenset(settings.DATABASES)
    return urlpatterns
