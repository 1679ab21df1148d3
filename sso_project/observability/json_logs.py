"""Log records as JSON objects, one per line.

Only the members named here are written. Other attributes of a record are left out, because
libraries attach objects that may hold secrets, such as a request with its query string.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from accounts.core.masking import mask

from .request_log import REQUEST_ID

# ASCII only: some log readers treat U+2028, U+2029 or U+0085 as the end of a line, and a lone
# surrogate cannot be encoded as UTF-8.
_ENCODER = json.JSONEncoder(default=str)


class JSONFormatter(logging.Formatter):
    """A formatter for `time`, `level`, `logger`, `message`, `request_id` and `exception`.

    The members of `extra={"fields": {…}}` are added to these.
    """

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": time.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := REQUEST_ID.get():
            line["request_id"] = request_id
        for name, value in getattr(record, "fields", {}).items():
            line[name] = mask(value) if isinstance(value, str) else value
        if record.exc_info and not record.exc_text:
            record.exc_text = mask(self.formatException(record.exc_info))
        if record.exc_text:
            line["exception"] = record.exc_text
        return _ENCODER.encode(line)
