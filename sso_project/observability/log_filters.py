"""Filters that keep log records short."""

from __future__ import annotations

import logging


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
