"""Switching off a user, by whatever way `save()` or `delete()` is called, ends all they have here.

`QuerySet.update()` sends no signal. What it switched off is noticed for pages with the next request
(the backend returns no inactive user) and for access tokens within five minutes, when the feed of
revocations is read whole; `manage.py sign_out_user` makes it at once.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models.signals import post_save, pre_delete, pre_save

from . import revocations, services
from .models import Identity, SignIn

_WAS_ACTIVE = "_sso_was_active"


def watch() -> None:
    """Connect to the user model, the host's own if it has one."""
    user_model = get_user_model()
    pre_delete.connect(_before_deletion, sender=user_model, dispatch_uid=f"{__name__}.deletion")
    if revocations.can_be_deactivated():
        pre_save.connect(_remember, sender=user_model, dispatch_uid=f"{__name__}.before")
        post_save.connect(_compare, sender=user_model, dispatch_uid=f"{__name__}.after")


def _remember(instance: Any, raw: bool, update_fields: Any = None, **kwargs: Any) -> None:
    concerned = update_fields is None or "is_active" in update_fields
    if raw or not concerned or instance.pk is None or instance._state.adding:
        return
    stored = type(instance)._default_manager.filter(pk=instance.pk)
    setattr(instance, _WAS_ACTIVE, stored.values_list("is_active", flat=True).first())


def _compare(instance: Any, **kwargs: Any) -> None:
    was_active = instance.__dict__.pop(_WAS_ACTIVE, None)
    if was_active is None or was_active == instance.is_active:
        return
    for identity in Identity.objects.filter(user=instance):
        revocations.set_deactivated(
            issuer=identity.issuer, subject=identity.subject, deactivated=not instance.is_active
        )
    if not instance.is_active:
        # Only noted, not sent: an admin's request must not wait for the provider.
        services.end_everything(instance, reason=SignIn.EndReason.DEACTIVATED)


def _before_deletion(instance: Any, **kwargs: Any) -> None:
    services.end_everything(instance, reason=SignIn.EndReason.DEACTIVATED)
