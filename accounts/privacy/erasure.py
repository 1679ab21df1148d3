"""Forgetting a person: sessions, identity, what the record knows of them, and on request the pool
account. What they wrote stays, with its author empty where the model says SET_NULL.

Either all of it happens or nothing: the account is deleted in a transaction whose last step is the
pool's part. What must outlive them for some hours: the revocations of their tokens, by user id
(sub), which `manage.py housekeeping` deletes when no such token can be alive.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.db import connections, router, transaction
from django.db.models import QuerySet

from ..audit import events
from ..models import Identity, SignIn, SignInEvent
from ..provider import provider, user_pool
from ..sessions import ending, sign_out
from .deletion_preview import Deletion, deletion_of
from .django_sessions import delete_sessions, sessions_of
from .export import acted_events, admin_log_about, events_about, invitations_of


@dataclass(frozen=True)
class Plan:
    """What forgetting somebody would touch. `deletion` is what becomes of rows that point at them;
    `pool_accounts` are the usernames at the pool, empty unless asked for."""

    deletion: Deletion
    sessions: list[str]
    events: int
    events_naming: int
    admin_log: int
    pool_accounts: list[str]


def plan(user: Any, *, with_pool_account: bool = False) -> Plan:
    """Reads, and changes nothing. Raises aws.AwsProblem when the pool is to be asked."""
    entries, deletion = admin_log_about(user), deletion_of(user)
    staying = [rows for rows in deletion.staying if rows.model is not SignInEvent]  # told below
    return Plan(
        deletion=replace(deletion, staying=staying),
        sessions=[each.key for each in sessions_of(user)],
        events=events_about(user).count(),
        events_naming=acted_events(user).count() + invitations_of(user).count(),
        admin_log=0 if entries is None else entries.count(),
        pool_accounts=_pool_accounts(user) if with_pool_account else [],
    )


def forget(user: Any, planned: Plan) -> bool:
    """Forget them as planned. False: the provider was not reached for their tokens; housekeeping
    goes on.

    Raises aws.AwsProblem (from the pool), ProtectedError, RestrictedError or IntegrityError (from a
    row that still needs the account); then nothing has changed, here or there.
    """
    identities = Identity.objects.filter(user=user, issuer=provider().config.issuer)
    usernames = list(identities.values_list("username", flat=True))
    using = router.db_for_write(type(user), instance=user)
    with transaction.atomic(using):
        _, pending = sign_out.end_everything(user, reason=SignIn.EndReason.EVERYWHERE)
        _empty_events(user)
        if (entries := admin_log_about(user)) is not None:
            entries.delete()
        Identity.objects.filter(user=user).delete()  # all they have was ended: not once more
        user.delete()
        connections[using].check_constraints()  # or they would be at the end, after the pool's part
        for username in planned.pool_accounts:
            user_pool.delete(username)
    delete_sessions(planned.sessions)
    events.record("forgotten", reason="operator")
    reached = ending.revoke(pending)
    if not planned.pool_accounts:
        for username in usernames:
            reached = user_pool.global_sign_out(username) and reached
    return reached


def _pool_accounts(user: Any) -> list[str]:
    found = [
        (identity.subject, user_pool.find(identity.subject))
        for identity in Identity.objects.filter(user=user, issuer=provider().config.issuer)
    ]
    # By sub: the pool may have given the username to somebody else since.
    return [known.username for subject, known in found if known and known.subject == subject]


def _empty_events(user: Any) -> None:
    """Times, kinds and reasons stay, for they count; nothing says whose they were. Events about
    others lose this person's name and nothing else."""
    _drop_details(acted_events(user), "by", "by_id")
    _drop_details(invitations_of(user), "invited", "subject")
    found = list(events_about(user).values_list("pk", flat=True))
    SignInEvent.objects.filter(pk__in=found).update(
        user=None, person="", reference="", address=None, device="", details={}
    )


def _drop_details(rows: QuerySet[SignInEvent], *names: str) -> None:
    for row in rows.iterator():
        row.details = {name: value for name, value in row.details.items() if name not in names}
        row.save(update_fields=["details"])
