"""Permissions for figures in the API.

All users can read, and write with Django's permissions. Machines need scopes.
"""

from typing import Any

from rest_framework.request import Request

from accounts.core.translation import gettext_noop as _
from accounts.permissions import HasScope, IsUser, Requirement, is_read_only, is_user

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
MAY_ADD = HasPermission(_ADD, message=_("You cannot add figures."))
MAY_CHANGE = HasPermission(_CHANGE, message=_("You cannot change figures."))
MAY_DELETE = HasPermission(_DELETE, message=_("You cannot delete figures."))
MAY_ADD_AND_CHANGE = HasPermission(_ADD, _CHANGE, message=_("You cannot add and change figures."))
# If both parts deny, the response names the last one that was evaluated: WRITE for a machine.
_BY_ACTION = {
    "create": WRITE | (IsUser & MAY_ADD),
    "update": WRITE | (IsUser & MAY_CHANGE),
    "partial_update": WRITE | (IsUser & MAY_CHANGE),
    "destroy": WRITE | (IsUser & MAY_DELETE),
    "bulk": WRITE | (IsUser & MAY_ADD_AND_CHANGE),
}


def required_permissions(action: str | None) -> list[Any]:
    """Return the permissions that `action` requires from the caller."""
    return [_BY_ACTION.get(action or "", MAY_READ)()]


def figure_rights(request: Request) -> dict[str, bool]:
    """Return what the caller can do with figures in the API, by action."""
    actions = {"read": "list", "add": "create", "change": "update", "delete": "destroy"}
    read_only = is_read_only(request)
    return {
        name: (name == "read" or not read_only)
        and all(item.has_permission(request, None) for item in required_permissions(action))
        for name, action in actions.items()
    }
