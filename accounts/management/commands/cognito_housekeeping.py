"""Periodic maintenance: run it every few minutes."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from ...models import (
    Identity,
    PendingRevocation,
    RateCounter,
    RefreshResult,
    Revocation,
    SignIn,
    SignInEvent,
)
from ...provider import provider
from ...sessions import ending, limits
from ..base import DatabaseCommand

# The maximum time of one run for ending expired sign-ins, and for revoking refresh tokens. The next
# run continues.
END_SECONDS = REVOKE_SECONDS = 60.0
BATCH_SIZE = 200  # instances in memory
MAX_REFRESH_TOKEN_LIFETIME = timedelta(days=3650)  # the maximum at Cognito
ENDED_RETENTION = timedelta(days=30)


class Command(DatabaseCommand):
    help = (
        "Revoke refresh tokens that could not be revoked at sign-out, end sign-ins that are past "
        "their limits, and delete expired data. It can run at any time, also in parallel."
    )

    def handle(self, **options: Any) -> None:
        now = timezone.now()
        event_retention = timedelta(seconds=provider().limits.events)
        ended_count = self._end_expired_sign_ins()
        remaining = self._revoke()
        Identity.objects.assign_pools(at_most=BATCH_SIZE)
        expired = {
            "revocations": Revocation.objects.filter(expires_at__lt=now),
            "refresh results": RefreshResult.objects.filter(expires_at__lt=now),
            "rate counters": RateCounter.objects.filter(expires_at__lt=now),
            "ended sign-ins": SignIn.objects.filter(ended_at__lt=now - ENDED_RETENTION),
            "audit events": SignInEvent.objects.filter(at__lt=now - event_retention),
            "pending revocations": PendingRevocation.objects.filter(
                created_at__lt=now - MAX_REFRESH_TOKEN_LIFETIME
            ),
        }
        deleted = ", ".join(f"{query.delete()[0]} {name}" for name, query in expired.items())
        import_string(f"{settings.SESSION_ENGINE}.SessionStore").clear_expired()
        self.stdout.write(f"Ended {ended_count} sign-ins. Deleted {deleted}.")
        if remaining:
            self.stdout.write(
                f"{remaining} refresh tokens are still to be revoked. A later run tries again."
            )

    def _end_expired_sign_ins(self) -> int:
        """End sign-ins that are past their limits, and return their number.

        A browser that sends a request ends its own sign-in. These browsers did not return.
        """
        ends_at, count = time.monotonic() + END_SECONDS, 0
        while time.monotonic() < ends_at:
            expired = SignIn.objects.live().select_related("user").filter(limits.beyond_limits())
            sign_ins = list(expired.order_by("pk")[:BATCH_SIZE])
            for sign_in in sign_ins:
                ending.end_sign_in(
                    sign_in, reason=limits.limit_reached(sign_in) or SignIn.EndReason.IDLE
                )
            count += len(sign_ins)
            if len(sign_ins) < BATCH_SIZE:
                break
        return count

    def _revoke(self) -> int:
        """Revoke refresh tokens, and return how many are still to be revoked."""
        ends_at, has_more = time.monotonic() + REVOKE_SECONDS, True
        while has_more and (seconds := ends_at - time.monotonic()) > 0:
            due = PendingRevocation.objects.filter(next_try_at__lte=timezone.now())
            items = list(due.order_by("next_try_at")[:BATCH_SIZE])
            # Lazy, so that each token is claimed just before its call.
            claimed = filter(ending.claim_revocation, items)
            has_more = (
                ending.revoke_at_cognito(claimed, seconds=seconds) and len(items) == BATCH_SIZE
            )
        return PendingRevocation.objects.count()
