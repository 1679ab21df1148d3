"""A preview of the instances that deleting a user affects.

It follows Django's deletion: `on_delete` of a relation decides whether an instance is deleted,
loses its foreign key, or prevents the deletion (PROTECT, RESTRICT).
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

from .sensitive_fields import display_name


@dataclass(frozen=True)
class AffectedInstances:
    """Instances of one model that a deletion treats alike.

    `fields` are their foreign keys to the user.
    """

    model: type[Model]
    fields: tuple[str, ...]
    instances: list[Model]

    def __str__(self) -> str:
        by = f" ({', '.join(self.fields)})" if self.fields else ""
        return f"{self.model._meta.label}{by}: {len(self.instances)}"

    def names(self, limit: int | None = None) -> list[str]:
        """Return the labels of the first instances, and the number of the others.

        The list is empty if the model lists no fields.
        """
        labels = list(filter(None, map(display_name, self.instances[:limit])))
        more = len(self.instances) - len(labels)
        return [*labels, f"and {more} more"] if labels and more else labels


@dataclass(frozen=True)
class Deletion:
    """The effects of deleting a user.

    `deleted` includes the user. `nullified` are instances that lose their foreign key, or get its
    default. `protected` are instances that prevent the deletion.
    """

    deleted: list[AffectedInstances]
    nullified: list[AffectedInstances]
    protected: list[AffectedInstances]


def preview_deletion(user: Any) -> Deletion:
    """Return the effects that `user.delete()` would have now. This changes nothing."""
    collector = _Collector(router.db_for_write(type(user), instance=user))
    collector.collect([user])
    nullified: dict[tuple[type[Model], str], list[Model]] = defaultdict(list)
    for (field, _), batches in collector.field_updates.items():
        for batch in cast(list[Iterable[Model]], batches):
            nullified[field.model, field.name] += batch
    return Deletion(
        deleted=_sorted(
            AffectedInstances(model, (), list(instances))
            for model, instances in collector.data.items()
        ),
        nullified=_sorted(
            AffectedInstances(model, (name,), instances)
            for (model, name), instances in nullified.items()
        ),
        protected=_sorted(
            AffectedInstances(model, _forbidding(model), instances)
            for model, instances in collector.protected.items()
        ),
    )


class _Collector(Collector):
    """A collector that continues after an instance that prevents the deletion.

    It also loads the instances that Django would delete without loading them.
    """

    def __init__(self, using: str) -> None:
        super().__init__(using)
        self.protected: dict[type[Model], list[Model]] = defaultdict(list)

    def collect(self, objs: Any, *args: Any, **kwargs: Any) -> None:
        try:
            super().collect(objs, *args, **kwargs)
        except ProtectedError as error:
            instances: Iterable[Any] = error.protected_objects
        except RestrictedError as error:
            instances = error.restricted_objects
        else:
            return
        for instance in instances:
            if instance not in self.protected[type(instance)]:
                self.protected[type(instance)].append(instance)

    def can_fast_delete(self, objs: Any, from_field: Any = None) -> bool:
        return False


def _forbidding(model: type[Model]) -> tuple[str, ...]:
    return tuple(
        field.name
        for field in model._meta.concrete_fields
        if field.remote_field and field.remote_field.on_delete in (PROTECT, RESTRICT)
    )


def _sorted(groups: Iterable[AffectedInstances]) -> list[AffectedInstances]:
    non_empty = [group for group in groups if group.instances]
    for group in non_empty:
        group.instances.sort(key=lambda instance: instance.pk)
    return sorted(non_empty, key=lambda group: (group.model._meta.label, group.fields))
