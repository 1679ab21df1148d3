"""Permissions for figures in the API.

All users can read, and write with Django's permissions. Machines need scopes.
"""

from typing import Any

from rest_framework.request import Request

from accounts.permissions import HasScope, IsUser, Requirement, is_user

READ, WRITE = HasScope("stats/read"), HasScope("stats/write")
MAY_READ = IsUser | READ


class HasPermission(Requirement):
    """The user has all of these Django permissions."""

    def __init__(self, *permissions: str, message: str) -> None:
        self.permissions = permissions
        self.message = message

    def is_met(self, request: Request) -> bool:
        return is_user(request.user) and request.user.has_perms(self.permissions)


_ADD, _CHANGE, _DELETE = "stats.add_stat", "stats.change_stat", "stats.delete_stat"
_BY_ACTION = {
    "create": HasPermission(_ADD, message="You cannot add figures."),
    "update": HasPermission(_CHANGE, message="You cannot change figures."),
    "partial_update": HasPermission(_CHANGE, message="You cannot change figures."),
    "destroy": HasPermission(_DELETE, message="You cannot delete figures."),
    "bulk": HasPermission(_ADD, _CHANGE, message="You cannot add and change figures."),
}


def required_permissions(action: str | None, request: Request) -> list[Any]:
    """Return the permissions that `action` requires from the caller."""
    if action not in _BY_ACTION:
        return [MAY_READ()]
    if getattr(request.user, "is_machine", False):
        return [WRITE]
    return [IsUser(), _BY_ACTION[action]]
