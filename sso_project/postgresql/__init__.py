"""A PostgreSQL backend whose connection pool recovers at the first request after an outage."""

from typing import Any

from psycopg_pool import ConnectionPool

# Longer than one failed attempt to connect (`connect_timeout` in settings.py).
MAX_WAIT_SECONDS = 5


def pool_options(max_size: int) -> dict[str, Any]:
    """Return `OPTIONS["pool"]` for at most `max_size` connections.

    While the database is unavailable, the pool tries to connect about once a second. Without
    `reconnect_failed`, it would stop after `reconnect_timeout`, and waiting requests would fail.
    """
    return {
        "min_size": 1,
        "max_size": max_size,
        "timeout": MAX_WAIT_SECONDS,
        "reconnect_timeout": 1,
        "reconnect_failed": ConnectionPool.check,
    }
