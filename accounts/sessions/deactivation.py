"""The consequences when any code deactivates, activates or deletes a user.

The event is recorded here, and all sign-ins of the user end. `QuerySet.update()` sends no signal,
so it leaves no event. After such a deactivation, pages end the session with the next request.
Access tokens end within five minutes, when the revocation feed is read completely. `manage.py
cognito_sign_out_user` ends them immediately.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models.signals import pre_delete

from ..audit import events
from ..core import field_changes
from ..core.request_context import acting_user, change_origin
from ..models import EventKind, Identity, SignIn
from ..models.users import can_be_deactivated
from ..tokens import revocations
from . import sign_out

_details: ContextVar[dict[str, Any]] = ContextVar("details")


def connect_signals() -> None:
    """Connect to the signals of the user model."""
    user_model = get_user_model()
    for sender in field_changes.with_subclasses(user_model):
        pre_delete.connect(_before_deletion, sender=sender, dispatch_uid=f"{__name__}.deletion")
    if can_be_deactivated():
        field_changes.on_change(user_model, ["is_active"], _switched)


def set_active(user: Any, is_active: bool, **details: Any) -> None:
    """Activate or deactivate `user`. `details`, such as `reason`, go into the event."""
    token = _details.set(details)
    try:
        user.is_active = is_active
        user.save(update_fields=["is_active"])
    finally:
        _details.reset(token)


def _switched(instance: Any, before: dict[str, Any]) -> None:
    for identity in Identity.objects.filter(user=instance):
        revocations.set_deactivated(identity, deactivated=not instance.is_active)
    kind = EventKind.ACTIVATED if instance.is_active else EventKind.DEACTIVATED
    details = {"reason": change_origin(), "by": acting_user(exclude=instance)} | _details.get({})
    events.record_event(kind, user=instance, **details)
    if not instance.is_active:
        # The refresh tokens are only queued: an admin's request must not wait for Cognito.
        _end_all_sign_ins(instance)


def _before_deletion(instance: Any, **kwargs: Any) -> None:
    identities = Identity.objects.filter(user=instance)
    if identities.exists() or SignIn.objects.live().filter(user=instance).exists():
        _end_all_sign_ins(instance)


def _end_all_sign_ins(user: Any) -> None:
    by = acting_user(exclude=user)
    sign_out.end_all_sign_ins(user, reason=SignIn.EndReason.DEACTIVATED, by=by)
