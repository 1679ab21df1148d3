"""Django's PostgreSQL backend, which replaces all pooled connections if one is broken.

After a restart of the database, every idle connection of the pool is broken. psycopg's own check
replaces one connection at a time and doubles its delay after each, so a few broken connections
exceed the timeout of a request.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """A wrapper that checks a pooled connection before use, in place of CONN_HEALTH_CHECKS."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Return a working connection. If the pooled one is broken, replace all of the pool.

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
