"""Who calls the API: `Authorization: Bearer <access token>`, or the session of a signed-in browser.

The access token is verified here, with keys at hand; nobody is asked (RFC 6750; what is checked is
in cognito/verifier.py). Refusals say which mistake was made, as an `error` challenge of RFC 6750
section 3 and in the answer's body, since whoever holds a token may know what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from rest_framework import authentication, exceptions
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from ..cognito.claims import AccessClaims
from ..cognito.errors import CognitoError, MalformedToken
from ..core import metrics
from ..provider import provider
from ..provider.client_rights import ClientRights
from ..tokens import revocation_feed, revocations
from ..users.token_rights import client_rights
from .errors import BearerError, challenge, refusal
from .permissions import INSUFFICIENT_SCOPE
from .principals import principal_maker


class CognitoAuthentication(authentication.BaseAuthentication):
    """Access tokens of the trusted pools, for accepted app clients.

    `request.user` is the person (an instance of AUTH_USER_MODEL) or a `Machine`; `request.auth` is
    the verified `AccessClaims`. Without a bearer token the next authentication class has its turn.
    """

    def authenticate(self, request: Request) -> tuple[Any, AccessClaims] | None:
        try:
            unverified = self.unverified_access_token(request)
            found = None if unverified is None else self.identify(request, unverified)
        except CognitoError as error:
            metrics.count("verifications", outcome=error.code)
            raise refusal(request, error) from error
        if found is not None:
            metrics.count("verifications", outcome="ok")
            _require_allowed_method(request, found[1])
        return found

    def identify(self, request: Request, unverified_access_token: str) -> tuple[Any, AccessClaims]:
        """The principal and the claims. Raises CognitoError leaves, as `authenticated` does."""
        return authenticated(unverified_access_token)

    def unverified_access_token(self, request: Request) -> str | None:
        """What the request offers as an access token, or None. Raises MalformedToken."""
        return bearer_token(request)

    def authenticate_header(self, request: Request) -> str:
        return challenge(getattr(request, "_bearer_error", None))


class SessionAuthentication(authentication.SessionAuthentication):
    """The signed-in browser, with CSRF protection; a failed check has a code of its own."""

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
    refused.auth_header = challenge(BearerError(INSUFFICIENT_SCOPE, message))  # type: ignore[attr-defined]
    raise refused


def bearer_token(request: Request | HttpRequest) -> str | None:
    """The token of the Authorization header; None when there is none or it is of another scheme.

    Raises MalformedToken: a bearer header that holds no single token. Servers join repeated headers
    with commas, which no token holds.
    """
    header: str = request.META.get("HTTP_AUTHORIZATION", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        return None
    token = token.strip(" ")
    if not token or " " in token:
        raise MalformedToken("the Authorization header must be: Bearer, one space, an access token")
    return token


def authenticated(unverified_access_token: str) -> tuple[Any, AccessClaims]:
    """The principal and the claims of an access token that counts now.

    Costs no query and no call once the token was seen, but for the revocation feed's own.

    Raises TokenRejected, UnknownUser, ClaimsRefused, UserDeactivated, CognitoUnavailable.
    """
    verified = provider().verified_tokens.verify(
        unverified_access_token,
        principal_of=lambda claims: _unrevoked_principal_maker(claims, unverified_access_token),
    )
    revocation_feed.check(verified.claims)
    return verified.principal(), verified.claims


def _unrevoked_principal_maker(claims: AccessClaims, access_token: str) -> Callable[[], Any]:
    revocations.compare_clocks(claims)
    # First, since making a principal may create a person: whoever was deleted would be back with
    # the next request of a program that still has a token.
    revocation_feed.check(claims)
    return principal_maker(claims, access_token=access_token)
