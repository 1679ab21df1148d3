"""What must be done from time to time; run it every few minutes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.module_loading import import_string

from ... import ending
from ...models import PendingRevocation, Revocation, SharedRefresh, SignIn, SignInEvent, Tally
from ...provider import provider

REVOKE_SECONDS = 60.0  # of one run, for all refresh tokens together
LONGEST_REFRESH_TOKEN = timedelta(days=3650)  # what Cognito allows; then nothing is left to revoke
MOST_AT_ONCE = 1000  # rows of one run; the rest waits for the next
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
            self.stdout.write(f"{left} refresh tokens are still to be revoked: Cognito is away.")

    def _end_forgotten_sign_ins(self) -> int:
        """Those past their limits whose browser never came back to hear it."""
        over = SignIn.objects.live().select_related("user").filter(ending.past_limits())
        rows = list(over.order_by("pk")[:MOST_AT_ONCE])
        for row in rows:
            ending.end(row, reason=ending.limit_reached(row) or SignIn.EndReason.IDLE)
        return len(rows)

    def _revoke(self) -> int:
        due = PendingRevocation.objects.filter(next_try_at__lte=timezone.now())
        ending.revoke(due.order_by("next_try_at")[:MOST_AT_ONCE], seconds=REVOKE_SECONDS)
        return PendingRevocation.objects.count()
