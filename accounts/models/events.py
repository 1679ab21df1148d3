"""The audit log."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class EventKind(models.TextChoices):
    """The kinds of audit events. The values are stable codes, the labels are for pages."""

    SIGNED_IN = "signed_in", _("signed in")
    REFUSED = "refused", _("refused")
    REFUSALS_OMITTED = "refusals_omitted", _("refusals omitted")
    SIGNED_OUT = "signed_out", _("signed out")
    SIGNED_OUT_EVERYWHERE = "signed_out_everywhere", _("signed out everywhere")
    RIGHTS_CHANGED = "rights_changed", _("rights changed")
    ACTIVATED = "activated", _("activated")
    DEACTIVATED = "deactivated", _("deactivated")
    LINKED = "linked", _("linked")
    UNLINKED = "unlinked", _("unlinked")
    INVITED = "invited", _("invited")
    INVITED_AGAIN = "invited_again", _("invited again")
    EXPORTED = "exported", _("exported")
    ERASED = "erased", _("erased")


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
        max_length=255, blank=True, help_text=_("The username at the pool at that time.")
    )
    reason = models.CharField(max_length=64, blank=True, help_text=_("A stable code."))
    details = models.JSONField(default=dict, blank=True)
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    device = models.CharField(max_length=255, blank=True)

    class Meta:
        verbose_name = _("sign-in event")
        ordering = ("-at", "-pk")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.kind} {self.pool_username}".rstrip()
