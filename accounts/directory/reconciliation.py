"""The reconciliation of users with the pool: users deleted or disabled there are deactivated here.

A deleted or disabled pool user cannot sign in or renew. But a session continues until its access
token expires, and rights that were granted here stay. Only identities of our own pool are compared,
and no user is activated again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from ..models import Identity
from ..models.users import can_be_deactivated
from ..problems.errors import TooManyDeactivations
from ..provider import user_pool
from ..sessions.deactivation import set_active
from ..users.provisioning import own_pool_identities

MAX_SINGLE_LOOKUPS = 20  # identities; for more, the pool lists all its users
MAX_DEACTIVATIONS = 50  # users deactivated at once, unless the operator sets another limit


@dataclass(frozen=True)
class Difference:
    """An identity whose pool user was deleted or disabled: `state` is "gone" or "disabled".

    `keep_reason` says why the user stays active, or is "" if the user is to be deactivated.
    """

    identity: Identity
    state: str
    keep_reason: str = ""


def find_differences(
    users: Iterable[Any] | None = None, *, exclude: Any = None
) -> list[Difference]:
    """Return the differences of active users: of all, or only of these `users`.

    The user `exclude` requests the comparison, and stays active.

    Raises aws.AwsError.
    """
    if not can_be_deactivated():
        return []
    identities = own_pool_identities(user__is_active=True)
    if users is not None:
        identities = identities.filter(user__in=list(users))
    states = [
        (identity, _state(identity, pool_user))
        for identity, pool_user in _with_pool_users(identities)
    ]
    missing = {identity: state for identity, state in states if state}
    return [
        Difference(identity, state, _keep_reason(identity, missing, exclude))
        for identity, state in missing.items()
    ]


def _with_pool_users(
    queryset: QuerySet[Identity],
) -> list[tuple[Identity, user_pool.PoolUser | None]]:
    identities = list(queryset.select_related("user").order_by("pk"))
    if len(identities) <= MAX_SINGLE_LOOKUPS:
        return [(identity, user_pool.get_user(identity.subject)) for identity in identities]
    pool_users = {pool_user.subject: pool_user for pool_user in user_pool.list_users()}
    return [(identity, pool_users.get(identity.subject)) for identity in identities]


def _state(identity: Identity, pool_user: user_pool.PoolUser | None) -> str:
    if pool_user is None or pool_user.subject != identity.subject:
        return "gone"
    return "" if pool_user.enabled else "disabled"


def _keep_reason(identity: Identity, missing: Collection[Identity], requester: Any) -> str:
    if requester is not None and identity.user_id == requester.pk:
        return "you cannot deactivate yourself; ask another administrator"
    missing_keys = {other.pk for other in missing}
    identities = Identity.objects.filter(user=identity.user).exclude(pk__in=missing_keys)
    if other := next((other for other in identities if other.successor is None), None):
        return f"can also sign in as {other}"
    if getattr(identity.user, "is_superuser", False):
        superusers = get_user_model()._default_manager.filter(is_superuser=True, is_active=True)
        if not superusers.exclude(pk__in={other.user_id for other in missing}).exists():
            return "is the last active superuser; make another user a superuser first"
    return ""


def to_deactivate(differences: Iterable[Difference]) -> list[Difference]:
    """Return one difference for each user to deactivate."""
    return list(
        {item.identity.user_id: item for item in differences if not item.keep_reason}.values()
    )


def limit_error(differences: list[Difference], at_most: int = MAX_DEACTIVATIONS) -> str:
    """Return an error message if more than `at_most` users would be deactivated, or ""."""
    if len(differences) <= at_most:
        return ""
    return (
        f"{len(differences)} users would be deactivated, but the limit is {at_most}. Check "
        "COGNITO_POOL_ID. If it is correct, run `manage.py cognito_reconcile_users` with --at-most."
    )


def deactivate(
    differences: Iterable[Difference], *, at_most: int = MAX_DEACTIVATIONS
) -> list[Difference]:
    """Deactivate the users who have no reason to stay active, and return their differences.

    Raises TooManyDeactivations or aws.AwsError before anything is changed.
    """
    selected = to_deactivate(differences)
    if refusal := limit_error(selected, at_most):
        raise TooManyDeactivations(refusal)
    # Time has passed, and ListUsers can omit users that change between its pages: check each again.
    selected = [
        item
        for item in selected
        if _state(item.identity, user_pool.get_user(item.identity.subject))
    ]
    for item in selected:
        username, reason = item.identity.username, f"{item.state}_in_pool"
        set_active(item.identity.user, False, reason=reason, pool_username=username)
    return selected
