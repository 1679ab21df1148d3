"""The base of commands that use the database: an outage is a sentence, not a traceback."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from ..problems.outage import is_outage


class DatabaseCommand(BaseCommand):
    """A command that ends with one sentence and exit status 1 if the database is not ready.

    `--traceback` shows the driver's error as well.
    """

    def execute(self, *args: Any, **options: Any) -> Any:
        try:
            return super().execute(*args, **options)
        except Error as error:
            if (problem := database_problem(error)) is None:
                raise
            raise CommandError(problem) from error


def database_problem(error: BaseException) -> str | None:
    """Return what is wrong with the database and what to do, or None for an error of the code."""
    reason = str(error).strip().partition("\n")[0].rstrip(".")
    if _is_schema_missing(error):
        return (
            f"The database is not migrated ({reason}). Run `manage.py migrate`, and repeat this"
            " command."
        )
    if is_outage(error):
        return (
            f"The database does not respond ({reason}). Check that it runs, and that the"
            " configured host, port and name are its own."
        )
    return None


def _is_schema_missing(error: BaseException) -> bool:
    """Return True for a missing table or column, in the words of SQLite or by SQLSTATE.

    PostgreSQL: https://www.postgresql.org/docs/current/errcodes-appendix.html. MySQL has numbers.
    """
    if str(error).startswith("no such "):
        return True
    cause = error.__cause__
    if getattr(cause, "sqlstate", None) in ("42P01", "42703"):
        return True
    return bool(cause and cause.args and cause.args[0] in (1146, 1054))
