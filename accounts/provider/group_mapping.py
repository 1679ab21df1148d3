"""COGNITO_GROUPS: which groups of the pool give which rights on this site. Plain Python.

A JSON object, group of the pool -> Django group, a list of them, or an object that may also give
staff and superuser rights:

    {"editors": "editors", "admins": {"groups": ["managers"], "staff": true, "superuser": true}}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Flag(NamedTuple):
    """A right of `Rights`, its field of the user, and the mark of its source on an Identity."""

    right: str
    user_field: str
    identity_field: str


FLAGS = (
    Flag("staff", "is_staff", "staff_from_pool"),
    Flag("superuser", "is_superuser", "superuser_from_pool"),
)
_MEMBERS = {"groups", "staff", "superuser"}
_LONGEST_NAME = 150  # characters; a Django group's name holds no more


@dataclass(frozen=True)
class Rights:
    """Django groups by name, and the two flags of a Django user."""

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
    """The rules of one pool. With none, its groups give nothing and take nothing.

    `absent_means_none`: a token without the groups claim is of somebody in no group, which is how
    Cognito says it; False where a token-generation Lambda may leave the claim out.
    """

    rules: Mapping[str, Rights] = field(default_factory=dict)
    absent_means_none: bool = True

    @property
    def django_groups(self) -> frozenset[str]:
        """Groups that belong to the mapping: nobody else gives or takes them for long."""
        return frozenset(name for rights in self.rules.values() for name in rights.groups)

    def rights(self, pool_groups: Iterable[str]) -> Rights:
        """What being in all of these groups of the pool gives."""
        given = Rights()
        for name in pool_groups:
            given |= self.rules.get(name, Rights())
        return given

    def unmapped(self, pool_groups: Iterable[str], *, issuer: str) -> list[str]:
        """Groups without a rule, but for those that Cognito itself makes for each outside
        provider: `POOLID_Provider`."""
        of_federation = issuer.rstrip("/").rsplit("/", 1)[-1] + "_"
        return [
            name
            for name in pool_groups
            if name not in self.rules and not name.startswith(of_federation)
        ]


def parse_rules(value: Mapping[str, Any]) -> dict[str, Rights]:
    """The rules of a COGNITO_GROUPS object. Raises ValueError that says which rule is wrong."""
    if not isinstance(value, Mapping):
        raise ValueError("must be an object: group of the pool -> what it gives")
    return {name: _rights(name, rule) for name, rule in value.items()}


def _rights(name: str, rule: Any) -> Rights:
    if isinstance(rule, str | list):
        rule = {"groups": rule}
    if not isinstance(rule, dict) or not rule.keys() <= _MEMBERS:
        raise ValueError(
            f"(group {name!r}) must be a Django group, a list of them, or an object of "
            f"groups, staff and superuser"
        )
    groups = rule.get("groups", [])
    names = [groups] if isinstance(groups, str) else groups
    if not isinstance(names, list) or not all(_is_group_name(each) for each in names):
        raise ValueError(f"(group {name!r}) must name Django groups as texts")
    for flag in ("staff", "superuser"):
        if not isinstance(rule.get(flag, False), bool):
            raise ValueError(f"(group {name!r}) must have true or false for {flag}")
    return Rights(frozenset(names), rule.get("staff", False), rule.get("superuser", False))


def _is_group_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME
