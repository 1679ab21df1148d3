"""The audit log."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone


class EventKind(models.TextChoices):
    """The kinds of audit events. The values are stable codes, the labels are for pages."""

    SIGNED_IN = "signed_in", "signed in"
    REFUSED = "refused", "refused"
    REFUSALS_OMITTED = "refusals_omitted", "refusals omitted"
    SIGNED_OUT = "signed_out", "signed out"
    SIGNED_OUT_EVERYWHERE = "signed_out_everywhere", "signed out everywhere"
    RIGHTS_CHANGED = "rights_changed", "rights changed"
    ACTIVATED = "activated", "activated"
    DEACTIVATED = "deactivated", "deactivated"
    LINKED = "linked", "linked"
    UNLINKED = "unlinked", "unlinked"
    INVITED = "invited", "invited"
    INVITED_AGAIN = "invited_again", "invited again"
    EXPORTED = "exported", "exported"
    ERASED = "erased", "erased"


class SignInEvent(models.Model):
    """One audit event: a sign-in, a refusal, a sign-out, a change of rights, and so on.

    It holds no token, code or secret. `user` is None if the user is unknown.
    """

    at = models.DateTimeField(default=timezone.now, db_index=True)
    kind = models.CharField(max_length=32, choices=EventKind.choices)
    reference = models.CharField(max_length=16, blank=True, db_index=True)
    user: models.ForeignKey[Any, Any] = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="sign_in_events",
    )
    pool_username = models.CharField(
        max_length=255, blank=True, help_text="The username at the pool at that time."
    )
    reason = models.CharField(max_length=64, blank=True, help_text="A stable code.")
    details = models.JSONField(default=dict, blank=True)
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    device = models.CharField(max_length=255, blank=True)

    class Meta:
        verbose_name = "sign-in event"
        ordering = ("-at", "-pk")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.kind} {self.pool_username}".rstrip()
