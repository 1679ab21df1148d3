"""The audit events for changes of rights by the pool, the admin, another page, or a command.

They cover a user's groups, permissions, staff and superuser status, and a group's permissions. One
change is one event; `single_event` combines several. Changes without a signal are not seen:
`QuerySet.update()`, raw SQL, and rights that a user is created with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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

from ..cognito.group_mapping import FLAGS
from ..core import field_changes
from ..core.request_context import acting_user, change_origin
from ..models import EventKind
from . import events

_FLAGS = {flag.user_field: flag.right for flag in FLAGS}


@dataclass
class Changes:
    """The rights that one user, or one group, gained and lost."""

    subject: Any
    key: Any
    added: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)


_joined: ContextVar[dict[tuple[type[Model], Any], Changes] | None] = ContextVar(
    "joined", default=None
)


def connect_signals() -> None:
    """Connect to the signals of groups and of the user model."""
    for link in _links():
        m2m_changed.connect(_link_changed, sender=_through(link))
    pre_delete.connect(_group_deleted, sender=Group, dispatch_uid=f"{__name__}.deletion")
    field_changes.on_change(get_user_model(), _FLAGS, record_flags)


@contextmanager
def single_event(**details: Any) -> Iterator[dict[Any, Changes]]:
    """Combine all rights changes inside the block into one event per user or group.

    Changes that the block itself reverts are left out. `details` go into the event.
    """
    changes: dict[Any, Changes] = {}
    token = _joined.set(changes)
    try:
        yield changes
    finally:
        _joined.reset(token)
        for change in changes.values():
            with suppress(DatabaseError):  # the transaction failed, so nothing has changed
                manager = type(change.subject)._base_manager
                current = current_rights(manager.filter(pk=change.key).first())
                _record(change.subject, change.added & current, change.removed - current, details)


def current_rights(subject: Any) -> set[str]:
    """Return the rights of a user or a group, in the words of the audit log."""
    granted = {
        _word(link, relation)
        for link in _links()
        if subject is not None and isinstance(subject, link.model)
        for relation in _relations(link, **{link.m2m_field_name(): subject})
    }
    return granted | {word for name, word in _FLAGS.items() if getattr(subject, name, False)}


def _links() -> list[ManyToManyField[Any, Any]]:
    """Return the fields from users to groups, and from both to permissions."""
    fields = []
    for model, name in (
        (get_user_model(), "groups"),
        (get_user_model(), "user_permissions"),
        (Group, "permissions"),
    ):
        with suppress(FieldDoesNotExist):  # a host project's user model may lack this field
            fields.append(model._meta.get_field(name))
    return [link for link in fields if isinstance(link, ManyToManyField)]


def _through(link: ManyToManyField[Any, Any]) -> Any:
    return link.remote_field.through


def _relations(link: ManyToManyField[Any, Any], **lookups: Any) -> QuerySet[Any]:
    names = (link.m2m_field_name(), link.m2m_reverse_field_name())
    return _through(link)._default_manager.filter(**lookups).select_related(*names)  # type: ignore[no-any-return]


def _word(link: ManyToManyField[Any, Any], relation: Any) -> str:
    right = getattr(relation, link.m2m_reverse_field_name())
    return f"permission {right.codename}" if isinstance(right, Permission) else f"group {right}"


def _link_changed(
    sender: Any, instance: Any, action: str, reverse: bool, pk_set: Any, using: str, **kwargs: Any
) -> None:
    if action not in ("post_add", "pre_remove", "pre_clear"):
        return
    [link] = [link for link in _links() if _through(link) is sender]
    own, other = link.m2m_field_name(), link.m2m_reverse_field_name()
    if reverse:
        own, other = other, own
    lookups = {own: instance} if pk_set is None else {own: instance, f"{other}__in": pk_set}
    _add_changes(link, _relations(link, **lookups).using(using), added=action == "post_add")


def _group_deleted(instance: Group, using: str, **kwargs: Any) -> None:
    for link in _links():
        for name in (link.m2m_field_name(), link.m2m_reverse_field_name()):
            if _through(link)._meta.get_field(name).related_model is Group:
                _add_changes(link, _relations(link, **{name: instance}).using(using), added=False)


def _add_changes(link: ManyToManyField[Any, Any], relations: QuerySet[Any], *, added: bool) -> None:
    words: dict[Any, set[str]] = {}
    model = get_user_model()
    for relation in relations:
        subject = getattr(relation, link.m2m_field_name())
        if not isinstance(subject, Group | model):  # a parent of the user model has the field
            subject = model._base_manager.filter(pk=subject.pk).first()
        if subject is None:
            continue
        words.setdefault(subject, set()).add(_word(link, relation))
    for subject, names in words.items():
        _changed(subject, added=names if added else set(), removed=set() if added else names)


def record_flags(user: Any, previous: dict[str, Any]) -> None:
    """Record a change of staff or superuser status, with the previous values by field."""
    words = {_FLAGS[name] for name in previous}
    removed = {_FLAGS[name] for name, value in previous.items() if value}
    _changed(user, added=words - removed, removed=removed)


def record_groups(user: Any, groups: Iterable[Group], *, is_added: bool) -> None:
    """Record groups that were added or removed without a signal."""
    words = {f"group {group}" for group in groups}
    _changed(user, added=words if is_added else set(), removed=set() if is_added else words)


def _changed(subject: Any, *, added: set[str], removed: set[str]) -> None:
    joined = _joined.get()
    if joined is None:
        _record(subject, added, removed, {})
        return
    changes = joined.setdefault((type(subject), subject.pk), Changes(subject, subject.pk))
    # The first change of a right shows whether the subject had it before.
    changes.added |= added - changes.removed
    changes.removed |= removed - changes.added


def _record(subject: Any, added: set[str], removed: set[str], details: dict[str, Any]) -> None:
    if not added and not removed:
        return
    owner = {"group": subject.name} if isinstance(subject, Group) else {"user": subject}
    events.record_event(
        EventKind.RIGHTS_CHANGED,
        **owner,
        **({"reason": change_origin(), "by": acting_user()} | details),
        added=", ".join(sorted(added)),
        removed=", ".join(sorted(removed)),
    )
