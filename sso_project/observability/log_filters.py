"""Filters that keep log records short."""

from __future__ import annotations

import logging

from accounts.problems.outage import is_outage


class KnownRefusals(logging.Filter):
    """For Django's own lines about answers of 5xx.

    A 503 without an exception is one of ours, such as Cognito being away: whoever answered it has
    logged why, with its reference.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        return record.exc_info is not None or getattr(record, "status_code", 0) != 503


class OneLine(logging.Filter):
    """For what any stranger can cause as often as they like: no traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = record.exc_text = None
        return True


class ShortenOutages(logging.Filter):
    """For handlers: the traceback of an outage says nothing that its first line doesn't."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and is_outage(error):
            first_line = str(error).partition("\n")[0]
            record.msg = f"{record.getMessage()}: the database doesn't answer: {first_line}"
            record.args, record.exc_info, record.exc_text = (), None, None
        return True
