"""COGNITO_GROUPS: the rights that groups of the user pool grant on this site. Plain Python.

A JSON object, group of the pool -> Django group, a list of them, or an object that can also grant
staff and superuser status:

    {"editors": "editors", "admins": {"groups": ["managers"], "staff": true, "superuser": true}}
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Flag(NamedTuple):
    """A status in `Rights`, its field of the user, and its source mark on the identity."""

    right: str
    user_field: str
    identity_field: str


FLAGS = (
    Flag("staff", "is_staff", "staff_from_pool"),
    Flag("superuser", "is_superuser", "superuser_from_pool"),
)
_MEMBERS = {"groups", "staff", "superuser"}
_MAX_NAME_LENGTH = 150  # characters, as in Django's model Group


@dataclass(frozen=True)
class Rights:
    """Django groups by name, and staff and superuser status."""

    groups: frozenset[str] = frozenset()
    staff: bool = False
    superuser: bool = False

    @property
    def gives_status(self) -> bool:
        return self.staff or self.superuser

    def __or__(self, other: Rights) -> Rights:
        return Rights(
            groups=self.groups | other.groups,
            staff=self.staff or other.staff,
            superuser=self.superuser or other.superuser,
        )


@dataclass(frozen=True)
class GroupMapping:
    """The rules of one pool. Without rules, its groups neither grant nor revoke rights.

    `absent_means_none` is True if a token without the groups claim belongs to a user without
    groups, as Cognito issues it. It is False if a token-generation Lambda may omit the claim.
    """

    rules: Mapping[str, Rights] = field(default_factory=dict)
    absent_means_none: bool = True

    @property
    def django_groups(self) -> frozenset[str]:
        """The Django groups that this mapping manages. Other changes to them do not last."""
        return frozenset(name for rights in self.rules.values() for name in rights.groups)

    def rights(self, pool_groups: Iterable[str]) -> Rights:
        """Return the rights of a user who is in all of these groups of the pool."""
        rights = Rights()
        for name in pool_groups:
            rights |= self.rules.get(name, Rights())
        return rights

    def unmapped(self, pool_groups: Iterable[str], *, pool_id: str) -> list[str]:
        """Return the groups of the pool that have no rule.

        The groups that Cognito creates for each external identity provider, `POOLID_Provider`, are
        left out.
        """
        return [
            name
            for name in pool_groups
            if name not in self.rules and not name.startswith(f"{pool_id}_")
        ]


NO_GROUPS = GroupMapping()


def parse_rules(value: Mapping[str, Any]) -> dict[str, Rights]:
    """Return the rules of a COGNITO_GROUPS object. Raises ValueError that names the wrong rule."""
    if not isinstance(value, Mapping):
        raise ValueError("must be an object: group of the pool -> its rights")
    return {name: _rights(name, rule) for name, rule in value.items()}


def _rights(name: str, rule: Any) -> Rights:
    if not re.fullmatch(r"\S{1,128}", name):
        raise ValueError(f"(group {name!r}) must name groups of the pool, which have no spaces")
    if isinstance(rule, str | list):
        rule = {"groups": rule}
    if not isinstance(rule, dict) or not rule.keys() <= _MEMBERS:
        raise ValueError(
            f"(group {name!r}) must be a Django group, a list of them, or an object with "
            f"groups, staff and superuser"
        )
    groups = rule.get("groups", [])
    names = [groups] if isinstance(groups, str) else groups
    if not isinstance(names, list) or not all(_is_group_name(group) for group in names):
        raise ValueError(f"(group {name!r}) must name Django groups as strings")
    for flag in ("staff", "superuser"):
        if not isinstance(rule.get(flag, False), bool):
            raise ValueError(f"(group {name!r}) must have true or false for {flag}")
    return Rights(frozenset(names), rule.get("staff", False), rule.get("superuser", False))


def _is_group_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _MAX_NAME_LENGTH
