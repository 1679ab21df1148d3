"""What must be done from time to time; run it every few minutes."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.module_loading import import_string

from ...models import PendingRevocation, Revocation, SharedRefresh, SignIn, SignInEvent, Tally
from ...provider import provider
from ...sessions import ending, limits

# Of one run: for ending all forgotten sign-ins, and for revoking all refresh tokens. What is left
# then waits for the next run.
END_SECONDS = REVOKE_SECONDS = 60.0
AT_ONCE = 200  # rows in memory
LONGEST_REFRESH_TOKEN = timedelta(days=3650)  # what Cognito allows; then nothing is left to revoke
ENDED_KEPT = timedelta(days=30)


class Command(BaseCommand):
    help = (
        "Revoke refresh tokens that Cognito could not be told about, end sign-ins nobody came back "
        "to, delete what is over. Safe to run at any time and twice at once."
    )

    def handle(self, **options: Any) -> None:
        now = timezone.now()
        events_kept = timedelta(seconds=provider().limits.events)
        ended = self._end_forgotten_sign_ins()
        left = self._revoke()
        deleted = {
            "revocations": Revocation.objects.filter(expires_at__lt=now),
            "shared refreshes": SharedRefresh.objects.filter(expires_at__lt=now),
            "tallies": Tally.objects.filter(expires_at__lt=now),
            "ended sign-ins": SignIn.objects.filter(ended_at__lt=now - ENDED_KEPT),
            "events": SignInEvent.objects.filter(at__lt=now - events_kept),
            "pending revocations": PendingRevocation.objects.filter(
                created_at__lt=now - LONGEST_REFRESH_TOKEN
            ),
        }
        counted = ", ".join(f"{rows.delete()[0]} {name}" for name, rows in deleted.items())
        import_string(f"{settings.SESSION_ENGINE}.SessionStore").clear_expired()
        self.stdout.write(f"Ended {ended} sign-ins. Deleted {counted}.")
        if left:
            self.stdout.write(f"{left} refresh tokens are still to be revoked, by a later run.")

    def _end_forgotten_sign_ins(self) -> int:
        """Those past their limits whose browser never came back to hear it."""
        ends_at, ended = time.monotonic() + END_SECONDS, 0
        while time.monotonic() < ends_at:
            over = SignIn.objects.live().select_related("user").filter(limits.past_limits())
            rows = list(over.order_by("pk")[:AT_ONCE])
            for row in rows:
                ending.end(row, reason=limits.limit_reached(row) or SignIn.EndReason.IDLE)
            ended += len(rows)
            if len(rows) < AT_ONCE:
                break
        return ended

    def _revoke(self) -> int:
        ends_at, reached = time.monotonic() + REVOKE_SECONDS, True
        while reached and (left := ends_at - time.monotonic()) > 0:
            due = PendingRevocation.objects.filter(next_try_at__lte=timezone.now())
            items = list(due.order_by("next_try_at")[:AT_ONCE])
            ours = filter(ending.claimed, items)  # each just before its call
            reached = ending.revoke(ours, seconds=left) and len(items) == AT_ONCE
        return PendingRevocation.objects.count()
