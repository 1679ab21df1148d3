"""The hooks of mozilla-django-oidc's backend, with defaults that fit Cognito.

A host project overrides them in a subclass of `CognitoBackend`. Every way in uses them: a browser's
sign-in, the renewal of its tokens, the code exchange of a single-page app, the first use of an
access token. Users are identified by pool and subject alone: a matching email address proves
nothing.
"""

from __future__ import annotations

import logging
import secrets
from itertools import product
from typing import Any

from django.core.exceptions import ImproperlyConfigured, PermissionDenied, SuspiciousOperation
from django.db import DatabaseError
from django.db.models import QuerySet
from django.http import HttpRequest
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from ..cognito.claims import AccessClaims, IdClaims
from ..core.db import atomic
from ..models import Identity
from ..problems.errors import UserNotCreated
from ..problems.outage import is_outage
from .copied_claims import MAX_EMAIL_LENGTH, describe, profile_values, save_profile
from .creation import INSERTS, max_username_length, missing_fields, required_values
from .groups import apply_groups

_log = logging.getLogger(__name__)


class UserClaims(dict[str, Any]):
    """The claims of a verified token by their names, and in `verified` with their types.

    `verified` is an `IdClaims` or, at the first use of an access token, an `AccessClaims`. Access
    tokens have no name and no email address. `identity` is theirs as it was last read.
    """

    identity: Identity | None = None

    def __init__(self, verified: AccessClaims | IdClaims) -> None:
        super().__init__(verified.raw)
        self.verified = verified

    def find_user(self) -> Any:
        """Return the user with this identity, or None."""
        self.identity = Identity.objects.select_related("user").get_exact(self.verified)
        return self.identity and self.identity.user


class BackendHooks(OIDCAuthenticationBackend):  # type: ignore[misc]
    """The hooks that find, create and update users.

    `request` is the current request, or None if there is none.
    """

    request: HttpRequest | None = None

    def get_userinfo(self, access_token: str, id_token: str, payload: UserClaims) -> UserClaims:
        """Return the claims of the verified token. The userinfo endpoint is not called.

        `id_token` is "" at the first use of an access token.
        """
        return payload

    def verify_claims(self, claims: UserClaims) -> bool:
        """Return True if a user with these claims has access to this site."""
        return True

    def filter_users_by_claims(self, claims: UserClaims) -> list[Any]:
        """Return a list of the user with this pool and subject, or an empty list."""
        _verified(claims)
        user = claims.find_user()
        return [] if user is None else [user]

    def describe_user_by_claims(self, claims: UserClaims) -> str:
        """Return the pool and the subject, for the log."""
        verified = _verified(claims)
        return f"pool {verified.pool_id} and subject {verified.subject}"

    def get_username(self, claims: UserClaims) -> str:
        """Return a random username, because pools reuse theirs."""
        token = secrets.token_hex(8)
        max_length = max_username_length(self.UserModel) or 150
        return f"user-{token}" if max_length >= len(token) + 5 else token[:max_length]

    def get_user_fields(self, claims: UserClaims) -> dict[str, Any]:
        """Return values for further fields of a new user, stored with its first INSERT.

        They take precedence over the values that the user pool has for these fields.
        """
        return {}

    def create_user(self, claims: UserClaims) -> Any:
        """Create a user with this identity, or return the one that a parallel request created.

        The user is created without the profile of the token if the user model refuses it, and with
        an email address that gets no mail if it refuses a user without one.

        Raises UserNotCreated if the user model refuses the user altogether.
        """
        verified, model = _verified(claims), self.UserModel
        profile = profile_values(model, verified)
        ways: list[tuple[dict[str, str], bool]] = [({}, False), ({}, True)]
        if profile:
            ways.insert(0, (profile, False))
        for (copied, needs_email), insert in product(ways, INSERTS):
            needed = required_values(model, self.get_username(claims), needs_email=needs_email)
            values = needed | copied | self.get_user_fields(claims)
            try:
                with atomic(model):
                    user = insert(model, values)
                    claims.identity = Identity.objects.create(user=user, **identity_key(verified))
                # As the database has the user: `save()` may have changed values.
                user = QuerySet(model, using=user._state.db).get(pk=user.pk)
                break
            except (SuspiciousOperation, PermissionDenied):
                raise
            except Exception as error:  # any code of the host project may run
                if is_outage(error):
                    raise
                if (user := claims.find_user()) is not None:  # a parallel request was faster
                    break
                reason: Exception = error
        else:
            raise _not_created(model, verified, reason, missing_fields(model, values)) from reason
        return self.update_user(user, claims)

    def update_user(self, user: Any, claims: UserClaims) -> Any:
        """Apply the groups of any token, then copy the user's profile from an ID token.

        The groups come first: whatever becomes of the profile, rights that the user pool no longer
        gives are revoked.
        """
        verified = _verified(claims)
        apply_groups(user, verified, claims.identity)
        if isinstance(verified, IdClaims):
            _update_identity(user, verified, claims.identity)
            save_profile(user, verified)
        return user


def identity_key(claims: AccessClaims | IdClaims) -> dict[str, str]:
    """Return the fields of a new `Identity`, except its user."""
    return {
        "pool_id": claims.pool_id,
        "issuer": claims.issuer,
        "subject": claims.subject,
        "username": claims.username or "",
    }


def _verified(claims: Any) -> AccessClaims | IdClaims:
    if not isinstance(claims, UserClaims):
        raise ImproperlyConfigured(
            "get_userinfo() of your backend returned claims without `verified`. Return the object "
            "that super().get_userinfo() returns, and add your claims to it with update()."
        )
    return claims.verified


def _not_created(
    model: Any, claims: AccessClaims | IdClaims, error: Exception, missing: list[str]
) -> UserNotCreated:
    fields = f" without {', '.join(missing)}" if missing else ""
    message = f"{model._meta.label} refuses a new user{fields}: {describe(error)}"
    _log.error(
        "%s. Return the values that it needs from get_user_fields() or get_username() of your "
        "CognitoBackend.",
        message,
        exc_info=None if isinstance(error, DatabaseError) else error,  # may hold values of others
    )
    return UserNotCreated(message, pool_username=claims.username or "", subject=claims.subject)


def _update_identity(user: Any, claims: IdClaims, identity: Identity | None) -> None:
    """Store what the claims say about the user, unless `identity` has it already."""
    email = claims.email or ""
    values = {
        "username": claims.username,
        # Cut, it would be another address, perhaps of another user.
        "email": email if len(email) <= MAX_EMAIL_LENGTH else "",
        "email_verified": claims.email_verified,
        "name": _display_name(claims),
    }
    if any(getattr(identity, name, None) != value for name, value in values.items()):
        key = {"pool_id": claims.pool_id, "subject": claims.subject}
        Identity.objects.filter(**key, user=user).update(**values)


def _display_name(claims: IdClaims) -> str:
    parts = (claims.given_name, claims.family_name)
    return (claims.name or " ".join(part for part in parts if part))[:255]
