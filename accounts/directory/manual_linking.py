"""Links between one identity and one user, named by an operator.

Use it for a user with identities of two pools, or whose email address the pool has not verified.
The operator names the user, the pool and the user ID (sub). If the identity already has another
user, because it called the API before it was linked, that user must have no data and no rights of
its own. Any link can be removed, including one by email address.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.db import IntegrityError

from ..audit import events
from ..cognito.pool import Pool
from ..core.db import atomic
from ..models import EventKind, Identity, SignIn, SignInEvent
from ..problems.errors import LinkError
from ..provider import user_pool
from ..provider.settings import read_config, read_pools
from ..sessions import ending, sign_out
from ..tokens import revocations
from ..users import groups
from .empty_user import related_objects, require_empty_user


@dataclass(frozen=True)
class PoolLink:
    """A link to make. `identity` exists already and belongs to `previous`, or is None if new."""

    user: Any
    pool_id: str
    issuer: str
    subject: str
    username: str = ""
    email: str = ""
    identity: Identity | None = None
    email_verified: bool = False

    @property
    def previous(self) -> Any:
        return self.identity.user if self.identity else None


def resolve_pool(name: str) -> Pool:
    """Return our own or a trusted pool, by its ID or an issuer. Raises LinkError."""
    pools = read_pools()
    for pool in pools.values():
        if name in (pool.pool_id, *pool.issuers):
            return pool
    pool_ids = ", ".join(pools)
    raise LinkError(
        f"{name} is not a user pool of this site. Its pools are {pool_ids}. To trust another pool, "
        "add it to COGNITO_TRUSTED_POOLS."
    )


def prepare_link(user: Any, *, pool: Pool, subject: str) -> PoolLink:
    """Check that the link can be made, and return it. This changes nothing.

    The user ID must exist in our own pool. This site cannot query other pools.

    Raises LinkError, aws.AwsError.
    """
    name = user.get_username()
    if not getattr(user, "is_active", True):
        raise LinkError(f"{name} is deactivated. Activate the user in the admin first.")
    link = PoolLink(user, pool.pool_id, pool.issuer, subject)
    identity = Identity.objects.select_related("user").get_exact(link)
    if identity is not None and identity.user_id == user.pk:
        raise LinkError(f"{subject} at {pool.pool_id} is already linked to {name}.")
    others = [other for other in Identity.objects.filter(user=user) if other.is_of_pool(link)]
    if other := next((other for other in others if other.subject != subject), None):
        raise LinkError(
            f"{name} is already linked to {other}. A user can have only one identity of each pool. "
            "Unlink that one first, with --undo."
        )
    if identity is not None:
        require_empty_user(identity)
        return replace(link, username=identity.username, email=identity.email, identity=identity)
    if pool.pool_id != read_config().pool_id:
        return link
    pool_user = user_pool.get_user(subject)
    if pool_user is None or pool_user.subject != subject:
        raise LinkError(f"The pool has no user with the user ID (sub) {subject}. Check the ID.")
    return replace(link, username=pool_user.username, email=pool_user.email)


def create_link(link: PoolLink, *, reason: str = "operator") -> bool:
    """Make the link and record it.

    Return False if Cognito did not respond when earlier tokens of the identity were revoked. Then
    `manage.py cognito_housekeeping` tries again.

    Raises LinkError if the identity or the user was linked in the meantime.
    """
    try:
        with atomic(Identity):
            pending = (
                _move_identity(link, link.identity) if link.identity else _create_identity(link)
            )
    except IntegrityError as error:
        raise LinkError(
            "This identity or user was linked in the meantime. Run the command again."
        ) from error
    events.record_event(
        EventKind.LINKED,
        user=link.user,
        pool_username=link.username,
        reason=reason,
        issuer=link.issuer,
        subject=link.subject,
        instead_of=link.previous.get_username() if link.previous else "",
    )
    return ending.revoke_at_cognito(pending)


def link_user(user: Any, subject: str, *, reason: str = "import") -> None:
    """Link `user` to the user of our own pool with this ID (`sub`), unless that was done before.

    For a site that has the IDs already, because another library verified them. The pool is not
    queried. Raises LinkError if the user or the pool user is linked to another one.
    """
    link = PoolLink(user, read_config().pool_id, read_config().issuer, subject)
    others = [other for other in Identity.objects.filter(user=user) if other.is_of_pool(link)]
    identity = Identity.objects.select_related("user").get_exact(link)
    if identity is not None and identity.user_id == user.pk:
        return
    if identity is not None:
        raise LinkError(f"{subject} is already linked to {identity.user.get_username()}.")
    if others:
        raise LinkError(f"{user.get_username()} is already linked to {others[0]}.")
    create_link(link, reason=reason)


def linked_identity(user: Any, *, pool: Pool, subject: str) -> Identity:
    """Return this identity of the user, even if it is set aside.

    Raises LinkError if it is not linked to the user.
    """
    key = PoolLink(user, pool.pool_id, pool.issuer, subject)
    if identity := _own_identity(key):
        return identity
    raise LinkError(
        f"{subject} at {pool.pool_id} is not linked to {user.get_username()}. Search in the admin "
        "under Identities."
    )


def unlink(identity: Identity) -> bool:
    """Unlink `identity` from its user and end its sign-ins.

    The user stays. The next sign-in with this identity creates a new user, or uses the account that
    was set aside. Return False as `create_link` does.
    """
    user = identity.user
    with atomic(Identity):
        revocations.revoke_user(identity)
        sign_ins = SignIn.objects.live().select_related("user").filter(user=user)
        pending = [
            ending.end_sign_in(sign_in, reason=SignIn.EndReason.BY_OPERATOR)
            for sign_in in sign_ins.filter(subject=identity.subject)
            if identity.is_of_pool(sign_in)
        ]
        groups.revoke_group_rights(identity)
        identity.delete()
        events.record_event(
            EventKind.UNLINKED,
            user=user,
            pool_username=identity.username,
            reason="operator",
            issuer=identity.issuer,
            subject=identity.subject,
        )
    return ending.revoke_at_cognito(pending)


def _create_identity(link: PoolLink) -> list[Any]:
    Identity.objects.create(
        user=link.user,
        pool_id=link.pool_id,
        issuer=link.issuer,
        subject=link.subject,
        username=link.username,
        email=link.email,
        email_verified=link.email_verified,
    )
    return []


def _move_identity(link: PoolLink, identity: Identity) -> list[Any]:
    """Move the identity and its history to the user, and delete the user that it had.

    If the user's own identity of this pool user is set aside, that one is used again instead.
    Earlier tokens of the identity are revoked. Its next token grants the rights of its groups.
    """
    previous, new_user = link.previous, {"user": link.user}
    _, pending = sign_out.end_all_sign_ins(previous, reason=SignIn.EndReason.EVERYWHERE)
    rights: dict[str, Any] = {
        "groups": [],
        "groups_as_of": None,
        "staff_from_pool": False,
        "superuser_from_pool": False,
    }
    moved = Identity.objects.filter(pk=identity.pk, user=previous)
    if own := _own_identity(link):
        is_moved = moved.delete()[0]
        Identity.objects.filter(pk=own.pk).update(pool_id=link.pool_id)
    else:
        is_moved = moved.update(**new_user, **rights)
    if not is_moved:
        raise LinkError(
            "This identity was linked to another user in the meantime. Run the command again."
        )
    SignIn.objects.filter(user=previous).update(**new_user)
    SignInEvent.objects.filter(user=previous).update(**new_user)
    if objects := related_objects(previous):
        raise LinkError(
            f"{previous.get_username()} got new data in the meantime ({objects[0]}). Run the "
            "command again."
        )
    previous.delete()
    return pending


def _own_identity(link: PoolLink) -> Identity | None:
    """Return the identity of this pool user that the user of `link` has, even if set aside."""
    identities = Identity.objects.select_related("user").filter(user=link.user)
    return next(
        (
            identity
            for identity in identities.filter(subject=link.subject)
            if identity.subject == link.subject and identity.is_of_pool(link)
        ),
        None,
    )
