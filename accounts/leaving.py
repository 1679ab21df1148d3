"""Forgetting a person: sessions, identity, what the record knows of them, and on request the pool
account. What they wrote stays, with its author empty where the model says SET_NULL.

What must outlive them for some hours: the revocations of their tokens, by user id (sub), which
`manage.py housekeeping` deletes when no such token can be alive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import transaction
from django.db.models import QuerySet

from . import events, pool_people, services
from .models import Identity, SignIn, SignInEvent
from .personal_data import events_about
from .provider import provider


@dataclass(frozen=True)
class Plan:
    """What forgetting somebody would touch."""

    identities: list[Identity]
    sign_ins: int
    events: int


def plan(user: Any) -> Plan:
    return Plan(
        identities=list(Identity.objects.filter(user=user)),
        sign_ins=SignIn.objects.filter(user=user).count(),
        events=events_about(user).count(),
    )


def forget(user: Any, *, with_pool_account: bool = False) -> bool:
    """Forget them. False: the provider was not reached for their refresh tokens; housekeeping goes
    on. Raises aws.AwsProblem before anything here is changed."""
    if with_pool_account:
        _delete_pool_accounts(user)
    reached = services.sign_out_everywhere(user).reached
    with transaction.atomic():
        _empty_events(user)
        _delete_admin_log(user)
        key = str(user.pk)
        user.delete()
    _delete_sessions(key)
    events.record("forgotten", reason="operator")
    return reached


def _delete_pool_accounts(user: Any) -> None:
    for identity in Identity.objects.filter(user=user, issuer=provider().config.issuer):
        # By sub: the pool may have given the username to somebody else since.
        found = pool_people.find(identity.subject)
        if found is not None and found.subject == identity.subject:
            pool_people.delete(found.username)


def _empty_events(user: Any) -> None:
    """Times, kinds and reasons stay, for they count; nothing says whose they were. Events about
    others lose this person's name and nothing else."""
    names = list(Identity.objects.filter(user=user).values_list("username", flat=True))
    _drop_details(SignInEvent.objects.filter(details__by_id=str(user.pk)), "by", "by_id")
    invitations = SignInEvent.objects.filter(details__invited__in=[name for name in names if name])
    _drop_details(invitations, "invited")
    found = list(events_about(user).values_list("pk", flat=True))
    SignInEvent.objects.filter(pk__in=found).update(
        user=None, person="", reference="", address=None, device="", details={}
    )


def _drop_details(rows: QuerySet[SignInEvent], *names: str) -> None:
    for row in rows.iterator():
        row.details = {name: value for name, value in row.details.items() if name not in names}
        row.save(update_fields=["details"])


def _delete_admin_log(user: Any) -> None:
    """Entries about them hold their name."""
    if not apps.is_installed("django.contrib.admin"):
        return
    opts = user._meta
    entries = apps.get_model("admin", "LogEntry")._default_manager
    of_users = {"content_type__app_label": opts.app_label, "content_type__model": opts.model_name}
    entries.filter(object_id=str(user.pk), **of_users).delete()


def _delete_sessions(key: str) -> None:
    """Sessions hold whose they are only inside, so all have to be opened."""
    if settings.SESSION_ENGINE != "django.contrib.sessions.backends.db":
        return
    sessions = apps.get_model("sessions", "Session")._default_manager
    theirs = [
        row.pk
        for row in sessions.iterator(chunk_size=500)
        if row.get_decoded().get(SESSION_KEY) == key
    ]
    sessions.filter(pk__in=theirs).delete()
