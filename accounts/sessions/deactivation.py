"""Switching off a user, by whatever way `save()` or `delete()` is called, ends all they have here.

`QuerySet.update()` sends no signal. What it switched off is noticed for pages with the next request
(the backend returns no inactive user) and for access tokens within five minutes, when the feed of
revocations is read whole; `manage.py sign_out_user` makes it at once.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models.signals import pre_delete

from ..core import field_changes
from ..core.request_context import acting_user
from ..models import Identity, SignIn
from ..tokens import revocation_feed, revocations
from . import sign_out


def watch() -> None:
    """Connect to the user model, the host's own if it has one."""
    user_model = get_user_model()
    pre_delete.connect(_before_deletion, sender=user_model, dispatch_uid=f"{__name__}.deletion")
    if revocation_feed.can_be_deactivated():
        field_changes.watch(user_model, ["is_active"], _switched)


def _switched(instance: Any, before: dict[str, Any]) -> None:
    for identity in Identity.objects.filter(user=instance):
        revocations.set_deactivated(
            issuer=identity.issuer, subject=identity.subject, deactivated=not instance.is_active
        )
    if not instance.is_active:
        # Only noted, not sent: an admin's request must not wait for the provider.
        _end_everything(instance)


def _before_deletion(instance: Any, **kwargs: Any) -> None:
    identities = Identity.objects.filter(user=instance)
    if identities.exists() or SignIn.objects.live().filter(user=instance).exists():
        _end_everything(instance)


def _end_everything(user: Any) -> None:
    by = acting_user(besides=user)
    sign_out.end_everything(user, reason=SignIn.EndReason.DEACTIVATED, by=by)
