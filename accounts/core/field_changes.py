"""Which fields `save()` changed, told with what they were before.

`QuerySet.update()` and `bulk_update()` send no signal, so nothing is told of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import Model
from django.db.models.signals import post_save, pre_save


def watch(
    model: type[Model],
    names: Iterable[str],
    changed: Callable[[Any, dict[str, Any]], None],
) -> None:
    """From now on call `changed(instance, {name: value before})` after a row's fields of these
    names were changed. Costs one query for each save that may write them, and none for others."""
    has = {field.name for field in model._meta.concrete_fields}
    watched = [name for name in names if name in has]
    uid = f"{changed.__module__}.{changed.__qualname__}"

    def remember(
        instance: Any, raw: bool, using: str, update_fields: Any = None, **kwargs: Any
    ) -> None:
        concerned = [name for name in watched if update_fields is None or name in update_fields]
        if raw or not concerned or instance.pk is None or instance._state.adding:
            return
        stored = model._default_manager.using(using).filter(pk=instance.pk)
        instance.__dict__[uid] = stored.values(*concerned).first()

    def compare(instance: Any, **kwargs: Any) -> None:
        before = instance.__dict__.pop(uid, None) or {}
        differing = {name: was for name, was in before.items() if getattr(instance, name) != was}
        if differing:
            changed(instance, differing)

    if watched:
        pre_save.connect(remember, sender=model, weak=False, dispatch_uid=f"{uid}.before")
        post_save.connect(compare, sender=model, weak=False, dispatch_uid=f"{uid}.after")
