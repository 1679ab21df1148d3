"""Detect and count outages of the database."""

from __future__ import annotations

from django.db import InterfaceError, OperationalError

from ..core import metrics


def is_outage(error: BaseException | None) -> bool:
    """Whether the database could not be reached, or broke off. A missing table is no outage."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    return not str(error).startswith("no such")  # SQLite's word for a mistake of ours


def count_outage() -> None:
    """Count a request that failed because the database is unavailable."""
    metrics.count("database_failures")
