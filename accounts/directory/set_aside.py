"""Accounts that no sign-in leads to, because another account has their pool user.

A site has them if it ran an earlier version while the issuer of its pool was switched: each user
then got a second account. The migration 0002 kept both, and chose the one that is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ..models import Identity


class SetAside(NamedTuple):
    """An identity that is set aside, and the one that is used instead."""

    identity: Identity
    used: Identity


def set_aside_accounts(used_by: Any = None) -> Iterator[SetAside]:
    """Yield the accounts that are set aside: all, or those in whose place `used_by` is used."""
    identities = Identity.objects.set_aside().select_related("user").order_by("pk")
    if used_by is not None:
        subjects = Identity.objects.filter(user=used_by).values("subject")
        identities = identities.filter(subject__in=subjects)
    for identity in identities.iterator():
        used = identity.successor
        if used is not None and used_by in (None, used.user):
            yield SetAside(identity, used)
