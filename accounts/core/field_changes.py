"""Call a function when `save()` changes a field, with the previous values.

`QuerySet.update()` and `bulk_update()` send no signal, so their changes are not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.db.models import Model
from django.db.models.signals import post_save, pre_save


def on_change(
    model: type[Model],
    names: Iterable[str],
    changed: Callable[[Any, dict[str, Any]], None],
) -> None:
    """Call `changed(instance, {name: previous value})` after `save()` changed one of these fields.

    This includes instances of proxies and other subclasses of the model.

    This costs one query per `save()` that may write one of the fields, and none for other saves.
    """
    existing = {field.name for field in model._meta.concrete_fields}
    watched = [name for name in names if name in existing]
    uid = f"{changed.__module__}.{changed.__qualname__}"

    def remember(
        instance: Any, raw: bool, using: str, update_fields: Any = None, **kwargs: Any
    ) -> None:
        written = [name for name in watched if update_fields is None or name in update_fields]
        if raw or not written or instance.pk is None or instance._state.adding:
            return
        stored = model._base_manager.using(using).filter(pk=instance.pk)
        instance.__dict__[uid] = stored.values(*written).first()

    def compare(instance: Any, **kwargs: Any) -> None:
        previous = instance.__dict__.pop(uid, None) or {}
        differences = {
            name: value for name, value in previous.items() if getattr(instance, name) != value
        }
        if differences:
            changed(instance, differences)

    for sender in with_subclasses(model) if watched else ():
        pre_save.connect(remember, sender=sender, weak=False, dispatch_uid=f"{uid}.before")
        post_save.connect(compare, sender=sender, weak=False, dispatch_uid=f"{uid}.after")


def with_subclasses(model: type[Model]) -> Iterator[type[Model]]:
    """Yield the model and its subclasses. Each of them is a sender of signals of its own."""
    yield model
    for subclass in model.__subclasses__():
        yield from with_subclasses(subclass)
