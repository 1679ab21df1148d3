"""Revoked access tokens, and refresh tokens that are still to be revoked at Cognito."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .pool_subject import PoolIdField


class Revocation(models.Model):
    """An entry of the feed that every process reads: some access tokens were revoked.

    It is stored in the transaction that caused it, never changes, and is deleted when no such token
    can be valid. `at` is the database's time, because the clocks of several servers may differ.
    """

    class Kind(models.TextChoices):
        SIGN_IN = "sign_in", _("one sign-in ended")
        USER = "user", _("signed out everywhere")
        DEACTIVATED = "deactivated", _("account deactivated")
        REACTIVATED = "reactivated", _("account active again")

    kind = models.CharField(max_length=16, choices=Kind.choices)
    token_id = models.CharField("origin_jti", max_length=64, blank=True)
    pool_id = PoolIdField()
    issuer = models.CharField(max_length=255, blank=True)
    subject = models.CharField(max_length=255, blank=True)
    not_before = models.BigIntegerField(default=0, help_text=_("Unix time; for tokens of a user."))
    at = models.DateTimeField(db_default=Now(), db_index=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ("at", "pk")

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.token_id or self.subject}"


class PendingRevocation(models.Model):
    """A refresh token of an ended sign-in whose revocation Cognito has not confirmed.

    It is stored when the sign-in ends and deleted when Cognito has confirmed. Neither an outage of
    Cognito nor a crash of this site leaves a refresh token valid for good.
    """

    sealed_token = models.TextField(editable=False)
    reference = models.CharField(max_length=16, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    tries = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["next_try_at"]

    def __str__(self) -> str:
        return f"to revoke since {self.created_at:%Y-%m-%d %H:%M}, {self.tries} tries"
