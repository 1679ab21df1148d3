"""Connections and transactions of the databases."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections, models, router, transaction

_log = logging.getLogger(__name__)


def release_pooled_connections() -> None:
    """Return this thread's connections to psycopg's pool, before it waits for something else.

    The next query takes a connection again. A connection without a pool stays open, and so does one
    that is in a transaction.
    """
    for connection in connections.all(initialized_only=True):
        has_pool = connection.settings_dict.get("OPTIONS", {}).get("pool")
        if has_pool and not connection.in_atomic_block:
            connection.close()


def atomic(model: type[models.Model]) -> transaction.Atomic:
    """Return a transaction, or a savepoint, on the database that stores `model`."""
    return transaction.atomic(using=router.db_for_write(model))


def savepoint(model: type[models.Model]) -> AbstractContextManager[None]:
    """Return a savepoint in a transaction, or nothing: a single statement needs no transaction."""
    in_transaction = connections[router.db_for_write(model)].in_atomic_block
    return atomic(model) if in_transaction else nullcontext()


@contextmanager
def lasting(model: type[models.Model]) -> Iterator[None]:
    """Return `atomic(model)` for changes that code of the host project must not undo or interrupt.

    An error in a callback of its `transaction.on_commit` is logged: the changes are stored then.
    """
    is_complete = False
    try:
        with atomic(model):
            yield
            is_complete = True
    except Exception as error:
        if not is_complete or isinstance(error, DatabaseError):
            raise
        _log.exception("A callback of transaction.on_commit failed.")


def is_atomic_view(view: Callable[..., Any], model: type[models.Model]) -> bool:
    """Return True if Django runs this view in a transaction (ATOMIC_REQUESTS) for `model`."""
    alias = router.db_for_write(model)
    exempt = getattr(view, "_non_atomic_requests", ())
    return bool(connections[alias].settings_dict["ATOMIC_REQUESTS"]) and alias not in exempt


def without_transactions(urlpatterns: list[Any]) -> list[Any]:
    """Exempt the views of `urlpatterns` from ATOMIC_REQUESTS.

    They call Cognito, and what they store must stay although they refuse the request.
    """
    for pattern in urlpatterns:
        pattern.callback._non_atomic_requests = frozenset(settings.DATABASES)
    return urlpatterns
