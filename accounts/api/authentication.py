"""Authentication of the API: `Authorization: Bearer <access token>`, or a browser's session."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from ..cognito.claims import AccessClaims
from ..cognito.errors import CognitoError, TokenExpired
from ..core import metrics
from ..provider import provider
from ..tokens import bearer, revocation_feed
from .bearer import (
    INSUFFICIENT_SCOPE,
    BearerError,
    authenticate_token,
    bearer_token,
    challenge,
    method_refusal,
)
from .errors import to_api_exception


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
    if not (message := method_refusal(request.method, claims)):
        return
    refused = exceptions.PermissionDenied(message, code=INSUFFICIENT_SCOPE)
    problem = BearerError(INSUFFICIENT_SCOPE, message)
    refused.auth_header = challenge(request, problem)  # type: ignore[attr-defined]
    raise refused


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
