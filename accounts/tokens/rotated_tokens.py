"""The refresh tokens of apps that Cognito has replaced, recognized by a keyed hash.

The tabs of an app that do not share their storage have an earlier refresh token after another tab
has refreshed. During a grace period (a day by default), such a tab gets the newest tokens. Later,
its token is refused, because it may be stolen (RFC 9700 section 4.14.2), and its use is recorded.

The rows of `RefreshResult` here have no result. An earlier version does not read them.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django.utils.crypto import salted_hmac

from ..models import RefreshResult, SignIn
from ..provider import provider

RECOGNIZED_FOR = timedelta(days=1)  # a later use is refused without being recorded
_REPORTED = "reported"


def record(sign_in: SignIn, *refresh_tokens: str) -> None:
    """Record that the sign-in has a newer refresh token than these."""
    now = timezone.now()
    grace = timedelta(seconds=provider().limits.rotation_grace)
    RefreshResult.objects.bulk_create(
        (
            RefreshResult(
                key=_key(sign_in, refresh_token),
                owner="",
                lease_until=now + grace,
                expires_at=now + grace + RECOGNIZED_FOR,
            )
            for refresh_token in refresh_tokens
        ),
        ignore_conflicts=True,  # the grace period begins with the first request that records it
    )


def find(sign_in: SignIn, unverified_refresh_token: str) -> RefreshResult | None:
    """Return the row of an earlier refresh token of this sign-in, or None."""
    key = _key(sign_in, unverified_refresh_token)
    return RefreshResult.objects.filter(key=key, expires_at__gt=timezone.now()).first()


def is_in_grace(rotated: RefreshResult) -> bool:
    """Return True if the token may still be used in place of the newest one."""
    return timezone.now() < rotated.lease_until


def is_first_reuse(rotated: RefreshResult) -> bool:
    """Return True for the first use after the grace period, which is to be recorded."""
    unreported = RefreshResult.objects.filter(pk=rotated.pk).exclude(owner=_REPORTED)
    return bool(unreported.update(owner=_REPORTED))


def _key(sign_in: SignIn, refresh_token: str) -> str:
    proof = salted_hmac(
        "rotated refresh token", f"{sign_in.pk} {refresh_token}", algorithm="sha256"
    )
    return f"rotated:{proof.hexdigest()[:48]}"
