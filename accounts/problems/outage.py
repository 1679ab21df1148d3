"""Detect that the database is unavailable, and how to say so."""

from __future__ import annotations

import logging
from typing import TypeVar

from django.db import InterfaceError, OperationalError

from ..core import metrics

Answer = TypeVar("Answer")


RETRY_AFTER = "5"  # seconds
CODE = "database_unavailable"
SENTENCE = "This site's database isn't answering. Try again in a moment."
_log = logging.getLogger(__name__)


def is_outage(error: BaseException | None) -> bool:
    """Whether the database could not be reached, or broke off. A missing table is no outage."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    return not str(error).startswith("no such")  # SQLite's word for a mistake of ours


def noticed(answer: Answer, error: Exception) -> Answer:
    """Count and log an outage that something else answers; returns that answer."""
    metrics.count("database_failures")
    _log.error("The database doesn't answer: %s", str(error).partition("\n")[0])
    return answer
