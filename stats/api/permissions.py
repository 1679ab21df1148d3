"""Who may do what with figures through the API.

People read when they are signed in and write by Django's permissions; machines by their scopes.
"""

from typing import Any

from rest_framework.request import Request

from accounts.permissions import HasScope, IsPerson, Requirement, is_person

READ, WRITE = HasScope("stats/read"), HasScope("stats/write")
MAY_READ = IsPerson | READ


class HasPermission(Requirement):
    """The person has all of these Django permissions."""

    def __init__(self, *permissions: str, message: str) -> None:
        self.permissions = permissions
        self.message = message

    def met_by(self, request: Request) -> bool:
        return is_person(request.user) and request.user.has_perms(self.permissions)


_ADD, _CHANGE, _DELETE = "stats.add_stat", "stats.change_stat", "stats.delete_stat"
_BY_ACTION = {
    "create": HasPermission(_ADD, message="Your account may not add figures."),
    "update": HasPermission(_CHANGE, message="Your account may not change figures."),
    "partial_update": HasPermission(_CHANGE, message="Your account may not change figures."),
    "destroy": HasPermission(_DELETE, message="Your account may not delete figures."),
    "bulk": HasPermission(_ADD, _CHANGE, message="Your account may not add and change figures."),
}


def needed_for(action: str | None, request: Request) -> list[Any]:
    """What the caller of this action has to have."""
    if action not in _BY_ACTION:
        return [MAY_READ()]
    if getattr(request.user, "is_machine", False):
        return [WRITE]
    return [IsPerson(), _BY_ACTION[action]]
