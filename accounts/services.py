"""The verbs: what pages, API and commands do about signing in and out, each in one place."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from django.contrib import auth
from django.http import HttpRequest
from django.utils import timezone

from . import session
from .backends import CodeGrant, GrantedTokens
from .client_address import client_address
from .cognito.authorization import logout_url
from .cognito.errors import CognitoError, CognitoUnavailable
from .encryption import Unreadable
from .journal import note
from .models import SignIn
from .provider import provider
from .sign_in_attempt import SignInAttempt

REVOKE_TIMEOUT = 2.0  # seconds; signing out must not wait for a provider that does not answer


def complete_sign_in(request: HttpRequest, *, attempt: SignInAttempt, code: str) -> SignIn:
    """Redeem the code, sign its person in to this browser and keep the tokens.

    Raises CognitoError leaves: TokenRejected, SignInRejected, TokenEndpointError,
    CognitoUnavailable; then nothing has changed for the browser.
    """
    previous = session.current_sign_in(request)
    user = auth.authenticate(request, grant=CodeGrant(attempt=attempt, code=code))
    if user is None:
        raise CognitoError("no authentication backend took the sign-in")
    granted: GrantedTokens = request.granted_tokens  # type: ignore[attr-defined]
    auth.login(request, user)
    request.session.cycle_key()  # login() keeps the session id when the same person returns
    row = SignIn.objects.create(
        user=user,
        issuer=granted.access_claims.issuer,
        subject=granted.access_claims.subject,
        client_id=granted.access_claims.client_id,
        origin_jti=granted.access_claims.origin_jti or "",
        sealed_tokens=session.seal_tokens(granted.tokens),
        access_expires_at=datetime.fromtimestamp(granted.access_claims.expires_at, UTC),
        reference=attempt.reference,
        device=request.headers.get("User-Agent", "")[:255],
        address=client_address(request),
    )
    session.bind(request, row)
    if previous is not None:
        end_sign_in(previous, reason=SignIn.EndReason.REPLACED)
    note(attempt.reference, "signed in", person=granted.id_claims.username)
    return row


@dataclass(frozen=True)
class SignedOut:
    """`address`: where the browser ends its session at the provider. `reached`: whether the
    provider answered when the refresh token was revoked."""

    address: str
    reached: bool


def sign_out(request: HttpRequest) -> SignedOut:
    """End this browser's sign-in here, revoke its refresh token, and say where to go on.

    The local session ends whatever the provider answers.
    """
    row = session.current_sign_in(request)
    reached = end_sign_in(row, reason=SignIn.EndReason.SIGNED_OUT) if row is not None else True
    auth.logout(request)
    current = provider()
    return SignedOut(logout_url(current.config, logout_uri=current.signed_out_url), reached)


def end_sign_in(row: SignIn, *, reason: str) -> bool:
    """End one sign-in at once and revoke its refresh token (RFC 7009). False: not reached."""
    try:
        refresh_token = session.open_tokens(row).refresh_token
    except Unreadable:
        refresh_token = ""  # encrypted with a key that is gone: nothing left to revoke with
    ended = SignIn.objects.filter(pk=row.pk).end(reason=reason, at=timezone.now())
    if not ended:
        return True
    note(row.reference, "signed out", reason=reason)
    if not refresh_token:
        return True
    try:
        provider().token_endpoint.revoke(refresh_token, timeout=REVOKE_TIMEOUT)
    except CognitoUnavailable as error:
        note(row.reference, "not revoked", level=logging.WARNING, why=error.message)
        return False
    except CognitoError as error:
        note(row.reference, "not revoked", level=logging.ERROR, why=error.message)
    return True
