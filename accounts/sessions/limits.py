"""The limits of a sign-in's lifetime."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from ..models import SignIn
from ..models.sign_ins import APP_KEY_PREFIX
from ..provider import provider

# A single-page app holds its refresh token itself, which lasts for 30 days by default. Its last use
# here is the last refresh.
APP_IDLE_TIME = timedelta(days=30)
BREAK_GLASS_LIFETIME = timedelta(hours=1)


def break_glass_enabled() -> bool:
    """Return True if the settings allow signing in with a password (break-glass)."""
    return bool(getattr(settings, "BREAK_GLASS_LOGIN", False))


def limit_reached(sign_in: SignIn) -> str | None:
    """Return the reason if this sign-in is too old or was unused for too long, else None."""
    now, limits = timezone.now(), provider().limits
    if sign_in.is_app:
        return SignIn.EndReason.IDLE if now - sign_in.last_seen_at >= APP_IDLE_TIME else None
    lifetime = timedelta(seconds=limits.session_absolute)
    if sign_in.is_break_glass:
        if not break_glass_enabled():
            return SignIn.EndReason.SWITCHED_OFF
        lifetime = min(lifetime, BREAK_GLASS_LIFETIME)
    if now - sign_in.signed_in_at >= lifetime:
        return SignIn.EndReason.TOO_OLD
    if now - sign_in.last_seen_at >= timedelta(seconds=limits.session_idle):
        return SignIn.EndReason.IDLE
    return None


def beyond_limits() -> Q:
    """Return the filter for sign-ins for which `limit_reached` returns a reason."""
    now, limits = timezone.now(), provider().limits
    idle = Q(last_seen_at__lte=now - timedelta(seconds=limits.session_idle))
    too_old = Q(signed_in_at__lte=now - timedelta(seconds=limits.session_absolute))
    break_glass = Q(issuer="")
    if break_glass_enabled():
        break_glass &= Q(signed_in_at__lte=now - BREAK_GLASS_LIFETIME)
    is_app = Q(key__startswith=APP_KEY_PREFIX)
    app_idle = is_app & Q(last_seen_at__lte=now - APP_IDLE_TIME)
    return (~is_app & (idle | too_old | break_glass)) | app_idle
