"""Protecting a view is one line: `permission_classes = [HasScope("stats/write")]`.

    permission_classes = [HasScope("stats/write") | InGroup("editors", "admins")]

`HasScope` admits machines, `InGroup` admits users.

They combine with `&`, `|` and `~`, among themselves and with Django REST framework's own. Pages use
`group_required`, or Django's `login_required` and `permission_required`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from ..cognito.claims import AccessClaims
from ..cognito.step_up import SignInRequirement, check_requirement
from ..provider import provider
from ..provider.client_rights import ClientRights
from ..sessions import step_up
from ..users.groups import pool_groups
from ..users.token_rights import client_rights, effective_scopes
from .bearer import INSUFFICIENT_SCOPE

if TYPE_CHECKING:  # the stubs accept classes and combinations of them only
    from rest_framework.permissions import OperandHolder as Combinable
else:
    from rest_framework.permissions import OperationHolderMixin as Combinable


class Requirement(Combinable, BasePermission):
    """A permission that is an instance and not a class, so that it can take arguments."""

    code = INSUFFICIENT_SCOPE
    message: str
    scope = ""  # what to ask for, for the challenge

    def __call__(self, *args: Any, **kwargs: Any) -> Self:
        return self  # DRF makes an instance of each permission class

    def is_met(self, request: Request) -> bool:
        raise NotImplementedError

    def has_permission(self, request: Request, view: Any) -> bool:
        met = self.is_met(request)
        # A combined permission does not expose which part denied, and the response names it.
        request._unmet = None if met else self  # type: ignore[attr-defined]
        return met


class HasScope(Requirement):
    """A machine whose access token was granted all of these scopes.

    Cognito grants a user any scope that the app client may request, so a scope says nothing about
    what the user may do. `users=True` admits users by scope as well. A browser session has none.
    """

    def __init__(self, *scopes: str, users: bool = False) -> None:
        if not scopes:
            raise ValueError("HasScope needs at least one scope")
        self.scopes = frozenset(scopes)
        self.scope = " ".join(scopes)
        self.users = users
        bearer = "an access token" if users else "a machine's access token (client credentials)"
        self.message = f"This needs {bearer} with the scope {self.scope}."

    def is_met(self, request: Request) -> bool:
        claims = request.auth
        if not isinstance(claims, AccessClaims) or not (claims.is_machine or self.users):
            return False
        return self.scopes <= effective_scopes(claims)


class InGroup(Requirement):
    """A user in at least one of these groups. Machines are in none.

    These are groups of our own pool, by their names there. A user of a trusted pool is in the
    Django groups that the rules of that pool give (`COGNITO_TRUSTED_POOLS`), and in no others.
    """

    def __init__(self, *groups: str) -> None:
        if not groups:
            raise ValueError("InGroup needs at least one group")
        self.groups = frozenset(groups)
        self.message = f"This requires the group {' or '.join(groups)}."

    def is_met(self, request: Request) -> bool:
        return not self.groups.isdisjoint(pool_groups(request))


class RecentSignIn(Requirement):
    """A user who signed in within `max_age` seconds, at the level `acr` or a higher one.

    Other users get 401 `insufficient_user_authentication` with a challenge that names what is
    required (RFC 9470), machines 403.
    """

    message = step_up.MESSAGE

    def __init__(self, *, max_age: int | None = None, acr: str = "") -> None:
        check_requirement(max_age, acr)
        self.max_age, self.acr = max_age, acr

    @property
    def requirement(self) -> SignInRequirement:
        return provider().sign_in_options.require(max_age=self.max_age, acr=self.acr)

    def is_met(self, request: Request) -> bool:
        return is_user(request.user) and step_up.is_met(request, self.requirement)


class IsUser(BasePermission):
    """The permission for users, signed in by token or session. Machines have no access."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return is_user(request.user)


def is_read_only(request: Request) -> bool:
    """Return True if the app client of the access token can only read (COGNITO_CLIENT_RIGHTS)."""
    claims = request.auth
    return isinstance(claims, AccessClaims) and client_rights(claims) is ClientRights.READ


def is_user(user: Any) -> bool:
    """Return True if `request.user` is a user, and not anonymous or a machine."""
    return bool(user and user.is_authenticated and not getattr(user, "is_machine", False))
