"""The limits of a sign-in's lifetime."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from ..models import SignIn
from ..provider import provider

LONGEST_SESSION = timedelta(hours=1)


def is_open() -> bool:
    """Return True if the settings allow signing in with a password (break-glass)."""
    return bool(getattr(settings, "BREAK_GLASS_LOGIN", False))


def limit_reached(row: SignIn) -> str | None:
    """Return the reason if this sign-in is too old or was unused for too long, else None."""
    now, limits = timezone.now(), provider().limits
    lifetime = timedelta(seconds=limits.session_absolute)
    if row.is_break_glass:
        if not is_open():
            return SignIn.EndReason.SWITCHED_OFF
        lifetime = min(lifetime, LONGEST_SESSION)
    if now - row.signed_in_at >= lifetime:
        return SignIn.EndReason.TOO_OLD
    if now - row.last_seen_at >= timedelta(seconds=limits.session_idle):
        return SignIn.EndReason.IDLE
    return None


def past_limits() -> Q:
    """Return the filter for sign-ins for which `limit_reached` returns a reason."""
    now, limits = timezone.now(), provider().limits
    idle = Q(last_seen_at__lte=now - timedelta(seconds=limits.session_idle))
    too_old = Q(signed_in_at__lte=now - timedelta(seconds=limits.session_absolute))
    break_glass = Q(issuer="")
    if is_open():
        break_glass &= Q(signed_in_at__lte=now - LONGEST_SESSION)
    return idle | too_old | break_glass
