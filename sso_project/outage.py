"""The database does not answer: 503 and "try again", on pages and in the API, and one line of log
for each request instead of a traceback.

Nothing has to be restarted afterwards: broken connections are found out at the next request
(CONN_HEALTH_CHECKS) and opened anew.
"""

from __future__ import annotations

from typing import TypeVar

Answer = TypeVar("Answer")
