"""One test for many cases that each start with the same database."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction


@contextmanager
def rolled_back() -> Iterator[None]:
    """Undo what the block changes in the database."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
