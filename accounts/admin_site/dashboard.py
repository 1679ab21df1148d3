"""What staff want to know first: who came, who was refused, who is in, which keys, which version.

Cheap enough for each visit of the admin's first page: a few counts and two short lists.
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

_SHOWN = 8
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class SiteOverview:
    """`facts` are name and value; `reasons` and their counts are of the last 24 hours.

    `sign_ins` is None for staff who cannot view events; the other lists of events are then empty.
    """

    sign_ins: list[SignInEvent] | None
    refusals: list[SignInEvent]
    reasons: list[tuple[str, int]]
    facts: list[tuple[str, str]]
    warnings: list[str]


def site_overview(request: HttpRequest) -> SiteOverview | None:
    """Return what the staff of this request can see, or None if that is nothing.

    Keys, versions and warnings belong to no model: they are for staff who can view events.
    """
    facts = _counts(request)
    if not can_view(request, SignInEvent):
        return SiteOverview(None, [], [], facts, []) if facts else None
    events = SignInEvent.objects.select_related("user")
    refusals = events.filter(kind=EventKind.REFUSED)
    recent = refusals.filter(at__gte=timezone.now() - _DAY).order_by()
    reasons = recent.values_list("reason").annotate(times=Count("pk")).order_by("-times", "reason")
    return SiteOverview(
        sign_ins=list(events.filter(kind=EventKind.SIGNED_IN)[:_SHOWN]),
        refusals=list(refusals[:_SHOWN]),
        reasons=[(reason or "unknown", times) for reason, times in reasons[:_SHOWN]],
        facts=[*facts, *_keys(), *_versions()],
        warnings=_warnings(),
    )


def _counts(request: HttpRequest) -> list[tuple[str, str]]:
    counts = []
    if can_view(request, SignIn):
        users = Count("user", distinct=True)
        live = SignIn.objects.live().aggregate(rows=Count("pk"), people=users)
        counts.append(("Sessions", f"{live['rows']} of {live['people']} people"))
    if can_view(request, Identity):
        counts.append(("Identities", str(Identity.objects.count())))
    if can_view(request, PendingRevocation):
        pending = str(PendingRevocation.objects.count())
        counts.append(("Refresh tokens still to be revoked", pending))
    return counts


def _keys() -> list[tuple[str, str]]:
    age = provider().verifier.keys.age
    earlier = len(settings.SECRET_KEY_FALLBACKS)
    return [
        ("Signing keys of the pool", "not read yet" if age is None else f"read {age:.0f} s ago"),
        ("Token encryption keys", str(provider().cipher.key_count)),
        ("Earlier SECRET_KEYs still accepted", str(earlier) if earlier else "none"),
    ]


def _versions() -> list[tuple[str, str]]:
    own: Any = getattr(settings, "VERSION", "")
    named = [("Version", str(own))] if own else []
    running = f"Django {django.get_version()}, Python {platform.python_version()}"
    return [
        *named,
        ("Runs on", running),
        ("User pool", provider().config.pool_id),
        ("AWS credentials", "none" if user_pool.why_unavailable() else "there"),
    ]


def _warnings() -> list[str]:
    found = []
    if limits.is_open():
        found.append(
            "Break-glass is on: staff sign in with a password. Set BREAK_GLASS_LOGIN=0 when people "
            "sign in through Cognito again."
        )
    if settings.DEBUG:
        found.append("DEBUG is on: for development only.")
    return found
