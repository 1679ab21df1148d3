"""One identity of one pool is one person here, because an operator says so.

The only way for two pools to share a person, and for somebody whose address their pool has not
verified. Nothing is guessed: the operator names person, pool and user id (sub). An identity that
already is somebody here is taken from them only if they hold nothing but what the pool gave: an
account that came about when the identity called the API before it was linked. Any link, one by
address included, can be undone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from ..audit import events
from ..cognito.config import CognitoConfig, TrustedPool
from ..models import EventKind, Identity, SignIn, SignInEvent
from ..privacy.deletion_preview import Rows, deletion_of
from ..problems.errors import LinkRefused
from ..provider import user_pool
from ..provider.settings import read_config, read_trusted_pools
from ..sessions import ending, sign_out
from ..tokens import revocations
from ..users import groups


@dataclass(frozen=True)
class PoolLink:
    """`identity`: the row there is already, which then is `previous`'s; None when it is new."""

    user: Any
    issuer: str
    subject: str
    username: str = ""
    email: str = ""
    identity: Identity | None = None
    email_verified: bool = False

    @property
    def previous(self) -> Any:
        return self.identity.user if self.identity else None


def issuer_called(name: str) -> str:
    """The issuer of our own or a trusted pool, by its id or issuer. Raises LinkRefused."""
    pools: list[CognitoConfig | TrustedPool] = [read_config(), *read_trusted_pools()]
    for pool in pools:
        if name in (pool.pool_id, pool.issuer):
            return pool.issuer
    known = ", ".join(pool.pool_id for pool in pools)
    raise LinkRefused(
        f"{name} is no pool of this site; its pools are {known}. Others are named in "
        "COGNITO_TRUSTED_POOLS."
    )


def pool_link(user: Any, *, issuer: str, subject: str) -> PoolLink:
    """The link, looked at from all sides; nothing is changed.

    Our own pool is asked whether it knows the user id; another one is not ours to ask.

    Raises LinkRefused, aws.AwsProblem.
    """
    name = user.get_username()
    if not getattr(user, "is_active", True):
        raise LinkRefused(f"{name} is deactivated. Activate them first, in the admin.")
    identity = Identity.objects.select_related("user").of(issuer=issuer, subject=subject)
    if identity is not None and identity.user_id == user.pk:
        raise LinkRefused(f"{subject} at {issuer} is {name} already.")
    if other := Identity.objects.filter(user=user, issuer=issuer).first():
        raise LinkRefused(f"{name} is {other} already, and nobody is two people of one pool.")
    if identity is not None:
        _require_nothing_held(identity)
        return PoolLink(user, issuer, subject, identity.username, identity.email, identity)
    if issuer != read_config().issuer:
        return PoolLink(user, issuer, subject)
    known = user_pool.find(subject)
    if known is None or known.subject != subject:
        raise LinkRefused(f"The pool has nobody with the user id {subject}.")
    return PoolLink(user, issuer, subject, known.username, known.email)


def make_pool_link(link: PoolLink, *, reason: str = "operator") -> bool:
    """Make the link and record it. False: the provider was not reached for earlier tokens of the
    identity; housekeeping goes on. Raises LinkRefused when somebody was quicker."""
    try:
        with transaction.atomic():
            pending = _taken_over(link) if link.identity else _created(link)
    except IntegrityError as error:
        raise LinkRefused("This identity became somebody's just now. Look again.") from error
    events.record(
        EventKind.LINKED,
        user=link.user,
        pool_username=link.username,
        reason=reason,
        issuer=link.issuer,
        subject=link.subject,
        instead_of=link.previous.get_username() if link.previous else "",
    )
    return ending.revoke(pending)


def linked_identity(user: Any, *, issuer: str, subject: str) -> Identity:
    """The identity that is this person now, to be taken from them. Raises LinkRefused."""
    identity = Identity.objects.select_related("user").of(issuer=issuer, subject=subject)
    if identity is None or identity.user_id != user.pk:
        raise LinkRefused(f"{subject} at {issuer} is not {user.get_username()}.")
    return identity


def undo_link(identity: Identity) -> bool:
    """End all that this identity has here, and let it be nobody: whoever comes with it comes anew.
    The person stays, with what they did. False: as for `make_pool_link`."""
    user, who = identity.user, {"issuer": identity.issuer, "subject": identity.subject}
    with transaction.atomic():
        revocations.revoke_person(**who)
        rows = SignIn.objects.live().select_related("user").filter(user=user, **who)
        pending = [ending.end(row, reason=SignIn.EndReason.BY_OPERATOR) for row in rows]
        groups.take_back(identity)
        identity.delete()
        events.record(
            EventKind.UNLINKED,
            user=user,
            pool_username=identity.username,
            reason="operator",
            issuer=identity.issuer,
            subject=identity.subject,
        )
    return ending.revoke(pending)


def _created(link: PoolLink) -> list[Any]:
    Identity.objects.create(
        user=link.user,
        issuer=link.issuer,
        subject=link.subject,
        username=link.username,
        email=link.email,
        email_verified=link.email_verified,
    )
    return []


def _taken_over(link: PoolLink) -> list[Any]:
    """The identity and its history move, tokens that spoke for the earlier account end, and that
    account goes. What its pool's groups give, the next token gives anew."""
    previous, moved = link.previous, {"user": link.user}
    _, pending = sign_out.end_everything(previous, reason=SignIn.EndReason.EVERYWHERE)
    rights: dict[str, Any] = {
        "groups": [],
        "groups_as_of": None,
        "staff_from_pool": False,
        "superuser_from_pool": False,
    }
    mine = Identity.objects.filter(user=previous, issuer=link.issuer, subject=link.subject)
    if not mine.update(**moved, **rights):
        raise LinkRefused("This identity became somebody else's just now. Look again.")
    SignIn.objects.filter(user=previous).update(**moved)
    SignInEvent.objects.filter(user=previous).update(**moved)
    if held := _held(previous):
        raise LinkRefused(f"{previous.get_username()} was given {held[0]} just now. Look again.")
    previous.delete()
    return pending


def _require_nothing_held(identity: Identity) -> None:
    user = identity.user
    name = user.get_username()
    what_to_do = "Look at both, and forget one of them first (`manage.py forget_user`)."
    if not getattr(user, "is_active", True):  # whoever was shut out must not be back by a link
        raise LinkRefused(f"This identity is {name}, who is deactivated. {what_to_do}")
    if other := Identity.objects.filter(user=user).exclude(pk=identity.pk).first():
        raise LinkRefused(f"This identity is {name}, who is {other} as well. {what_to_do}")
    if held := _held(user):
        rows = ", ".join(map(str, held))
        raise LinkRefused(f"This identity is {name}, who has data here ({rows}). {what_to_do}")
    by_hand = (
        (getattr(user, "is_staff", False) and not identity.staff_from_pool)
        or (getattr(user, "is_superuser", False) and not identity.superuser_from_pool)
        or user.has_usable_password()
        or _groups_by_hand(identity)
    )
    if by_hand:
        why = "who was given rights or a password here"
        raise LinkRefused(f"This identity is {name}, {why}. {what_to_do}")


def _groups_by_hand(identity: Identity) -> bool:
    user, given = identity.user, groups.rights_of(identity).groups
    return hasattr(user, "groups") and user.groups.exclude(name__in=given).exists()


def _held(user: Any) -> list[Rows]:
    """Rows of the person that are more than the pool's: of the site, or permissions."""
    ours = {type(user), Identity, SignIn, SignInEvent}
    if hasattr(user, "groups"):
        ours.add(type(user).groups.through)
    found = deletion_of(user)
    rows = [*found.going, *found.staying, *found.blocking]
    return [each for each in rows if each.model not in ours]
