"""A PostgreSQL backend whose connection pool recovers with its first request (`base.py`)."""

from typing import Any

from psycopg_pool import ConnectionPool

# Longer than one failed attempt to connect (`connect_timeout` in settings.py).
MAX_WAIT_SECONDS = 5


def pool_options(max_size: int) -> dict[str, Any]:
    """Return `OPTIONS["pool"]` for at most `max_size` connections.

    While the database is unavailable, the pool tries to connect about once a second. It would stop
    after `reconnect_timeout` and leave waiting requests without an attempt, but for `check`.
    """
    return {
        "min_size": 1,
        "max_size": max_size,
        "timeout": MAX_WAIT_SECONDS,
        "reconnect_timeout": 1,
        "reconnect_failed": ConnectionPool.check,
    }
