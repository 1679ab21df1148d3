"""The overview of one user on their admin page: identities, rights, sessions and events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from django.http import HttpRequest

from ..cognito.group_mapping import FLAGS, Rights
from ..core.request_meta import device_name
from ..models import Identity, SignIn, SignInEvent
from ..provider import provider
from ..users.groups import has_groups
from .cells import event_in_words
from .view_permission import can_view

_MAX_EVENTS = 50  # of which equal ones in sequence are one line
_BY_HAND = "set by hand"


@dataclass(frozen=True)
class HeldRight:
    """A right of a user, and its source, or "" if the source is not shown."""

    name: str
    source: str


class EventGroup(NamedTuple):
    """Consecutive events of one kind and reason: the newest, what it is, and how many they are."""

    newest: SignInEvent
    what: str
    times: int


@dataclass(frozen=True)
class Overview:
    """The data of a user that the staff user can view.

    A list is None if the staff user cannot view its model. `unused_groups` are pool groups that do
    not give any rights here.
    """

    identities: list[Identity] | None
    rights: list[HeldRight]
    unused_groups: list[str]
    sessions: list[tuple[SignIn, str]] | None
    events: list[EventGroup] | None


def overview(user: Any, request: HttpRequest) -> Overview:
    """Return the overview of `user` for the staff user of this request."""
    identities = sessions = events = None
    if can_view(request, Identity):
        identities = list(Identity.objects.filter(user=user).order_by("pk"))
    if can_view(request, SignIn):
        live = SignIn.objects.live().filter(user=user).order_by("-last_seen_at")
        sessions = [(sign_in, device_name(sign_in.device)) for sign_in in live]
    if can_view(request, SignInEvent):
        events = _grouped(SignInEvent.objects.filter(user=user)[:_MAX_EVENTS])
    return Overview(
        identities=identities,
        rights=_rights(user, identities),
        unused_groups=[
            name
            for identity in identities or ()
            for name in provider()
            .group_mapping(identity.pool_id)
            .unmapped(identity.groups, pool_id=identity.pool_id)
        ],
        sessions=sessions,
        events=events,
    )


def _grouped(events: Iterable[SignInEvent]) -> list[EventGroup]:
    groups = (list(group) for _, group in groupby(events, lambda event: (event.kind, event.reason)))
    return [EventGroup(group[0], event_in_words(group[0]), len(group)) for group in groups]


def _rights(user: Any, identities: list[Identity] | None) -> list[HeldRight]:
    """Return the rights of `user`. If `identities` is None, the source of every right is ""."""
    if not has_groups(type(user)):
        return []  # the user model of a host project can lack PermissionsMixin
    sources = _sources(identities or [])
    by_hand = "" if identities is None else _BY_HAND
    names = [f"group {group.name}" for group in user.groups.order_by("name")]
    names += [flag.right for flag in FLAGS if getattr(user, flag.user_field, False)]
    rights = [HeldRight(name, ", ".join(sources.get(name, [])) or by_hand) for name in names]
    permissions = user.user_permissions.select_related("content_type")
    return rights + [
        HeldRight(f"permission {permission.name}", by_hand) for permission in permissions
    ]


def _sources(identities: list[Identity]) -> dict[str, list[str]]:
    """Return the pool groups that give each right.

    A group is a source of staff or superuser status only if the pool has set that status.
    """
    sources: dict[str, list[str]] = {}
    for identity in identities:
        rules = provider().group_mapping(identity.pool_id).rules
        for pool_group in identity.groups:
            rights = rules.get(pool_group, Rights())
            names = [f"group {name}" for name in rights.groups]
            names += [
                flag.right
                for flag in FLAGS
                if getattr(rights, flag.right) and getattr(identity, flag.identity_field)
            ]
            for name in names:
                sources.setdefault(name, []).append(f"{pool_group} of the pool")
    return sources
