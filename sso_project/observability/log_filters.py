"""Filters that keep log records short."""

from __future__ import annotations

import logging

from accounts.problems.outage import is_outage


class SkipHandled503(logging.Filter):
    """A filter for Django's log of 5xx responses that drops each 503 without an exception.

    Our own code returned that response, for example because Cognito is unavailable, and logged the
    cause with the reference of the attempt.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        return record.exc_info is not None or getattr(record, "status_code", 0) != 503


class DropTraceback(logging.Filter):
    """A filter that removes the traceback of errors that any client can cause at will."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = record.exc_text = None
        return True


class ShortenOutages(logging.Filter):
    """A filter for handlers that reduces the traceback of a database outage to one line."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and is_outage(error):
            first_line = str(error).partition("\n")[0]
            record.msg = f"{record.getMessage()}: the database does not respond: {first_line}"
            record.args, record.exc_info, record.exc_text = (), None, None
        return True
