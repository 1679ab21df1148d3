"""Serialize querysets to JSON in the database.

    texts = Book.objects.values_list(JSONText(id="id", title="title", by="author__name"), flat=True)
    body = f"[{','.join(texts)}]"

Serializing in Python is the most expensive part of a list. The expressions here make the output of
SQLite and PostgreSQL equal to that of Django REST framework's serializer fields. They work with any
queryset, and reject a field that the database cannot write exactly.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import AbstractContextManager, closing, nullcontext
from itertools import islice
from typing import Any

from django.core.exceptions import FieldError
from django.db import NotSupportedError, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import BaseExpression, Func
from django.db.models.sql.compiler import SQLCompiler

QuerySet = models.QuerySet[Any, Any]
MAX_DIGITS = 15  # an IEEE double can represent them exactly, and SQLite writes no more
_UNCHANGED = "{0}"
_QUOTED = "to_json({0}::text)"
_UUID_PARTS = ("1, 8", "9, 4", "13, 4", "17, 4", "21")  # SQLite stores 32 digits
# By type of field, the expressions for SQLite's json_object and for PostgreSQL's text. {0} is the
# SQL of the field. The first type that matches is used, and other types are rejected.
_EXPRESSIONS: dict[type[models.Field[Any, Any]], tuple[str, str]] = {
    models.BooleanField: (
        "json(CASE WHEN {0} THEN 'true' WHEN NOT {0} THEN 'false' ELSE 'null' END)",
        _UNCHANGED,
    ),
    models.IntegerField: (_UNCHANGED, _UNCHANGED),
    models.DecimalField: ("CAST({0} AS REAL)", "(trim_scale({0}) + 0.0)"),  # 12.0, like a float
    models.CharField: (_UNCHANGED, _QUOTED),
    models.TextField: (_UNCHANGED, _QUOTED),
    # Truncated to milliseconds. On SQLite, Django stores whole seconds without a point.
    models.DateTimeField: (
        "replace(substr({0} || '.000', 1, 23), ' ', 'T') || 'Z'",
        """to_char({0} AT TIME ZONE 'UTC', '"\\""YYYY-MM-DD"T"HH24:MI:SS.MS"Z\\""')""",
    ),
    models.DateField: (_UNCHANGED, "to_json({0})"),
    models.UUIDField: (
        " || '-' || ".join(f"substr({{0}}, {part})" for part in _UUID_PARTS),
        _QUOTED,
    ),
}


class JSONText(Func):
    """The JSON object of a row as a text. Its members are fields or expressions, in this order.

    Integers and decimals are numbers, times are UTC with milliseconds (`2020-01-31T12:00:00.000Z`),
    dates and UUIDs are strings. The `output_field` of an expression is trusted, so
    `ExpressionWrapper(F("price"), output_field=DecimalField(max_digits=15, decimal_places=2))`
    accepts a wider or custom field if its values have no more digits.

    Raises:
        FieldError: a member would not be exact. This applies to decimals of more than 15 digits,
            floats (SQLite writes 15 digits), fields and functions that convert values in Python,
            and other types of fields. The queryset raises it.
    """

    output_field = models.TextField()

    def __init__(self, **members: Any) -> None:
        self.names = tuple(members)
        super().__init__(*members.values())

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        resolved = super().resolve_expression(*args, **kwargs)
        for name, expression in zip(self.names, resolved.get_source_expressions(), strict=True):
            if problem := _problem(expression):
                raise FieldError(f"JSONText cannot write {name} exactly: {problem}.")
        return resolved

    def as_sql(self, *args: Any, **kwargs: Any) -> Any:
        raise NotSupportedError("JSONText is for SQLite and PostgreSQL.")

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> Any:
        values, params = self._values(compiler, 0)
        pairs = [f"{_literal(name)}, {sql}" for name, sql in zip(self.names, values, strict=True)]
        return f"json_object({', '.join(pairs)})", params

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> Any:
        # Concatenating texts is faster than json_build_object, and jsonb would sort the members.
        values, params = self._values(compiler, 1)
        parts: list[str] = []
        for name, sql in zip(self.names, values, strict=True):
            key = f"{',' if parts else '{'}{json.dumps(name)}:"
            parts.append(f"{_literal(key)} || coalesce({sql}::text, 'null')")
        return f"({' || '.join(parts)} || '}}')", params

    def _values(self, compiler: SQLCompiler, vendor: int) -> tuple[list[str], list[Any]]:
        """Return the SQL of each value, and the parameters of all values."""
        values, params = [], []
        for expression in self.get_source_expressions():
            sql, value_params = compiler.compile(expression)
            template = _templates(expression.output_field)[vendor]
            values.append(template.format(f"({sql})"))
            params += [*value_params] * template.count("{0}")
        return values, params


def _literal(text: str) -> str:
    return "'{}'".format(text.replace("'", "''").replace("%", "%%"))


def _templates(field: Any) -> tuple[str, str]:
    return next(pair for kind, pair in _EXPRESSIONS.items() if isinstance(field, kind))


def _problem(expression: Any) -> str:
    """Return why the database cannot write `expression` exactly, or "" if it can."""
    field = expression.output_field
    if not isinstance(field, tuple(_EXPRESSIONS)):
        return f"{type(field).__name__} is not a type of field that both databases write alike"
    default = BaseExpression.convert_value  # a bare Q has none
    is_converted = getattr(type(expression), "convert_value", default) is not default
    if is_converted or hasattr(field, "from_db_value"):
        converter = expression if is_converted else field
        return f"{type(converter).__name__} converts the value in Python"
    if isinstance(field, models.DecimalField) and (field.max_digits or 99) > MAX_DIGITS:
        return f"it can have more than {MAX_DIGITS} digits"
    return ""


def _sql(queryset: QuerySet) -> tuple[str, tuple[Any, ...]]:
    # With elide_empty, a queryset that matches nothing (`pk__in=[]`) would raise EmptyResultSet.
    sql, params = queryset.query.get_compiler(using=queryset.db, elide_empty=False).as_sql()
    return sql, tuple(params)


def snapshot(queryset: QuerySet, *, batch_size: int) -> Generator[Any]:
    """Yield every row from one snapshot, with `batch_size` rows in memory.

    On PostgreSQL, this opens a transaction. Django's `iterator()` alone would declare a cursor
    WITH HOLD, which computes every row before the first one, and which fails behind a pooler. Use
    it only if nothing else uses the connection: in a streamed response.
    """
    queryset = queryset.using(queryset.db)
    with _transaction(queryset.db):
        yield from queryset.iterator(chunk_size=batch_size)


def _transaction(using: str) -> AbstractContextManager[Any]:
    return transaction.atomic(using) if connections[using].vendor == "postgresql" else nullcontext()


def snapshot_of_texts(
    queryset: QuerySet, text: JSONText, *, batch_size: int, chunk_size: int
) -> Generator[str]:
    """Yield the `text` of every row from one snapshot, in chunks joined with commas.

    It creates no objects for the rows. On PostgreSQL, outside of a transaction, any other query on
    the connection raises a RuntimeError until the generator is exhausted or closed.
    """
    queryset = queryset.using(queryset.db)  # so that a router chooses the database once
    sql, params = _sql(queryset.annotate(_text=text).values_list("_text"))
    read = _stream if _can_stream(connections[queryset.db]) else _fetch
    with closing(read(queryset.db, sql, params, batch_size)) as batches:
        for texts in batches:
            for start in range(0, len(texts), chunk_size):
                yield ",".join(texts[start : start + chunk_size])


def _fetch(using: str, sql: str, params: Any, batch_size: int) -> Generator[list[str]]:
    with _transaction(using), connections[using].chunked_cursor() as cursor:
        cursor.execute(sql, params)
        while records := cursor.fetchmany(batch_size):
            yield [record[0] for record in records]  # DISTINCT adds columns


def _can_stream(connection: BaseDatabaseWrapper) -> bool:
    """Return True if rows can be streamed: on PostgreSQL, but not in a transaction.

    Closing a stream early cancels the query, which would abort the transaction.
    """
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        return False
    from psycopg import capabilities  # not installed on a site with SQLite

    return capabilities.has_stream_chunked()  # libpq 17


def _stream(using: str, sql: str, params: Any, batch_size: int) -> Generator[list[str]]:
    """Yield rows while PostgreSQL computes others. Django does not log this query.

    The limit is none, but PostgreSQL cannot know that when it plans. So it plans for a fast first
    row, as for a cursor, instead of sorting a long list first.
    """
    sql = f"SELECT _text FROM ({sql}) AS each_row LIMIT (SELECT NULL::bigint)"  # noqa: S608
    connection = connections[using]
    with connection.cursor() as cursor, connection.wrap_database_errors:
        records = cursor.cursor.stream(sql, params, size=batch_size)  # psycopg's own method
        with closing(records), connection.execute_wrapper(_refuse):
            while texts := [record[0] for record in islice(records, batch_size)]:
                yield texts


def _refuse(*args: Any) -> None:
    # psycopg would wait for the end of the stream, and the caller that reads the stream would wait
    # for psycopg.
    raise RuntimeError(
        "A list is being streamed on this connection. Read it to the end or close it."
    )
