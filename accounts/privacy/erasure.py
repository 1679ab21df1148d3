"""The erasure of a user's personal data: sessions, identities, audit events, and the user.

On request it also deletes the pool user. Objects of the host project stay if their foreign key says
SET_NULL. Everything happens in one transaction, and the call to the pool is its last step. Only the
revocations of the user's tokens (by `sub`) stay for some hours, until no such token can be valid;
`manage.py cognito_housekeeping` deletes them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.db import connections, router, transaction
from django.db.models import QuerySet

from ..audit import events
from ..models import EventKind, Identity, SignIn, SignInEvent
from ..provider import user_pool
from ..sessions import ending, sign_out
from ..users.provisioning import own_pool_identities
from .deletion_preview import Deletion, preview_deletion
from .django_sessions import delete_sessions, sessions_of
from .export import acted_events, admin_log_about, events_about, invitations_of


@dataclass(frozen=True)
class ErasurePlan:
    """The effects of an erasure. `pool_accounts` are the usernames of pool users to delete."""

    deletion: Deletion
    sessions: list[str]
    events: int
    events_naming: int
    admin_log: int
    pool_users: list[str]


def plan_erasure(user: Any, *, with_pool_account: bool = False) -> ErasurePlan:
    """Return the effects of an erasure without changing anything.

    Raises aws.AwsError, only with `with_pool_account`.
    """
    entries, deletion = admin_log_about(user), preview_deletion(user)
    # `events` counts the audit events.
    nullified = [group for group in deletion.nullified if group.model is not SignInEvent]
    return ErasurePlan(
        deletion=replace(deletion, nullified=nullified),
        sessions=[session.key for session in sessions_of(user)],
        events=events_about(user).count(),
        events_naming=acted_events(user).count() + invitations_of(user).count(),
        admin_log=0 if entries is None else entries.count(),
        pool_users=_pool_accounts(user) if with_pool_account else [],
    )


def erase(user: Any, planned: ErasurePlan) -> bool:
    """Erase the user's personal data as planned.

    Return False if Cognito did not respond: housekeeping then revokes the remaining tokens.

    Raises aws.AwsError from the pool, or ProtectedError, RestrictedError or IntegrityError from
    an instance that prevents the deletion. Then nothing has changed, here or in the pool.
    """
    usernames = list(own_pool_identities(user=user).values_list("username", flat=True))
    using = router.db_for_write(type(user), instance=user)
    with transaction.atomic(using):
        _, pending = sign_out.end_all_sign_ins(user, reason=SignIn.EndReason.EVERYWHERE)
        _empty_events(user)
        if (entries := admin_log_about(user)) is not None:
            entries.delete()
        # Without identities, the deletion below does not end the sign-ins a second time.
        Identity.objects.filter(user=user).delete()
        user.delete()
        connections[using].check_constraints()  # before the pool user is deleted, not at commit
        for username in planned.pool_users:
            user_pool.delete(username)
    delete_sessions(planned.sessions)
    events.record_event(EventKind.ERASED, reason="operator")
    is_reached = ending.revoke_at_cognito(pending)
    if not planned.pool_users:
        for username in usernames:
            is_reached = user_pool.global_sign_out(username) and is_reached
    return is_reached


def _pool_accounts(user: Any) -> list[str]:
    candidates = [
        (identity.subject, user_pool.get_user(identity.subject))
        for identity in own_pool_identities(user=user)
    ]
    # Compared by `sub`, because the pool may have given the username to another user.
    return [
        pool_user.username
        for subject, pool_user in candidates
        if pool_user and pool_user.subject == subject
    ]


def _empty_events(user: Any) -> None:
    """Remove the user from all audit events. Their times, kinds and reasons stay, for statistics.

    Events about other users lose only this user's name.
    """
    _drop_details(acted_events(user), "by", "by_id")
    _drop_details(invitations_of(user), "invited", "subject")
    keys = list(events_about(user).values_list("pk", flat=True))
    SignInEvent.objects.filter(pk__in=keys).update(
        user=None, pool_username="", reference="", ip_address=None, device="", details={}
    )


def _drop_details(events: QuerySet[SignInEvent], *names: str) -> None:
    for event in events.iterator():
        event.details = {name: value for name, value in event.details.items() if name not in names}
        event.save(update_fields=["details"])
