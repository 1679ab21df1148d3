"""Queries that each request of a signed-in person asks, compiled to SQL once.

Of the time in which Django reads one row, six sevenths go into making the SQL (SQLite, 350 µs
against 50). An ordinary query is right wherever something is asked less often.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import connections, models, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Expression
from django.db.models.sql.compiler import SQLCompiler

Row = TypeVar("Row", bound=models.Model)


class Given(Expression):
    """Stands in a compiled query for a value of `field` that is given each time it is asked."""

    def __init__(self, name: str, field: models.Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> Any:
        return "%s", [self]


class CompiledQuery(Generic[Row]):
    """A queryset with `Given` values.

        isbn = Given("isbn", Book._meta.get_field("isbn"))
        lent = CompiledQuery(Book.objects.exclude(lent_at=None).filter(isbn=isbn))
        books = lent.instances(isbn="9780441172717")

    It gives what the queryset would, each time anew, from the database that a router names. For a
    filter of whole rows, or of a `values_list()`: no `only()`, `annotate()` on instances or
    `using()`; None equals nothing.
    """

    def __init__(self, rows: models.QuerySet[Row, Any]) -> None:
        self._query, self._model = rows.query, rows.model
        self._names = [field.attname for field in rows.model._meta.concrete_fields]

    def instances(self, **given: Any) -> list[Row]:
        using, rows = self._answer(given)
        return [self._model.from_db(using, self._names, row) for row in rows]

    def rows(self, **given: Any) -> list[list[Any]]:
        """The values of a queryset that was made with `values_list()`."""
        return list(self._answer(given)[1])

    def _answer(self, given: dict[str, Any]) -> tuple[str, Iterator[Any]]:
        connection = connections[router.db_for_read(self._model)]
        compiled = self._compiled(connection)
        params = [
            each.output_field.get_db_prep_value(given[each.name], connection)
            if isinstance(each, Given)
            else each
            for each in compiled.params
        ]
        with connection.cursor() as cursor:
            cursor.execute(compiled.sql, params)
            rows = cursor.fetchall()
        return connection.alias, compiled.compiler.apply_converters(rows, compiled.converters)

    def _compiled(self, connection: BaseDatabaseWrapper) -> _Compiled:
        # Kept on the connection, which is one thread's own: it converts what it reads.
        kept: dict[Any, _Compiled] = vars(connection).setdefault("_sso_compiled", {})
        if self not in kept:
            compiler = self._query.clone().get_compiler(connection=connection)
            sql, params = compiler.as_sql()
            columns = [column for column, *_ in compiler.select or ()]
            kept[self] = _Compiled(sql, params, compiler, compiler.get_converters(columns))
        return kept[self]


class _Compiled(NamedTuple):
    sql: str
    params: tuple[Any, ...]
    compiler: SQLCompiler
    converters: dict[int, Any]


def give_back() -> None:
    """Before a wait: where threads share a few connections (psycopg's pool), let others have ours.

    The next query takes one again. A connection that is the thread's own stays; so does one in the
    middle of a transaction, which nothing here has while Cognito is asked.
    """
    for connection in connections.all(initialized_only=True):
        shared = connection.settings_dict.get("OPTIONS", {}).get("pool")
        if shared and not connection.in_atomic_block:
            connection.close()
