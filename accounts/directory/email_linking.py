"""Links between pool users and existing users by email address: proposed here, made by an operator.

This is for a site that already has users. A sign-in never links by email address, because anyone
who controls an address at the pool would get the account with that address here. A link is
proposed only if the pool has verified the address, and exactly one pool user and one user here have
it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth import get_user_model

from ..models import Identity
from ..problems.errors import LinkError
from ..provider import provider, user_pool
from ..users.copied_claims import email_field_name, email_of
from ..users.provisioning import own_pool_identities
from .manual_linking import PoolLink, create_link


@dataclass(frozen=True)
class Proposal:
    """A pool user, and the user to link or the reason why there is none."""

    subject: str
    username: str
    email: str
    user: Any = None
    reason: str = ""


def pool_users() -> Iterator[Mapping[str, str]]:
    """Yield the attributes of each enabled pool user, with `username`. Raises aws.AwsError."""
    for pool_user in user_pool.list_users():
        if pool_user.enabled:
            yield {**pool_user.attributes, "username": pool_user.username}


def propose_links(candidates: Iterable[Mapping[str, str]]) -> list[Proposal]:
    """Return a proposal for each pool user, including those that cannot be linked."""
    candidates = list(candidates)
    emails = Counter(_lower_ascii(candidate.get("email", "")) for candidate in candidates)
    return [_proposal(candidate, emails) for candidate in candidates]


def _proposal(candidate: Mapping[str, str], emails: Counter[bytes]) -> Proposal:
    email = candidate.get("email", "")
    subject, username = candidate["sub"], candidate["username"]

    def without_user(reason: str) -> Proposal:
        return Proposal(subject, username, email, reason=reason)

    identity = Identity.objects.get_exact(_link_to(None, subject))
    if identity is not None:
        return without_user(f"is already linked to {identity.user.get_username()}")
    if not email or candidate.get("email_verified") != "true":
        return without_user("has no verified email address")
    if emails[_lower_ascii(email)] > 1:
        return without_user("shares its email address with another pool user")
    users = [
        user for user in _similar(email) if _lower_ascii(email_of(user)) == _lower_ascii(email)
    ]
    if not users:
        return without_user("has an email address that no user here has")
    if len(users) > 1:
        return without_user("has an email address that several users here have")
    [user] = users
    if not user.is_active:
        return without_user(f"matches {user.get_username()}, who is deactivated")
    if own_pool_identities(user=user).exists():
        return without_user(f"matches {user.get_username()}, who is linked to another pool user")
    return Proposal(subject, username, email, user=user)


def _similar(email: str) -> Iterable[Any]:
    model: Any = get_user_model()
    name = email_field_name(model)
    return model._default_manager.filter(**{f"{name}__iexact": email}) if name else ()


def _lower_ascii(email: str) -> bytes:
    """Return the email address with lowercase ASCII letters; other letters stay.

    A database may treat the Kelvin sign as a k, and so two addresses as the same (CVE-2019-19844).
    """
    return email.encode().lower()


def link(proposal: Proposal) -> bool:
    """Link the user and record it. Return False if another process was faster."""
    pending_link = replace(
        _link_to(proposal.user, proposal.subject),
        username=proposal.username,
        email=proposal.email,
        email_verified=True,
    )
    try:
        create_link(pending_link, reason="verified_email")
    except LinkError:
        return False
    return True


def _link_to(user: Any, subject: str) -> PoolLink:
    """Return a link of `user` to the user of our own pool with this ID."""
    config = provider().config
    return PoolLink(user, config.pool_id, config.issuer, subject)
