"""What deleting an account does to the rows that point at it, found out before anything is done.

As Django's own deletion goes: `on_delete` of each relation says whether a row goes along, stays
without its author, or forbids it (PROTECT, RESTRICT).
https://docs.djangoproject.com/en/5.2/ref/models/fields/#django.db.models.ForeignKey.on_delete
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from django.db import router
from django.db.models import PROTECT, RESTRICT, Model, ProtectedError, RestrictedError
from django.db.models.deletion import Collector

from .sensitive_fields import shown_name


@dataclass(frozen=True)
class Rows:
    """Rows of one model, alike in what happens to them; `fields`: by which they point."""

    model: type[Model]
    fields: tuple[str, ...]
    rows: list[Model]

    def __str__(self) -> str:
        by = f" ({', '.join(self.fields)})" if self.fields else ""
        return f"{self.model._meta.label}{by}: {len(self.rows)}"

    def names(self, most: int | None = None) -> list[str]:
        """What the first of them are called, and how many more there are."""
        named = [shown_name(row) for row in self.rows[:most]]
        more = len(self.rows) - len(named)
        return [*named, f"and {more} more"] if more else named


@dataclass(frozen=True)
class Deletion:
    """`going`: deleted with the account, which is among them. `staying`: with an empty author (or
    the relation's default). `blocking`: while there are any, the account cannot be deleted."""

    going: list[Rows]
    staying: list[Rows]
    blocking: list[Rows]


def deletion_of(user: Any) -> Deletion:
    """What `user.delete()` would do now. Reads, and changes nothing."""
    collector = _Collector(router.db_for_write(type(user), instance=user))
    collector.collect([user])
    staying: dict[tuple[type[Model], str], list[Model]] = defaultdict(list)
    for (field, _), batches in collector.field_updates.items():
        for batch in cast(list[Iterable[Model]], batches):
            staying[field.model, field.name] += batch
    return Deletion(
        going=_sorted(Rows(model, (), list(rows)) for model, rows in collector.data.items()),
        staying=_sorted(Rows(model, (name,), rows) for (model, name), rows in staying.items()),
        blocking=_sorted(
            Rows(model, _forbidding(model), rows) for model, rows in collector.blocking.items()
        ),
    )


class _Collector(Collector):
    """Goes on where Django's stops at the first row that forbids the deletion, and loads what
    Django would delete unseen."""

    def __init__(self, using: str) -> None:
        super().__init__(using)
        self.blocking: dict[type[Model], list[Model]] = defaultdict(list)

    def collect(self, objs: Any, *args: Any, **kwargs: Any) -> None:
        try:
            super().collect(objs, *args, **kwargs)
        except ProtectedError as error:
            found: Iterable[Any] = error.protected_objects
        except RestrictedError as error:
            found = error.restricted_objects
        else:
            return
        for row in found:
            if row not in self.blocking[type(row)]:
                self.blocking[type(row)].append(row)

    def can_fast_delete(self, objs: Any, from_field: Any = None) -> bool:
        return False


def _forbidding(model: type[Model]) -> tuple[str, ...]:
    return tuple(
        field.name
        for field in model._meta.concrete_fields
        if field.remote_field and field.remote_field.on_delete in (PROTECT, RESTRICT)
    )


def _sorted(found: Iterable[Rows]) -> list[Rows]:
    filled = [each for each in found if each.rows]
    for each in filled:
        each.rows.sort(key=lambda row: row.pk)
    return sorted(filled, key=lambda each: (each.model._meta.label, each.fields))
