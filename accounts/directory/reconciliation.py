"""People here who are gone from the pool, or disabled there: found here, then deactivated.

A disabled or deleted user of the pool cannot sign in or renew any more, but a session lives on
until its access token ends, and rights given here stay. Only identities of our own pool count;
nobody is reactivated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from ..models import Identity
from ..problems.errors import TooManyDeactivations
from ..provider import user_pool
from ..sessions.deactivation import set_active
from ..users.provisioning import own_pool_identities

ASKED_ONE_BY_ONE = 20  # people; more are compared with the pool's whole list
MOST = 50  # people deactivated at once, unless somebody says otherwise


@dataclass(frozen=True)
class Finding:
    """An identity that the pool no longer lets in: `state` is "gone" or "disabled".

    `kept`: why the person stays active all the same; empty when they are to be deactivated.
    """

    identity: Identity
    state: str
    kept: str = ""


def compare(users: Iterable[Any] | None = None, *, spared: Any = None) -> list[Finding]:
    """What is to be done about active people, all or only these `users`. `spared` is who asks.

    Raises aws.AwsProblem.
    """
    identities = own_pool_identities(user__is_active=True)
    if users is not None:
        identities = identities.filter(user__in=list(users))
    found = [(identity, _state(identity, known)) for identity, known in _with_pool(identities)]
    lost = [(identity, state) for identity, state in found if state]
    return [Finding(identity, state, _why_kept(identity, lost, spared)) for identity, state in lost]


def _with_pool(
    identities: QuerySet[Identity],
) -> list[tuple[Identity, user_pool.PoolPerson | None]]:
    rows = list(identities.select_related("user").order_by("pk"))
    if len(rows) <= ASKED_ONE_BY_ONE:
        return [(row, user_pool.find(row.subject)) for row in rows]
    listed = {person.subject: person for person in user_pool.everyone()}
    return [(row, listed.get(row.subject)) for row in rows]


def _state(identity: Identity, known: user_pool.PoolPerson | None) -> str:
    if known is None or known.subject != identity.subject:
        return "gone"
    return "" if known.enabled else "disabled"


def _why_kept(identity: Identity, lost: list[tuple[Identity, str]], spared: Any) -> str:
    if spared is not None and identity.user_id == spared.pk:
        return "nobody deactivates themselves; ask another admin"
    lost_keys = {each.pk for each, _ in lost}
    others = Identity.objects.filter(user=identity.user).exclude(pk__in=lost_keys)
    if other := others.first():
        return f"also signs in as {other}"
    lost_users = {each.user_id for each, _ in lost}
    model = get_user_model()
    if getattr(identity.user, "is_superuser", False):
        left = model._default_manager.filter(is_superuser=True, is_active=True)
        if not left.exclude(pk__in=lost_users).exists():
            return "is the last active superuser; give another one the right first"
    return ""


def to_deactivate(found: Iterable[Finding]) -> list[Finding]:
    """One finding for each person who is not kept."""
    return list({each.identity.user_id: each for each in found if not each.kept}.values())


def why_too_many(lost: list[Finding], at_most: int = MOST) -> str:
    """A sentence or two when these are more people than may be deactivated at once; else empty."""
    if len(lost) <= at_most:
        return ""
    return (
        f"{len(lost)} people would be deactivated, more than {at_most}. Check COGNITO_POOL_ID; if "
        "it is right, use manage.py reconcile_users with --at-most."
    )


def deactivate_all(found: Iterable[Finding], *, at_most: int = MOST) -> list[Finding]:
    """Deactivate the users who are not kept, and return their findings.

    Raises TooManyDeactivations or aws.AwsProblem before anything is changed.
    """
    lost = to_deactivate(found)
    if refusal := why_too_many(lost, at_most):
        raise TooManyDeactivations(refusal)
    # Pages of ListUsers are taken while people come and go, and time has passed: ask about each.
    lost = [each for each in lost if _state(each.identity, user_pool.find(each.identity.subject))]
    for each in lost:
        name, reason = each.identity.username, f"{each.state}_in_pool"
        set_active(each.identity.user, False, reason=reason, pool_username=name)
    return lost
