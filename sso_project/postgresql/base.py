"""Django's PostgreSQL backend, with a test of pooled connections that replaces all broken ones.

After a restart of the database, every idle connection of the pool is broken. psycopg's own test
finds that out one connection at a time and doubles its pause after each, so that four broken
connections use up a request's timeout.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Tests a pooled connection before use. It replaces CONN_HEALTH_CHECKS, which must be False."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Return a working connection; if the one at hand is broken, open new ones.

        Raises:
            OperationalError: there is no connection within the pool's timeout.
        """
        connection = super().get_new_connection(conn_params)
        if self.pool is None:
            return connection
        try:
            self.pool.check_connection(connection)
        except self.Database.Error:
            self.pool.putconn(connection)
            self.pool.drain()
            connection = super().get_new_connection(conn_params)
        return connection
