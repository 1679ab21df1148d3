"""Which user of this site is which person of the pool: proposed here, decided by an operator.

For a site that had its own users before. Signing in never does this: whoever controls an e-mail
address at the pool would get the account that carries it here. A link is proposed only where the
pool has verified the address and exactly one person there and one user here have it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model

from ..models import Identity
from ..problems.errors import LinkRefused
from ..provider import provider, user_pool
from ..users.provisioning import own_pool_identities
from .manual_linking import PoolLink, make_pool_link


@dataclass(frozen=True)
class Proposal:
    """One person of the pool, and the user to link or the reason not to."""

    subject: str
    username: str
    email: str
    user: Any = None
    reason: str = ""


def people_of_the_pool() -> Iterator[Mapping[str, str]]:
    """Each enabled person's attributes with `username`. Raises aws.AwsProblem."""
    for person in user_pool.everyone():
        if person.enabled:
            yield {**person.attributes, "username": person.username}


def proposals(people: Iterable[Mapping[str, str]]) -> list[Proposal]:
    """One for each person of the pool, linkable or not."""
    known = list(people)
    addresses = Counter(_folded(person.get("email", "")) for person in known)
    return [_proposal(person, addresses) for person in known]


def _proposal(person: Mapping[str, str], addresses: Counter[bytes]) -> Proposal:
    email = person.get("email", "")
    subject, username = person["sub"], person["username"]

    def refused(reason: str) -> Proposal:
        return Proposal(subject, username, email, reason=reason)

    identity = Identity.objects.of(issuer=provider().config.issuer, subject=subject)
    if identity is not None:
        return refused(f"is {identity.user.get_username()} already")
    if not email or person.get("email_verified") != "true":
        return refused("has no verified e-mail address")
    if addresses[_folded(email)] > 1:
        return refused("shares the e-mail address with others in the pool")
    alike = get_user_model()._default_manager.filter(email__iexact=email)
    users = [user for user in alike if _folded(user.email) == _folded(email)]
    if not users:
        return refused("has an e-mail address that nobody has here")
    if len(users) > 1:
        return refused("has an e-mail address that several users have here")
    [user] = users
    if not user.is_active:
        return refused(f"would be {user.get_username()}, who is deactivated")
    if own_pool_identities(user=user).exists():
        return refused(f"would be {user.get_username()}, who is somebody else in the pool")
    return Proposal(subject, username, email, user=user)


def _folded(email: str) -> bytes:
    """Without regard to case, of ASCII letters alone: a database may take the Kelvin sign for a k,
    and so one person's address for another's (CVE-2019-19844)."""
    return email.encode().lower()


def link(proposal: Proposal) -> bool:
    """Make the link. Return False if the identity was linked in the meantime."""
    identity = PoolLink(
        proposal.user,
        provider().config.issuer,
        proposal.subject,
        proposal.username,
        proposal.email,
        email_verified=True,
    )
    try:
        make_pool_link(identity, reason="verified_email")
    except LinkRefused:
        return False
    return True
