"""Detect and count outages of the database."""

from __future__ import annotations

from django.db import InterfaceError, OperationalError

from ..core import metrics


def is_outage(error: BaseException | None) -> bool:
    """Return True if the database was unreachable or interrupted the connection."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    return not str(error).startswith("no such")  # SQLite: a missing table or column


def count_outage() -> None:
    """Count a request that failed because the database is unavailable."""
    metrics.count("database_failures")
