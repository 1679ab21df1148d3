"""From a verified identity to a user of this site: the one rule for pages and API alike.

The backend that `AUTHENTICATION_BACKENDS` lists decides which user it is, with its hooks.
"""

from __future__ import annotations

from typing import Any

from django.contrib import auth
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import IntegrityError
from django.db.models import QuerySet

from ..audit import events
from ..cognito.claims import AccessClaims, IdClaims
from ..cognito.errors import ConfigurationError
from ..core.db import atomic
from ..core.request_context import current_request
from ..models import EventKind, Identity
from ..models.users import has_access
from ..problems.errors import ClaimsRefused, UnknownUser, UserDeactivated
from ..provider import provider
from .backend_hooks import BackendHooks, UserClaims, identity_key
from .groups import apply_groups


def get_or_create_user(
    claims: AccessClaims | IdClaims, *, access_token: str = "", id_token: str = ""
) -> Any:
    """Return the active user of a verified token, created or updated by the configured backend.

    `access_token` and `id_token` are passed to its `get_userinfo`.

    Raises:
        UnknownUser: there is no such user, and users are not created at sign-in.
        ClaimsRefused: the backend refused the claims, or returned the user of another identity.
        UserNotCreated: the user model or the database refuses the new user.
        UserDeactivated: the user is not active.
    """
    backend, user_claims = configured_backend(), UserClaims(claims)
    who = {"pool_username": claims.username or "", "subject": claims.subject}
    try:
        user = backend.get_or_create_user(access_token, id_token, user_claims)
        if user is not None and _link(user, user_claims):
            user = backend.update_user(user, user_claims)
        if user is not None and _has_own_update(backend):
            apply_groups(user, claims)
    except (SuspiciousOperation, PermissionDenied) as error:
        message = str(error) or "the authentication backend refused these claims"
        raise ClaimsRefused(message, **who) from error
    if user is None:
        if user_claims.find_user() is not None:
            problem = "lists a backend whose hooks returned no user: update_user() must return it"
            raise ConfigurationError({"AUTHENTICATION_BACKENDS": problem})
        raise UnknownUser("no user of this site has this identity", **who)
    if not has_access(user):
        raise UserDeactivated("this user was deactivated on this site", user=user, **who)
    return user


def update_user(user: Any, claims: IdClaims) -> Any:
    """Update the user of a renewed ID token with `update_user` of the configured backend.

    The groups are applied first, whatever a host project's `update_user` does.
    """
    backend = configured_backend()
    if _has_own_update(backend):
        apply_groups(user, claims)
    return backend.update_user(user, UserClaims(claims))


def own_pool_identities(**lookups: Any) -> QuerySet[Identity]:
    """Return the identities of our own user pool that match `lookups`, such as `user=user`."""
    return Identity.objects.filter(pool_id=provider().config.pool_id, **lookups)


def configured_backend() -> BackendHooks:
    """Return the backend that AUTHENTICATION_BACKENDS lists. Raises ConfigurationError."""
    for backend in auth.get_backends():
        if isinstance(backend, BackendHooks):
            backend.request = current_request()
            return backend
    problem = "lists no CognitoBackend, so no user can sign in: add it, or your subclass of it"
    raise ConfigurationError({"AUTHENTICATION_BACKENDS": problem})


def _has_own_update(backend: BackendHooks) -> bool:
    """Return True if a host project's `update_user` may leave out the groups."""
    return type(backend).update_user is not BackendHooks.update_user


def _link(user: Any, user_claims: UserClaims) -> bool:
    """Link the identity to `user` if it has no user yet, and return True if this linked it.

    A host's hook may have matched an existing user, or created one without an identity.
    Raises SuspiciousOperation if another user has the identity.
    """
    claims, identity = user_claims.verified, user_claims.identity
    if identity is None or identity.user_id != user.pk:
        identity = Identity.objects.get_exact(claims)
    if identity is None:
        try:
            with atomic(Identity):
                user_claims.identity = Identity.objects.create(user=user, **identity_key(claims))
        except IntegrityError:
            identity = Identity.objects.get_exact(claims)
        else:
            events.record_event(
                EventKind.LINKED,
                user=user,
                pool_username=claims.username or "",
                reason="hook",
                subject=claims.subject,
            )
            return True
    if identity is None or identity.user_id != user.pk:
        raise SuspiciousOperation("this identity is linked to another user than the backend chose")
    return False
