"""Lists as JSON that the database writes: of a row nothing reaches Python but its text.

    rows = Book.objects.values_list(JSONText(id="id", title="title", by="author__name"), flat=True)
    body = f"[{','.join(rows)}]"

Most of what a list costs is serializing: Python objects of all columns, objects of those, and text
again. SQLite and PostgreSQL can both write JSON; here is what makes their texts say what Django
REST framework's serializer fields say. It works for any queryset; what cannot be written exactly
is refused.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from itertools import islice
from typing import Any, Self

from django.core.exceptions import FieldError
from django.db import NotSupportedError, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import BaseExpression, Func
from django.db.models.sql.compiler import SQLCompiler

MOST_DIGITS = 15  # of a number that an IEEE double carries; SQLite writes no more
_AS_IT_IS = "{0}"
_QUOTED = "to_json({0}::text)"
_UUID_PARTS = ("1, 8", "9, 4", "13, 4", "17, 4", "21")  # of the 32 digits that SQLite keeps
# By kind of field, what SQLite's json_object is given and what stands in PostgreSQL's text, {0}
# being its SQL. The first that fits counts; a kind that is not here is refused.
_WRITTEN: dict[type[models.Field[Any, Any]], tuple[str, str]] = {
    models.BooleanField: (
        "json(CASE WHEN {0} THEN 'true' WHEN NOT {0} THEN 'false' ELSE 'null' END)",
        _AS_IT_IS,
    ),
    models.IntegerField: (_AS_IT_IS, _AS_IT_IS),
    models.DecimalField: ("CAST({0} AS REAL)", "(trim_scale({0}) + 0.0)"),  # 12.0, as floats are
    models.CharField: (_AS_IT_IS, _QUOTED),
    models.TextField: (_AS_IT_IS, _QUOTED),
    # Cut, not rounded, to milliseconds. Django leaves the point out of whole seconds on SQLite.
    models.DateTimeField: (
        "replace(substr({0} || '.000', 1, 23), ' ', 'T') || 'Z'",
        """to_char({0} AT TIME ZONE 'UTC', '"\\""YYYY-MM-DD"T"HH24:MI:SS.MS"Z\\""')""",
    ),
    models.DateField: (_AS_IT_IS, "to_json({0})"),
    models.UUIDField: (
        " || '-' || ".join(f"substr({{0}}, {part})" for part in _UUID_PARTS),
        _QUOTED,
    ),
}


class JSONText(Func):
    """A row's JSON object, as text: the members in this order, of fields or expressions.

    Integers and decimals are numbers, times UTC to the millisecond (`2020-01-31T12:00:00.000Z`),
    dates and UUIDs text. An expression's `output_field` is taken at its word, so that
    `ExpressionWrapper(F("price"), output_field=DecimalField(max_digits=15, decimal_places=2))`
    vouches for a wider or a custom field whose values are no longer than that.

    Raises FieldError, when it is given to a queryset, for what would not be exact: decimals of more
    than 15 digits, floats (SQLite writes 15 digits), fields and functions that change values in
    Python, other kinds of fields.
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
        values, params = self._written(compiler, 0)
        pairs = [f"{_literal(name)}, {sql}" for name, sql in zip(self.names, values, strict=True)]
        return f"json_object({', '.join(pairs)})", params

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> Any:
        # Joining texts takes three fifths of json_build_object's time (100,000 rows: 200 against
        # 330 ms), and jsonb would sort the members.
        values, params = self._written(compiler, 1)
        parts: list[str] = []
        for name, sql in zip(self.names, values, strict=True):
            key = f"{',' if parts else '{'}{json.dumps(name)}:"
            parts.append(f"{_literal(key)} || coalesce({sql}::text, 'null')")
        return f"({' || '.join(parts)} || '}}')", params

    def _written(self, compiler: SQLCompiler, vendor: int) -> tuple[list[str], list[Any]]:
        """The SQL of each value, and the parameters of all."""
        values, params = [], []
        for expression in self.get_source_expressions():
            sql, its_params = compiler.compile(expression)
            written = _kind(expression.output_field)[vendor]
            values.append(written.format(f"({sql})"))
            params += [*its_params] * written.count("{0}")
        return values, params


def _literal(text: str) -> str:
    return "'{}'".format(text.replace("'", "''").replace("%", "%%"))


def _kind(field: Any) -> tuple[str, str]:
    return next(written for kind, written in _WRITTEN.items() if isinstance(field, kind))


def _problem(expression: Any) -> str:
    """Why the database's word for it would differ from Django's; empty when it does not."""
    field = expression.output_field
    if not isinstance(field, tuple(_WRITTEN)):
        return f"{type(field).__name__} is no kind of field that both databases write alike"
    usual = BaseExpression.convert_value  # a bare Q has none
    changed = getattr(type(expression), "convert_value", usual) is not usual
    if changed or hasattr(field, "from_db_value"):
        of = expression if changed else field
        return f"{type(of).__name__} changes in Python what the database holds"
    if isinstance(field, models.DecimalField) and (field.max_digits or 99) > MOST_DIGITS:
        return f"it may have more than {MOST_DIGITS} digits"
    return ""


@dataclass(frozen=True)
class Joined:
    """The texts of some rows with commas between them, how many, and what was read beside them."""

    texts: str
    rows: int
    beside: Any


@dataclass(frozen=True)
class Statement:
    """Rows as one text that the database joins, asked again and again, the SQL made once.

    Making the SQL costs more than a hundred rows, and fetching them one by one as much as writing
    them: SQLite also lets the interpreter's lock go at each row, for which threads then queue.
    """

    using: str
    sql: str
    params: tuple[Any, ...] | None

    @classmethod
    def of(
        cls, rows: models.QuerySet[Any, Any], text: JSONText, *, beside: models.QuerySet[Any, Any]
    ) -> Self:
        """`text` of each of `rows`, in their order, and the one column of the first row of
        `beside`, both as they are at one moment."""
        rows = rows.using(rows.db)
        inner, params = _sql(rows.annotate(_text=text).values_list("_text"))
        single, its_params = _sql(beside.using(rows.db)[:1])
        joined = {"sqlite": "group_concat", "postgresql": "string_agg"}[_vendor(rows)]
        sql = f"SELECT {joined}(_text, ','), count(*), ({single}) FROM ({inner}) AS each_row"  # noqa: S608
        if params := (*its_params, *params):
            return cls(rows.db, sql, params)
        return cls(rows.db, sql % (), None)  # else Django looks for places of parameters each time

    def joined(self) -> Joined:
        with connections[self.using].cursor() as cursor:
            cursor.execute(self.sql, self.params)
            texts, rows, beside = cursor.fetchone()
        return Joined(texts or "", rows, beside)


def _sql(rows: models.QuerySet[Any, Any]) -> tuple[str, tuple[Any, ...]]:
    # Not elided: what can match nothing (`pk__in=[]`) is asked like everything else.
    sql, params = rows.query.get_compiler(using=rows.db, elide_empty=False).as_sql()
    return sql, tuple(params)


def _vendor(rows: models.QuerySet[Any, Any]) -> str:
    return connections[rows.db].vendor


def snapshot(rows: models.QuerySet[Any, Any], *, at_once: int) -> Generator[Any]:
    """Every row, `at_once` in memory, all as they were when the first was read.

    On PostgreSQL a transaction is open meanwhile: a cursor that outlives it, as Django's
    `iterator()` alone declares it, is filled with every row before it gives the first, and breaks
    behind a pooler. So begin when nothing else will use the connection: in a streamed answer.
    """
    rows = rows.using(rows.db)
    with _meanwhile(rows.db):
        yield from rows.iterator(chunk_size=at_once)


def _meanwhile(using: str) -> AbstractContextManager[Any]:
    in_postgresql = connections[using].vendor == "postgresql"
    return transaction.atomic(using=using) if in_postgresql else nullcontext()


def snapshot_of_texts(
    rows: models.QuerySet[Any, Any], text: JSONText, *, at_once: int, in_a_piece: int
) -> Generator[str]:
    """`text` of every row as `snapshot` has them, so many in a piece with commas between them.

    Past the objects that a queryset makes of each row: a tenth of a long list's time. Outside a
    transaction PostgreSQL is asked nothing else on the connection until all are read or this is
    closed; what tries gets a RuntimeError.
    """
    rows = rows.using(rows.db)  # one choice of a router, not one for each step
    sql, params = _sql(rows.annotate(_text=text).values_list("_text"))
    read = _streamed if _can_stream(connections[rows.db]) else _fetched
    with closing(read(rows.db, sql, params, at_once)) as batches:
        for texts in batches:
            for start in range(0, len(texts), in_a_piece):
                yield ",".join(texts[start : start + in_a_piece])


def _fetched(using: str, sql: str, params: Any, at_once: int) -> Generator[list[str]]:
    with _meanwhile(using), connections[using].chunked_cursor() as cursor:
        cursor.execute(sql, params)
        while rows := cursor.fetchmany(at_once):
            yield [row[0] for row in rows]  # DISTINCT reads more columns


def _can_stream(connection: BaseDatabaseWrapper) -> bool:
    """Not in a transaction: to leave half-way is to cancel, which would abort it."""
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        return False
    from psycopg import capabilities  # a site on SQLite may do without

    return capabilities.has_stream_chunked()  # libpq 17


def _streamed(using: str, sql: str, params: Any, at_once: int) -> Generator[list[str]]:
    """PostgreSQL goes on writing rows while others are being sent: one statement, of which Django's
    instruments see nothing.

    A limit that it cannot know (there is none) makes it plan for the first rows, as it does for a
    cursor: else it would sort a long list before it gives any.
    """
    sql = f"SELECT _text FROM ({sql}) AS each_row LIMIT (SELECT NULL::bigint)"  # noqa: S608
    connection = connections[using]
    with connection.cursor() as cursor, connection.wrap_database_errors:
        rows = cursor.cursor.stream(sql, params, size=at_once)  # psycopg's own
        with closing(rows), connection.execute_wrapper(_refuse):
            while texts := [row[0] for row in islice(rows, at_once)]:
                yield texts


def _refuse(*question: Any) -> None:
    # psycopg would wait for the end of the stream, which waits for whoever asks: for ever.
    raise RuntimeError(
        "A list is being streamed on this connection; read it to its end or close it."
    )
