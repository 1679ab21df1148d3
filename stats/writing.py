"""Every way to change figures: one by one or many at once, with the history and the locks.

A form, the API, the admin, a file: all write through here, so that all leave the same traces.
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
from .models import TAKEN, Stat
from .queries import StatQuerySet

BATCH = 500  # rows

Item = TypeVar("Item")


@dataclass(frozen=True)
class Author:
    """Who writes (None: no person), and through what: "page", "API", "admin", a program's id."""

    user: Any
    through: str


@dataclass(frozen=True)
class Written:
    """How many rows were added, changed, or found as they should be."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0


def describe(stat: Stat) -> str:
    """`revenue 2020-03: 12.5`, as the history has it."""
    return f"{stat}: {plain(stat.value)}"


def lock(pk: Any) -> Stat | None:
    """The figure, held until the transaction ends; None when it is gone."""
    Revision.grow("default")
    return Stat.objects.select_for_update().filter(pk=pk).first()


def add(values: dict[str, Any], author: Author) -> Stat:
    """Store a new figure. `values` are clean. Raises ValidationError: the month is taken."""
    with transaction.atomic():
        Revision.grow("default")
        stat = Stat(**values, created_by=author.user, updated_by=author.user)
        _refuse_second(stat)
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
    """Change a stored figure; `check` sees it locked, before anything changed, and may raise.

    Raises Stat.DoesNotExist; ValidationError: the month is taken.
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
        _refuse_second(stat)
        stat.updated_by = author.user
        stat.save()
        _change(Change.Action.CHANGED, stat.pk, before, describe(stat), author).save()
    return stat


def save(stat: Stat, author: Author) -> Stat:
    """Store an instance that a form has validated and filled in, as the admin's do."""
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


def _refuse_second(stat: Stat) -> None:
    same = Stat.objects.filter(kpi_key=kpi_key(stat.kpi), year=stat.year, month=stat.month)
    if same.exclude(pk=stat.pk).exists():
        raise ValidationError({"month": TAKEN})


def delete(stats: StatQuerySet, author: Author) -> int:
    """Delete these figures and say so in the history; how many there were."""
    deleted = 0
    with transaction.atomic():
        Revision.grow(stats.db)
        for batch in batches(stats.order_by("pk").iterator(chunk_size=BATCH)):
            Change.objects.bulk_create(
                _change(Change.Action.DELETED, stat.pk, describe(stat), "", author)
                for stat in batch
            )
            deleted += len(batch)
        stats.order_by().delete()
    return deleted


def upsert(figures: Iterable[Figure], author: Author) -> Iterator[Written]:
    """Add what is new, change what differs, leave the rest; yields the counts after each batch.

    Must be consumed inside a transaction. `figures` hold no two of the same KPI and month.
    """
    Revision.grow("default")
    total = Written()
    for batch in batches(sorted(figures, key=lambda figure: figure.key)):
        written = _upsert_batch(batch, author)
        total = Written(
            total.created + written.created,
            total.updated + written.updated,
            total.unchanged + written.unchanged,
        )
        yield total


def upsert_all(figures: Iterable[Figure], author: Author) -> Written:
    """`upsert` in one transaction: all of it or nothing."""
    total = Written()
    with transaction.atomic():
        for written in upsert(figures, author):
            total = written
    return total


def _upsert_batch(batch: list[Figure], author: Author) -> Written:
    present = stored_among(batch)
    added, changed, changes, unchanged = [], [], [], 0
    for figure in batch:
        stat = present.get(figure.key)
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
    return Written(len(added), len(changed), unchanged)


def stored_among(batch: list[Figure]) -> dict[tuple[str, int, int], Stat]:
    """Those of a batch that are stored already, by key. The closer the keys lie, the cheaper."""
    keys = {figure.key[0] for figure in batch}
    years = {figure.year for figure in batch}
    wanted = {figure.key for figure in batch}
    stored = Stat.objects.filter(kpi_key__in=keys, year__range=(min(years), max(years)))
    return {
        key: stat
        for stat in stored.order_by().iterator(chunk_size=BATCH)
        if (key := (stat.kpi_key, stat.year, stat.month)) in wanted
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
    """Lists of BATCH items, the last one shorter."""
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch
