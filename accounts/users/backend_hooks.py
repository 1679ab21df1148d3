"""The hooks of mozilla-django-oidc's backend, with defaults that fit Cognito.

A host project overrides them in a subclass of `CognitoBackend`. Every way in uses them: a browser's
sign-in, the renewal of its tokens, the code exchange of a single-page app, the first use of an
access token. Users are identified by pool and subject alone: a matching email address proves
nothing.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from ..cognito.claims import AccessClaims, IdClaims
from ..models import Identity
from ..problems.errors import UnknownUser
from .groups import apply_groups

MAX_EMAIL_LENGTH = 254  # characters (RFC 5321 section 4.5.3.1.3); Cognito allows 2,048


class UserClaims(dict[str, Any]):
    """The claims of a verified token by their names, and in `verified` with their types.

    `verified` is an `IdClaims` or, at the first use of an access token, an `AccessClaims`. Access
    tokens have no name and no email address.
    """

    def __init__(self, verified: AccessClaims | IdClaims) -> None:
        super().__init__(verified.raw)
        self.verified = verified


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
        user = find_user(_verified(claims))
        return [] if user is None else [user]

    def describe_user_by_claims(self, claims: UserClaims) -> str:
        """Return the pool and the subject, for the log."""
        verified = _verified(claims)
        return f"pool {verified.pool_id} and subject {verified.subject}"

    def get_username(self, claims: UserClaims) -> str:
        """Return a random username, because pools reuse theirs."""
        return f"user-{secrets.token_hex(8)}"

    def create_user(self, claims: UserClaims) -> Any:
        """Create a user with this identity, or return the one that a parallel request created.

        Raises UnknownUser if the username or the identity is taken.
        """
        verified, model = _verified(claims), self.UserModel
        try:
            with transaction.atomic():
                user = model._default_manager.create_user(
                    **{model.USERNAME_FIELD: self.get_username(claims)}
                )
                Identity.objects.create(user=user, **identity_key(verified))
        except IntegrityError:
            user = find_user(verified)
            if user is None:  # another user has it: refuse, never merge
                raise UnknownUser("the username or the identity is taken by another user") from None
        return self.update_user(user, claims)

    def update_user(self, user: Any, claims: UserClaims) -> Any:
        """Copy the user's profile from an ID token, and apply the groups of any token."""
        verified = _verified(claims)
        if isinstance(verified, IdClaims):
            _copy_profile(user, verified)
        apply_groups(user, verified)
        return user


def find_user(claims: AccessClaims | IdClaims) -> Any:
    """Return the user with this identity, or None."""
    identity = Identity.objects.select_related("user").get_exact(claims)
    return identity.user if identity is not None else None


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


def _copy_profile(user: Any, claims: IdClaims) -> None:
    key = {"pool_id": claims.pool_id, "subject": claims.subject}
    Identity.objects.filter(**key, user=user).update(
        username=claims.username,
        email=_email(claims),
        email_verified=claims.email_verified,
        name=_display_name(claims),
    )
    first_name, last_name = claims.given_name or "", claims.family_name or ""
    if not (first_name or last_name):
        first_name = claims.name or ""
    changes = {
        "email": _email(claims),
        "first_name": first_name[:150],
        "last_name": last_name[:150],
    }
    changed = [name for name, value in changes.items() if getattr(user, name, value) != value]
    for name in changed:
        setattr(user, name, changes[name])
    if changed:
        user.save(update_fields=changed)


def _email(claims: IdClaims) -> str:
    # A longer one is left out. Truncated, it would be another address, perhaps of another user.
    email = claims.email or ""
    return email if len(email) <= MAX_EMAIL_LENGTH else ""


def _display_name(claims: IdClaims) -> str:
    parts = (claims.given_name, claims.family_name)
    return (claims.name or " ".join(part for part in parts if part))[:255]
