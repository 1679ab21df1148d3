"""The code of a callback becomes a user: mozilla-django-oidc's backend with its trust replaced.

Ours verifies the ID token itself, never asks userinfo, and knows people by issuer and subject
alone: a matching e-mail address proves nothing.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from .cognito.claims import AccessClaims, IdClaims
from .cognito.errors import ClaimRejected, SignInRejected
from .cognito.token_endpoint import TokenSet
from .journal import note
from .models import Identity
from .oidc_settings import oidc_setting
from .provider import provider
from .sign_in_attempt import SignInAttempt


class UnknownPerson(SignInRejected):
    """Nobody here has this identity, and people are not created at sign-in."""

    code = "unknown_person"


class PersonDeactivated(SignInRejected):
    """The pool lets this person in, but this site does not."""

    code = "person_deactivated"


@dataclass(frozen=True)
class CodeGrant:
    """An authorization code and the attempt it answers; its repr shows no secret."""

    attempt: SignInAttempt
    code: str = field(repr=False)


@dataclass(frozen=True)
class GrantedTokens:
    """What a redeemed code gave, verified."""

    tokens: TokenSet = field(repr=False)
    id_claims: IdClaims
    access_claims: AccessClaims


class CognitoBackend(OIDCAuthenticationBackend):  # type: ignore[misc]
    """`authenticate(request, grant=CodeGrant(...))`; the tokens are left on `granted_tokens`.

    Raises CognitoError leaves: why a sign-in was refused is worth more than None.
    """

    get_settings = staticmethod(oidc_setting)

    # Overridden whole: upstream builds redirect_uri from the Host header and has no hook for it.
    def authenticate(
        self, request: HttpRequest | None, grant: CodeGrant | None = None, **credentials: Any
    ) -> AbstractBaseUser | None:
        if request is None or grant is None:
            return None
        self.request = request
        started = time.monotonic()
        tokens = provider().token_endpoint.exchange(
            code=grant.code,
            redirect_uri=provider().callback_url,
            code_verifier=grant.attempt.code_verifier,
        )
        note(grant.attempt.reference, "token", ms=round((time.monotonic() - started) * 1000))
        granted = _verified(tokens, nonce=grant.attempt.nonce)
        user = self.get_or_create_user(tokens.access_token, tokens.id_token, granted.id_claims)
        if user is None:
            raise UnknownPerson("nobody here has this identity")
        if not user.is_active:
            raise PersonDeactivated("this account was deactivated on this site")
        request.granted_tokens = granted  # type: ignore[attr-defined]
        return user  # type: ignore[no-any-return]

    def get_userinfo(self, access_token: str, id_token: str, payload: IdClaims) -> IdClaims:
        """The verified ID claims say it all; userinfo would cost a call and prove less."""
        return payload

    def verify_claims(self, claims: IdClaims) -> bool:
        return True  # the verifier checked them; no attribute is required of a person

    def describe_user_by_claims(self, claims: IdClaims) -> str:
        return f"subject {claims.subject}"

    def filter_users_by_claims(self, claims: IdClaims) -> list[Any]:
        identity = Identity.objects.of(issuer=claims.issuer, subject=claims.subject)
        return [identity.user] if identity is not None else []

    def create_user(self, claims: IdClaims) -> Any:
        """A new user with this identity; whoever of two parallel sign-ins comes second gets the
        first one's."""
        model = get_user_model()
        try:
            with transaction.atomic():
                # Pools reuse usernames, so ours is not theirs.
                user = model._default_manager.create_user(
                    **{model.USERNAME_FIELD: f"person-{secrets.token_hex(8)}"}
                )
                Identity.objects.create(user=user, issuer=claims.issuer, subject=claims.subject)
        except IntegrityError:
            identity = Identity.objects.of(issuer=claims.issuer, subject=claims.subject)
            if identity is None:  # the database takes it for somebody else's: refuse, never merge
                raise UnknownPerson("this identity collides with another one") from None
            user = identity.user
        return self.update_user(user, claims)

    def update_user(self, user: Any, claims: IdClaims) -> Any:
        """Copy what the pool says about the person; it says it anew at each sign-in."""
        Identity.objects.filter(issuer=claims.issuer, subject=claims.subject, user=user).update(
            username=claims.username,
            email=claims.email or "",
            email_verified=claims.email_verified,
            name=_display_name(claims),
            groups=list(claims.groups or ()),
        )
        given, family = claims.given_name or "", claims.family_name or ""
        if not (given or family):
            given = claims.name or ""
        changes = {
            "email": claims.email or "",
            "first_name": given[:150],
            "last_name": family[:150],
        }
        changed = [name for name, value in changes.items() if getattr(user, name, value) != value]
        for name in changed:
            setattr(user, name, changes[name])
        if changed:
            user.save(update_fields=changed)
        return user

    def get_user(self, user_id: Any) -> Any:
        """The user of a session, or None once deactivated (upstream returns them all the same)."""
        user = super().get_user(user_id)
        return user if user is not None and user.is_active else None


def _display_name(claims: IdClaims) -> str:
    parts = (claims.given_name, claims.family_name)
    return (claims.name or " ".join(part for part in parts if part))[:255]


def _verified(tokens: TokenSet, *, nonce: str) -> GrantedTokens:
    verifier = provider().sign_in_verifier
    id_claims = verifier.id_claims(tokens.id_token, nonce=nonce, access_token=tokens.access_token)
    access_claims = verifier.access_claims(tokens.access_token)
    if access_claims.subject != id_claims.subject:
        raise ClaimRejected(
            "access token and ID token are of two people",
            claim="sub",
            expected=id_claims.subject,
            actual=access_claims.subject,
        )
    return GrantedTokens(tokens=tokens, id_claims=id_claims, access_claims=access_claims)
