"""A thread that waits for Cognito holds no connection to the database that others need."""

from django.db import connections


def give_back() -> None:
    """Before a wait: where threads share a few connections (psycopg's pool), let others have ours.

    The next query takes one again. A connection that is the thread's own stays; so does one in the
    middle of a transaction, which nothing here has while Cognito is asked.
    """
    for connection in connections.all(initialized_only=True):
        shared = connection.settings_dict.get("OPTIONS", {}).get("pool")
        if shared and not connection.in_atomic_block:
            connection.close()
