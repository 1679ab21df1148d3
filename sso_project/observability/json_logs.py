"""Log lines as JSON objects, one a line.

Only the members named here are written. What libraries attach to a record besides (a request with
its query, for one) stays out.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from .log_masking import masked
from .request_log import REQUEST_ID

# ASCII only: some readers of logs take U+2028, U+2029 or U+0085 for the end of a line, and what is
# not valid Unicode (a lone surrogate) could not be written.
_ENCODER = json.JSONEncoder(default=str)


class JSONFormatter(logging.Formatter):
    """time, level, logger, message; request_id, the `fields` given as `extra`, and exception."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": at.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := REQUEST_ID.get():
            line["request_id"] = request_id
        for name, value in getattr(record, "fields", {}).items():
            line[name] = masked(value) if isinstance(value, str) else value
        if record.exc_info and not record.exc_text:
            record.exc_text = masked(self.formatException(record.exc_info))
        if record.exc_text:
            line["exception"] = record.exc_text
        return _ENCODER.encode(line)
