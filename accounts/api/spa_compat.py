"""The wire contract of the original stack, for its React UI. It is loaded only with `SPA_COMPAT`.

The API is at the root, codes are exchanged by GET, and access tokens may come as `x-access-token`.
Each request sends the refresh token as `x-refresh-token`: an expired access token is refreshed, and
the new one returns in a header. Scripts can read these refresh tokens, so `check --deploy` warns. A
new front end should use the session or a PKCE client of its own (docs/single-page-apps.md).
"""

from __future__ import annotations

import time
from typing import Any, ClassVar, TypeGuard

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from rest_framework.request import Request

from ..cognito.claims import AccessClaims, IdClaims
from ..cognito.errors import GrantRejected, TokenExpired
from ..cognito.secret_text import SecretText
from ..cognito.token_endpoint import TokenSet
from ..core.event_loop import EventLoopMiddleware
from ..core.request_meta import subnet_of
from ..core.single_flight import single_flight
from ..problems.errors import SessionEnded, TooManyFailures
from ..provider import provider
from ..sessions import app_sign_ins
from ..tokens import revocation_feed
from ..tokens.grants import require_same_sign_in
from ..tokens.shared_refresh import refresh_once
from .authentication import CognitoAuthentication
from .bearer import bearer_token

_NEW_TOKENS = "_refreshed_tokens"  # set on the request by authentication, read by the middleware


class SpaAuthentication(CognitoAuthentication):
    """Authentication that refreshes an expired access token with `x-refresh-token`."""

    openapi_errors: ClassVar[dict[int, tuple[str, ...]]] = {
        401: (SessionEnded.code,),
        429: (TooManyFailures.code,),
    }

    def unverified_access_token(self, request: Request) -> str | None:
        sent = request.META.get("HTTP_X_ACCESS_TOKEN", "")
        return bearer_token(request) or SecretText(sent) or None

    def identify(self, request: Request, unverified_access_token: str) -> tuple[Any, AccessClaims]:
        try:
            return super().identify(request, unverified_access_token)
        except TokenExpired as expired:
            unverified_refresh_token = SecretText(request.META.get("HTTP_X_REFRESH_TOKEN", ""))
            claims = expired.claims
            if not unverified_refresh_token or not _is_ours(claims):
                raise
        # One request of each process refreshes for those that have the same two tokens. If each of
        # fifty verified and stored the new ones, they would wait for each other's writes.
        key = ("app", unverified_access_token, unverified_refresh_token)
        with single_flight(key, seconds=provider().max_call_seconds) as flight:
            refreshed: TokenSet | None = flight.result
            if refreshed is None:
                refreshed = self._refresh(request, claims, unverified_refresh_token)
                flight.publish(refreshed)
        caller = super().identify(request, refreshed.access_token)
        setattr(request._request, _NEW_TOKENS, refreshed)
        return caller

    def _refresh(self, request: Request, expired: AccessClaims, refresh_token: str) -> TokenSet:
        """Return new tokens, verified and stored. Raises as `refresh_for` and `identify`."""
        subnet = subnet_of(request._request)
        refreshed = refresh_for(expired, refresh_token, subnet=subnet)
        # Checked before `identify`, which creates users and changes their rights: a refused
        # request must change nothing.
        verifier = provider().sign_in_verifier
        require_same_sign_in(expired, verifier.access_claims(refreshed.access_token))
        _, claims = super().identify(request, refreshed.access_token)
        app_sign_ins.record_refresh(
            request._request, refreshed, claims, sent_refresh_token=refresh_token
        )
        return refreshed


def _is_ours(claims: AccessClaims | IdClaims) -> TypeGuard[AccessClaims]:
    """Return True if the token is a user's own, from the app client whose secret this site has.

    An exchanged token with an actor is not: the refreshed token would be without the actor.
    """
    config = provider().config
    return (
        isinstance(claims, AccessClaims)
        and (claims.pool_id, claims.client_id) == (config.pool_id, config.client_id)
        and not claims.is_machine
        and not claims.actors
    )


def refresh_for(expired: AccessClaims, unverified_refresh_token: str, *, subnet: str) -> TokenSet:
    """Return new tokens for a refresh token that came with a genuine but expired access token.

    Raises:
        TokenRevoked, SessionEnded: the sign-in has ended, or the access token is too old to tell.
        CognitoUnavailable: there was no usable response; the sign-in continues.
        TooManyFailures: the budget of this user in `subnet` is exhausted; the sign-in continues.
        ClientRejected, RequestRejected: our configuration does not match the app client.
    """
    revocation_feed.check(expired)
    is_old = time.time() - expired.issued_at > provider().limits.access_token
    if is_old and app_sign_ins.find(expired) is None:
        # A revocation is deleted once no access token from before it can be valid. Then only a
        # stored sign-in shows that it has not ended.
        raise SessionEnded("unused for too long; sign in again")
    try:
        return refresh_once(unverified_refresh_token, subnet=subnet, subject=expired.subject)
    except GrantRejected as error:
        refused = error
    try:
        tokens = app_sign_ins.newest_tokens(expired, unverified_refresh_token, subnet=subnet)
    except GrantRejected as error:
        refused, tokens = error, None
    if tokens is None:
        raise SessionEnded("the sign-in has ended; sign in again") from refused
    return tokens


class RefreshedTokensMiddleware(EventLoopMiddleware):
    """Middleware that returns the tokens of a refresh in the response's headers."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        refreshed: TokenSet | None = getattr(request, _NEW_TOKENS, None)
        if refreshed is not None:
            # WSGI servers refuse a header whose type is a subclass of str (PEP 3333).
            response["X-Access-Token"] = str(refreshed.access_token)
            if refreshed.refresh_token:
                response["X-Refresh-Token"] = str(refreshed.refresh_token)
            response.headers.pop("Cache-Control", None)
            patch_cache_control(response, no_store=True)
        return response
