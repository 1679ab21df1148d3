"""The overview on the admin's index page: sign-ins, refusals, sessions, keys and versions.

Each visit of the page loads it, so it consists of a few counts and two short lists.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import django
from django.conf import settings
from django.db.models import Count
from django.http import HttpRequest
from django.utils import timezone

from ..models import EventKind, Identity, PendingRevocation, SignIn, SignInEvent
from ..provider import provider, user_pool
from ..sessions import limits
from .view_permission import can_view

_MAX_ENTRIES = 8
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Dashboard:
    """The data that the staff user can view.

    `facts` are pairs of name and value. `reasons` are the reasons for refusals in the last 24
    hours, with their counts. `sign_ins` is None for staff who cannot view events. The other lists
    of events are then empty.
    """

    sign_ins: list[SignInEvent] | None
    refusals: list[SignInEvent]
    reasons: list[tuple[str, int]]
    facts: list[tuple[str, str]]
    warnings: list[str]


def dashboard(request: HttpRequest) -> Dashboard | None:
    """Return the overview for the staff user, or None if they cannot view any part of it.

    Keys, versions and warnings do not belong to a model. They are for staff who can view events.
    """
    facts = _counts(request)
    if not can_view(request, SignInEvent):
        return Dashboard(None, [], [], facts, []) if facts else None
    events = SignInEvent.objects.select_related("user").prefetch_related("user__identities")
    refusals = events.filter(kind=EventKind.REFUSED)
    recent = refusals.filter(at__gte=timezone.now() - _DAY).order_by()
    reasons = recent.values_list("reason").annotate(count=Count("pk")).order_by("-count", "reason")
    return Dashboard(
        sign_ins=list(events.filter(kind=EventKind.SIGNED_IN)[:_MAX_ENTRIES]),
        refusals=list(refusals[:_MAX_ENTRIES]),
        reasons=[(reason or "unknown", count) for reason, count in reasons[:_MAX_ENTRIES]],
        facts=[*facts, *_keys(), *_versions()],
        warnings=_warnings(),
    )


def _counts(request: HttpRequest) -> list[tuple[str, str]]:
    counts = []
    if can_view(request, SignIn):
        user_count = Count("user", distinct=True)
        live = SignIn.objects.live().aggregate(sign_ins=Count("pk"), users=user_count)
        counts.append(("Sessions", f"{live['sign_ins']} of {live['users']} users"))
    if can_view(request, Identity):
        counts.append(("Identities", str(Identity.objects.count())))
    if can_view(request, PendingRevocation):
        counts.append(("Refresh tokens to be revoked", str(PendingRevocation.objects.count())))
    return counts


def _keys() -> list[tuple[str, str]]:
    age = provider().keys.age
    return [
        (
            "Signing keys of the pool",
            "not downloaded yet" if age is None else f"downloaded {age:.0f} s ago",
        ),
        ("Token encryption keys", str(provider().cipher.key_count)),
        ("Keys in SECRET_KEY_FALLBACKS", str(len(settings.SECRET_KEY_FALLBACKS) or "none")),
    ]


def _versions() -> list[tuple[str, str]]:
    version: Any = getattr(settings, "VERSION", "")
    site_version = [("Version", str(version))] if version else []
    return [
        *site_version,
        ("Runtime", f"Django {django.get_version()}, Python {platform.python_version()}"),
        ("User pool", provider().config.pool_id),
        ("AWS credentials", "missing" if user_pool.unavailable_reason() else "available"),
    ]


def _warnings() -> list[str]:
    warnings = []
    if limits.break_glass_enabled():
        warnings.append(
            "Break-glass is on: staff can sign in with a password. Set BREAK_GLASS_LOGIN=0 when "
            "sign-in through Cognito works again."
        )
    if settings.DEBUG:
        warnings.append("DEBUG is on. Use it for development only.")
    return warnings
