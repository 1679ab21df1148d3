"""From a verified identity to a user of this site: the one rule for pages and API alike.

People are known by issuer and subject alone; a matching e-mail address proves nothing. Whoever is
not known yet gets an account at first sight, unless `COGNITO_CREATE_PEOPLE` says no.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction

from ..cognito.claims import AccessClaims, IdClaims
from ..models import Identity
from ..problems.errors import UnknownUser, UserDeactivated
from ..provider import provider
from .groups import apply_groups

LONGEST_EMAIL = 254  # characters (RFC 5321 section 4.5.3.1.3); Cognito keeps any text of 2,048


def person_of_id_token(claims: IdClaims) -> Any:
    """The user that an ID token names, with what it says about them copied.

    Raises UnknownUser, UserDeactivated.
    """
    user = find_person(claims)
    if user is None:
        user = _created(claims)
    return require_active(update_person(user, claims), claims)


def find_person(claims: AccessClaims | IdClaims) -> Any:
    """The user with this identity, or None."""
    identity = Identity.objects.select_related("user").of(
        issuer=claims.issuer, subject=claims.subject
    )
    return identity.user if identity is not None else None


def require_active(user: Any, claims: AccessClaims | IdClaims) -> Any:
    """The same user. Raises UserDeactivated."""
    if not user.is_active:
        raise UserDeactivated(
            "this account was deactivated on this site", user=user, person=claims.username or ""
        )
    return user


def _created(claims: AccessClaims | IdClaims) -> Any:
    if not provider().create_people:
        raise UnknownUser(
            "nobody here has this identity",
            person=claims.username or "",
            subject=claims.subject,  # who this was can be said later, when the name is another's
        )
    return create_person(claims)


def create_person(claims: AccessClaims | IdClaims) -> Any:
    """A new user with this identity; whoever of two parallel sign-ins comes second gets the first
    one's."""
    model = get_user_model()
    try:
        with transaction.atomic():
            # Pools reuse usernames, so ours is not theirs.
            user = model._default_manager.create_user(
                **{model.USERNAME_FIELD: f"person-{secrets.token_hex(8)}"}
            )
            Identity.objects.create(user=user, issuer=claims.issuer, subject=claims.subject)
    except IntegrityError:
        user = find_person(claims)
        if user is None:  # the database takes it for somebody else's: refuse, never merge
            raise UnknownUser("this identity collides with another one") from None
    return user


def update_person(user: Any, claims: IdClaims) -> Any:
    """Copy what the pool says about the person, their rights included; it says it anew in each ID
    token."""
    Identity.objects.filter(issuer=claims.issuer, subject=claims.subject, user=user).update(
        username=claims.username,
        email=_email(claims),
        email_verified=claims.email_verified,
        name=_display_name(claims),
    )
    given, family = claims.given_name or "", claims.family_name or ""
    if not (given or family):
        given = claims.name or ""
    changes = {
        "email": _email(claims),
        "first_name": given[:150],
        "last_name": family[:150],
    }
    changed = [name for name, value in changes.items() if getattr(user, name, value) != value]
    for name in changed:
        setattr(user, name, changes[name])
    if changed:
        user.save(update_fields=changed)
    apply_groups(user, claims)
    return user


def _email(claims: IdClaims) -> str:
    # Cut short it would be another address, perhaps somebody else's: one that is none is left out.
    email = claims.email or ""
    return email if len(email) <= LONGEST_EMAIL else ""


def _display_name(claims: IdClaims) -> str:
    parts = (claims.given_name, claims.family_name)
    return (claims.name or " ".join(part for part in parts if part))[:255]
