"""All that is known about one person, for the page that staff look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from ..core.request_meta import device_name
from ..models import Identity, SignIn, SignInEvent
from ..provider import provider
from ..provider.group_mapping import FLAGS, Rights
from .view_permission import can_view

_SHOWN_EVENTS = 20
_BY_HAND = "given here by hand"


@dataclass(frozen=True)
class HeldRight:
    """A right and where it came from."""

    name: str
    source: str


@dataclass(frozen=True)
class Overview:
    """What staff can see of a user; None where they cannot view the model.

    `unused_groups`: groups of the pool that give nothing here.
    """

    identities: list[Identity] | None
    rights: list[HeldRight]
    unused_groups: list[str]
    sessions: list[tuple[SignIn, str]] | None
    events: list[SignInEvent] | None


def overview(user: Any, request: HttpRequest) -> Overview:
    """Return what the staff of this request can see of `user`."""
    identities = sessions = recent = None
    if can_view(request, Identity):
        identities = list(Identity.objects.filter(user=user).order_by("pk"))
    if can_view(request, SignIn):
        live = SignIn.objects.live().filter(user=user).order_by("-last_seen_at")
        sessions = [(sign_in, device_name(sign_in.device)) for sign_in in live]
    if can_view(request, SignInEvent):
        recent = list(SignInEvent.objects.filter(user=user)[:_SHOWN_EVENTS])
    return Overview(
        identities=identities,
        rights=_rights(user, identities),
        unused_groups=[
            name
            for identity in identities or ()
            for name in provider()
            .group_mapping(identity.issuer)
            .unmapped(identity.groups, issuer=identity.issuer)
        ],
        sessions=sessions,
        events=recent,
    )


def _rights(user: Any, identities: list[Identity] | None) -> list[HeldRight]:
    """Without `identities` the source of every right is ""."""
    if not hasattr(user, "groups"):
        return []  # a host's own user model need not have PermissionsMixin
    sources = _sources(identities or [])
    by_hand = "" if identities is None else _BY_HAND
    held = [f"group {group.name}" for group in user.groups.order_by("name")]
    held += [flag.right for flag in FLAGS if getattr(user, flag.user_field, False)]
    rights = [HeldRight(name, ", ".join(sources.get(name, [])) or by_hand) for name in held]
    permissions = user.user_permissions.select_related("content_type")
    return rights + [HeldRight(f"permission {each.name}", by_hand) for each in permissions]


def _sources(identities: list[Identity]) -> dict[str, list[str]]:
    """Which groups of the pool give a right: those that gave it, for the two flags."""
    found: dict[str, list[str]] = {}
    for identity in identities:
        rules = provider().group_mapping(identity.issuer).rules
        for pool_group in identity.groups:
            gives = rules.get(pool_group, Rights())
            names = [f"group {name}" for name in gives.groups]
            names += [
                flag.right
                for flag in FLAGS
                if getattr(gives, flag.right) and getattr(identity, flag.identity_field)
            ]
            for name in names:
                found.setdefault(name, []).append(f"{pool_group} of the pool")
    return found
