"""Change figures, one or many at once, with locks and with entries in the history.

Forms, the API, the admin and file imports all use these functions.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction

from .cleaning import Figure
from .fields import kpi_key, plain
from .history import Change, Revision
from .models import DUPLICATE_MESSAGE, Stat
from .queries import StatQuerySet

BATCH_SIZE = 500

Item = TypeVar("Item")


@dataclass(frozen=True)
class Author:
    """The author of a change, for the history.

    `user` is None for machines and commands. `through` is the way: "page", "API", "admin", or the
    name of the machine or command.
    """

    user: Any
    through: str


@dataclass(frozen=True)
class WriteResult:
    """The numbers of figures that were added, changed, and already up to date."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0


def describe(stat: Stat) -> str:
    """Return the text of a figure in the history, such as `revenue 2020-03: 12.5`."""
    return f"{stat}: {plain(stat.value)}"


def lock(pk: Any) -> Stat | None:
    """Return the figure, locked until the transaction ends, or None if it does not exist."""
    Revision.grow("default")
    return Stat.objects.select_for_update().filter(pk=pk).first()


def add(values: dict[str, Any], author: Author) -> Stat:
    """Store a new figure. `values` must be clean.

    Raises:
        ValidationError: the KPI already has a figure for this month.
    """
    with transaction.atomic():
        Revision.grow("default")
        stat = Stat(**values, created_by=author.user, updated_by=author.user)
        _require_unique(stat)
        stat.save()
        _change(Change.Action.ADDED, stat.pk, "", describe(stat), author).save()
    return stat


def change(
    pk: Any,
    values: dict[str, Any],
    author: Author,
    *,
    check: Callable[[Stat], None] = lambda stat: None,
) -> Stat:
    """Change a stored figure. `check` gets the locked figure before the change, and can raise.

    Raises:
        Stat.DoesNotExist: there is no such figure.
        ValidationError: the KPI already has a figure for this month.
    """
    with transaction.atomic():
        stat = lock(pk)
        if stat is None:
            raise Stat.DoesNotExist
        check(stat)
        before = describe(stat)
        for name, value in values.items():
            setattr(stat, name, value)
        if describe(stat) == before:
            return stat
        _require_unique(stat)
        stat.updated_by = author.user
        stat.save()
        _change(Change.Action.CHANGED, stat.pk, before, describe(stat), author).save()
    return stat


def save(stat: Stat, author: Author) -> Stat:
    """Store an instance that a form, such as the admin's, has validated and changed."""
    with transaction.atomic():
        stored = None if stat._state.adding else lock(stat.pk)
        before = describe(stored) if stored is not None else ""
        if stored is None:
            stat.created_by = author.user
        stat.updated_by = author.user
        stat.save()
        if before != describe(stat):
            action = Change.Action.CHANGED if before else Change.Action.ADDED
            _change(action, stat.pk, before, describe(stat), author).save()
    return stat


def _require_unique(stat: Stat) -> None:
    same = Stat.objects.filter(kpi_key=kpi_key(stat.kpi), year=stat.year, month=stat.month)
    if same.exclude(pk=stat.pk).exists():
        raise ValidationError({"month": DUPLICATE_MESSAGE})


def delete(stats: StatQuerySet, author: Author) -> int:
    """Delete `stats`, write the history, and return the number of deleted figures."""
    deleted = 0
    with transaction.atomic():
        Revision.grow(stats.db)
        for batch in batches(stats.order_by("pk").iterator(chunk_size=BATCH_SIZE)):
            Change.objects.bulk_create(
                _change(Change.Action.DELETED, stat.pk, describe(stat), "", author)
                for stat in batch
            )
            deleted += len(batch)
        stats.order_by().delete()
    return deleted


def upsert(figures: Iterable[Figure], author: Author) -> Iterator[WriteResult]:
    """Add new figures and change those that differ. Yield the total result after each batch.

    Consume it inside a transaction. No two of `figures` may have the same KPI and month.
    """
    Revision.grow("default")
    total = WriteResult()
    for batch in batches(sorted(figures, key=lambda figure: figure.key)):
        result = _upsert_batch(batch, author)
        total = WriteResult(
            total.created + result.created,
            total.updated + result.updated,
            total.unchanged + result.unchanged,
        )
        yield total


def upsert_all(figures: Iterable[Figure], author: Author) -> WriteResult:
    """Call `upsert` in one transaction, and return the total result."""
    total = WriteResult()
    with transaction.atomic():
        for result in upsert(figures, author):
            total = result
    return total


def _upsert_batch(batch: list[Figure], author: Author) -> WriteResult:
    stored = load_stored(batch)
    added, changed, changes, unchanged = [], [], [], 0
    for figure in batch:
        stat = stored.get(figure.key)
        if stat is None:
            values = {"kpi": figure.kpi, "year": figure.year, "month": figure.month}
            added.append(
                Stat(**values, value=figure.value, created_by=author.user, updated_by=author.user)
            )
        elif (stat.kpi, stat.value) == (figure.kpi, figure.value):
            unchanged += 1
        else:
            before = describe(stat)
            stat.kpi, stat.value, stat.updated_by = figure.kpi, figure.value, author.user
            changed.append(stat)
            after = describe(stat)
            changes.append(_change(Change.Action.CHANGED, stat.pk, before, after, author))
    Stat.objects.bulk_create(added)
    if changed:
        Stat.objects.bulk_update(changed, ["kpi", "value", "updated_by"], batch_size=100)
    Change.objects.bulk_create(
        changes
        + [_change(Change.Action.ADDED, stat.pk, "", describe(stat), author) for stat in added]
    )
    return WriteResult(len(added), len(changed), unchanged)


def load_stored(batch: list[Figure]) -> dict[tuple[str, int, int], Stat]:
    """Return the stored figures of a batch by key.

    It loads all years in between too, so a batch should be sorted.
    """
    kpi_keys = {figure.key[0] for figure in batch}
    years = {figure.year for figure in batch}
    keys = {figure.key for figure in batch}
    stats = Stat.objects.filter(kpi_key__in=kpi_keys, year__range=(min(years), max(years)))
    return {
        key: stat
        for stat in stats.order_by().iterator(chunk_size=BATCH_SIZE)
        if (key := (stat.kpi_key, stat.year, stat.month)) in keys
    }


def _change(
    action: Change.Action, figure_id: int, before: str, after: str, author: Author
) -> Change:
    return Change(
        action=action,
        figure_id=figure_id,
        before=before,
        after=after,
        by=author.user,
        through=author.through[:128],
    )


def batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield lists of BATCH_SIZE items. The last list can be shorter."""
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH_SIZE)):
        yield batch
