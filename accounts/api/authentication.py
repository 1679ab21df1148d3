"""Authentication of the API: `Authorization: Bearer <access token>`, or a browser's session.

The access token is verified here with cached keys and without a call to Cognito (RFC 6750; the
checks are in cognito/verifier.py). A refusal says what is wrong with the token, in a challenge of
RFC 6750 section 3 and in the body.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connections, router, transaction
from django.http import HttpRequest
from rest_framework import authentication, exceptions
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from ..cognito.claims import AccessClaims
from ..cognito.errors import CognitoError, MalformedToken, TokenExpired
from ..cognito.secret_text import SecretText
from ..core import metrics
from ..models import Identity
from ..provider import provider
from ..provider.client_rights import ClientRights
from ..tokens import bearer, revocation_feed, revocations
from ..users.token_rights import client_rights
from .errors import BearerError, challenge, to_api_exception
from .permissions import INSUFFICIENT_SCOPE
from .principals import principal_factory


class CognitoAuthentication(authentication.BaseAuthentication):
    """Authentication with access tokens of the trusted pools, for accepted app clients.

    `request.user` is a user (an instance of AUTH_USER_MODEL) or a `Machine`, and `request.auth` is
    the verified `AccessClaims`. Without a bearer token, the next authentication class is tried.
    """

    def authenticate(self, request: Request) -> tuple[Any, AccessClaims] | None:
        try:
            unverified = self.unverified_access_token(request)
            caller = None if unverified is None else self.identify(request, unverified)
        except CognitoError as error:
            metrics.count("verifications", outcome=error.code)
            raise to_api_exception(request, error) from error
        if caller is not None:
            metrics.count("verifications", outcome="ok")
            _require_allowed_method(request, caller[1])
        return caller

    def identify(self, request: Request, unverified_access_token: str) -> tuple[Any, AccessClaims]:
        """Return the principal and the claims. Raises CognitoError leaves."""
        principal, claims = authenticate_token(unverified_access_token)
        bearer.store(request, unverified_access_token, claims)
        return principal, claims

    def unverified_access_token(self, request: Request) -> str | None:
        """Return the access token of the request, or None. Raises MalformedToken."""
        return bearer_token(request)

    def authenticate_header(self, request: Request) -> str:
        return challenge(request, getattr(request, "_bearer_error", None))


class SessionAuthentication(authentication.SessionAuthentication):
    """Authentication with a browser's session. A failed CSRF check has a code of its own."""

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except exceptions.PermissionDenied as error:
            raise exceptions.PermissionDenied(str(error.detail), code="csrf_failed") from error


def _require_allowed_method(request: Request, claims: AccessClaims) -> None:
    """Refuse unsafe methods to app clients that can only read, whatever the view permits."""
    if client_rights(claims) is not ClientRights.READ or request.method in SAFE_METHODS:
        return
    message = f"The app client {claims.client_id} can only read here (COGNITO_CLIENT_RIGHTS)."
    refused = exceptions.PermissionDenied(message, code=INSUFFICIENT_SCOPE)
    problem = BearerError(INSUFFICIENT_SCOPE, message)
    refused.auth_header = challenge(request, problem)  # type: ignore[attr-defined]
    raise refused


def bearer_token(request: Request | HttpRequest) -> str | None:
    """Return the token of the Authorization header, or None without one of the bearer scheme.

    Raises MalformedToken if a bearer header does not hold exactly one token.
    """
    header: str = request.META.get("HTTP_AUTHORIZATION", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        return None
    token = token.strip(" ")
    if not token or " " in token:
        raise MalformedToken("the Authorization header must be: Bearer, one space, an access token")
    return SecretText(token)


def claims_of_any_age(request: Request) -> AccessClaims | None:
    """Return the claims of the request's genuine access token, even if it has expired.

    Return None without a token. It makes no user. Raises TokenRejected, CognitoUnavailable.
    """
    header_token = (
        request.META.get("HTTP_X_ACCESS_TOKEN") if getattr(settings, "SPA_COMPAT", False) else None
    )
    unverified = bearer_token(request) or header_token
    if not unverified:
        return None
    try:
        claims = provider().access_verifier.access_claims(unverified)
    except TokenExpired as expired:
        if not isinstance(expired.claims, AccessClaims):
            raise
        claims = expired.claims
    revocation_feed.check(claims)
    return claims


def authenticate_token(unverified_access_token: str) -> tuple[Any, AccessClaims]:
    """Return the principal and the claims of a valid access token.

    A token that this process has verified before costs no call, and only the revocation feed's
    queries.

    Raises TokenRejected, UnknownUser, ClaimsRefused, UserDeactivated, CognitoUnavailable.
    """
    verified = provider().token_cache.verify(
        unverified_access_token,
        principal_of=lambda claims: _unrevoked_principal_factory(claims, unverified_access_token),
    )
    revocation_feed.check(verified.claims)
    return verified.principal(), verified.claims


def _unrevoked_principal_factory(claims: AccessClaims, access_token: str) -> Callable[[], Any]:
    revocations.record_clock_skew(claims)
    # Checked first, because making a principal may create a user: a deleted user would be created
    # again by the next request with an old token.
    revocation_feed.check(claims)
    factory = principal_factory(claims, access_token=access_token)
    using = router.db_for_write(Identity)
    if not connections[using].settings_dict["ATOMIC_REQUESTS"]:
        return factory
    # The view's transaction may be rolled back, and with it a user who was created in it. Until it
    # is committed, each request looks the user up.
    committed: list[bool] = []
    transaction.on_commit(lambda: committed.append(True), using=using)
    return lambda: (
        factory if committed else principal_factory(claims, access_token=access_token)
    )()
