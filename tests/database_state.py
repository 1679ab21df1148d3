"""Return the test database to its first state after a test that commits.

Django deletes all rows of all tables and creates the content types and permissions again. Most of a
test's time would be spent there.
"""

from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase


class FirstState:
    """The rows of a database after its migrations, apart from the names of the migrations."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self._connection = connection
        tables = connection.introspection.django_table_names(only_existing=True)
        self._rows = {name: self._read(name) for name in tables if name != "django_migrations"}

    def restore(self) -> None:
        """Delete what was added, and insert what was changed or deleted.

        The transaction begins with a write. In SQLite, one that begins with a read cannot write
        after another connection has written.
        """
        changed = {
            name: rows
            for name, rows in self._rows.items()
            if self._read(name, limit=len(rows) + 1) != rows
        }
        with transaction.atomic(using=self._connection.alias):
            for name, rows in changed.items():
                self._write(name, rows)

    def _read(self, name: str, *, limit: int | None = None) -> list[tuple[Any, ...]]:
        query = f"SELECT * FROM {self._connection.ops.quote_name(name)} ORDER BY 1"
        with self._connection.cursor() as cursor:
            cursor.execute(query if limit is None else f"{query} LIMIT {limit}")
            return [tuple(row) for row in cursor.fetchall()]

    def _write(self, name: str, rows: list[tuple[Any, ...]]) -> None:
        table = self._connection.ops.quote_name(name)
        with self._connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table}")
            if rows:
                values = ", ".join(["%s"] * len(rows[0]))
                cursor.executemany(f"INSERT INTO {table} VALUES ({values})", rows)


def install() -> None:
    """Use the present state of the test databases as the one after each test that commits.

    This is for PostgreSQL. SQLite is fast with Django's way, and a lock of a server's thread
    that has not ended would make these statements fail.
    """
    vendors = {connections[alias].vendor for alias in connections}
    if vendors != {"postgresql"}:
        return
    states = {alias: FirstState(connections[alias]) for alias in connections}

    def _fixture_teardown(test: TransactionTestCase) -> None:
        for alias in test._databases_names(include_mirrors=False):
            states[alias].restore()

    TransactionTestCase._fixture_teardown = _fixture_teardown
