"""Changes of rights, recorded whoever makes them: pool, admin, another page of the site, command.

Seen are a person's groups, permissions and the flags of staff and superuser, and the permissions of
a group. One change is one event; `one_event` joins those that belong together. What sends no signal
is not seen: `QuerySet.update()`, raw SQL, and rights that somebody is created with.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import FieldDoesNotExist
from django.db import DatabaseError
from django.db.models import ManyToManyField, Model, QuerySet
from django.db.models.signals import m2m_changed, pre_delete

from ..core import field_changes
from ..core.request_context import acting_user, change_origin
from ..models import EventKind
from ..provider.group_mapping import FLAGS
from . import events

_FLAGS = {flag.user_field: flag.right for flag in FLAGS}


@dataclass
class Changes:
    """What one person, or one group, was given and lost."""

    subject: Any
    key: Any
    added: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)


_joined: ContextVar[dict[tuple[type[Model], Any], Changes] | None] = ContextVar(
    "joined", default=None
)


def watch() -> None:
    """Connect to groups and the user model, the host's own if it has one."""
    for link in _links():
        m2m_changed.connect(_link_changed, sender=_through(link))
    pre_delete.connect(_group_deleted, sender=Group, dispatch_uid=f"{__name__}.deletion")
    field_changes.watch(get_user_model(), _FLAGS, _flags_changed)


@contextmanager
def one_event(**told: Any) -> Iterator[dict[Any, Changes]]:
    """Make one event for each person or group of all changes within; `told` goes into it.

    What was undone within, by hand or by a transaction that failed, is not told.
    """
    changes: dict[Any, Changes] = {}
    token = _joined.set(changes)
    try:
        yield changes
    finally:
        _joined.reset(token)
        for each in changes.values():
            with suppress(DatabaseError):  # a transaction that failed: all within it is undone
                held = held_rights(type(each.subject)._default_manager.filter(pk=each.key).first())
                _record(each.subject, each.added & held, each.removed - held, told)


def held_rights(subject: Any) -> set[str]:
    """What the person or the group was given, in words that the record keeps."""
    held = {
        _word(link, row)
        for link in _links()
        if subject is not None and isinstance(subject, link.model)
        for row in _rows(link, **{link.m2m_field_name(): subject})
    }
    return held | {word for name, word in _FLAGS.items() if getattr(subject, name, False)}


def _links() -> list[ManyToManyField[Any, Any]]:
    """The fields that lead from people to groups, and from both to permissions."""
    found = []
    for model, name in (
        (get_user_model(), "groups"),
        (get_user_model(), "user_permissions"),
        (Group, "permissions"),
    ):
        with suppress(FieldDoesNotExist):  # a host's own user model need not have it
            found.append(model._meta.get_field(name))
    return [link for link in found if isinstance(link, ManyToManyField)]


def _through(link: ManyToManyField[Any, Any]) -> Any:
    return link.remote_field.through


def _rows(link: ManyToManyField[Any, Any], **which: Any) -> QuerySet[Any]:
    names = (link.m2m_field_name(), link.m2m_reverse_field_name())
    return _through(link)._default_manager.filter(**which).select_related(*names)  # type: ignore[no-any-return]


def _word(link: ManyToManyField[Any, Any], row: Any) -> str:
    right = getattr(row, link.m2m_reverse_field_name())
    return f"permission {right.codename}" if isinstance(right, Permission) else f"group {right}"


def _link_changed(
    sender: Any, instance: Any, action: str, reverse: bool, pk_set: Any, using: str, **kwargs: Any
) -> None:
    if action not in ("post_add", "pre_remove", "pre_clear"):
        return
    [link] = [each for each in _links() if _through(each) is sender]
    own, other = link.m2m_field_name(), link.m2m_reverse_field_name()
    if reverse:
        own, other = other, own
    which = {own: instance} if pk_set is None else {own: instance, f"{other}__in": pk_set}
    _note(link, _rows(link, **which).using(using), added=action == "post_add")


def _group_deleted(instance: Group, using: str, **kwargs: Any) -> None:
    for link in _links():
        for name in (link.m2m_field_name(), link.m2m_reverse_field_name()):
            if _through(link)._meta.get_field(name).related_model is Group:
                _note(link, _rows(link, **{name: instance}).using(using), added=False)


def _note(link: ManyToManyField[Any, Any], rows: QuerySet[Any], *, added: bool) -> None:
    words: dict[Any, set[str]] = {}
    for row in rows:
        words.setdefault(getattr(row, link.m2m_field_name()), set()).add(_word(link, row))
    for subject, these in words.items():
        _changed(subject, added=these if added else set(), removed=set() if added else these)


def _flags_changed(person: Any, before: dict[str, Any]) -> None:
    words = {_FLAGS[name] for name in before}
    lost = {_FLAGS[name] for name, had in before.items() if had}
    _changed(person, added=words - lost, removed=lost)


def _changed(subject: Any, *, added: set[str], removed: set[str]) -> None:
    joined = _joined.get()
    if joined is None:
        _record(subject, added, removed, {})
        return
    changes = joined.setdefault((type(subject), subject.pk), Changes(subject, subject.pk))
    # What happened to a right first tells whether it was held before.
    changes.added |= added - changes.removed
    changes.removed |= removed - changes.added


def _record(subject: Any, added: set[str], removed: set[str], told: dict[str, Any]) -> None:
    if not added and not removed:
        return
    who = {"group": subject.name} if isinstance(subject, Group) else {"user": subject}
    events.record(
        EventKind.RIGHTS_CHANGED,
        **who,
        **({"reason": change_origin(), "by": acting_user()} | told),
        added=", ".join(sorted(added)),
        removed=", ".join(sorted(removed)),
    )
