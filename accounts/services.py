"""The verbs: what pages, API and commands do about signing in and out, each in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import auth
from django.db import transaction
from django.http import HttpRequest

from . import break_glass, ending, events, metrics, pool_admin, revocations, session
from .backends import CodeGrant, GrantedTokens
from .client_address import client_address
from .cognito.authorization import logout_url
from .cognito.errors import CognitoError
from .models import Identity, PendingRevocation, SignIn
from .names import page_address
from .provider import provider
from .sign_in_attempt import SignInAttempt


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
        auth_time=granted.id_claims.auth_time,
        reference=attempt.reference,
        device=request.headers.get("User-Agent", "")[:255],
        address=client_address(request),
        **session.token_columns(granted.tokens, granted.access_claims),
    )
    session.bind(request, row)
    metrics.count("sign_ins", result="ok")
    events.record(
        "signed in",
        reference=attempt.reference,
        user=user,
        person=granted.id_claims.username,
        request=request,
    )
    if previous is not None:
        end_sign_in(previous, reason=SignIn.EndReason.REPLACED, request=request)
    return row


@dataclass(frozen=True)
class SignedOut:
    """`address`: where the browser ends its session at the provider. `reached`: whether the
    provider answered when the refresh tokens were revoked. `ended`: how many sign-ins."""

    address: str
    reached: bool
    ended: int = 1


def sign_out(request: HttpRequest) -> SignedOut:
    """End this browser's sign-in here, revoke its refresh token, and say where to go on.

    The local session ends whatever the provider answers.
    """
    row = session.current_sign_in(request)
    reached = row is None or end_sign_in(row, reason=SignIn.EndReason.SIGNED_OUT, request=request)
    if break_glass.signed_in_by_password(request):
        events.record("signed out", user=request.user, reason="break_glass", request=request)
        auth.logout(request)
        return SignedOut(page_address("signed_out"), reached)
    auth.logout(request)
    return SignedOut(address_at_the_provider(), reached)


def end_sign_in(row: SignIn, *, reason: str, request: HttpRequest | None = None) -> bool:
    """End one sign-in and its access tokens at once, and revoke its refresh token (RFC 7009).

    False: the provider did not answer within two seconds; `manage.py housekeeping` tries again.
    """
    return ending.revoke([ending.end(row, reason=reason, request=request)])


def sign_out_everywhere(
    user: Any, *, request: HttpRequest | None = None, by: Any = None
) -> SignedOut:
    """End all sign-ins of this person; access tokens issued until now stop working at this API.

    The sessions and tokens of this site end at once and whatever the provider answers. With AWS
    credentials, the pool ends all its tokens of the person as well, those of other apps included.
    """
    ended, pending = end_everything(
        user, reason=SignIn.EndReason.EVERYWHERE, request=request, by=by
    )
    identities = list(Identity.objects.filter(user=user, issuer=provider().config.issuer))
    reached = True
    for identity in identities:
        reached = pool_admin.global_sign_out(identity.username) and reached
    reached = ending.revoke(pending) and reached
    return SignedOut(address_at_the_provider(), reached, ended)


def end_everything(
    user: Any, *, reason: str, request: HttpRequest | None = None, by: Any = None
) -> tuple[int, list[PendingRevocation]]:
    """End all sign-ins of this person in the database. Returns how many, and what is still to be
    revoked at the provider. `by` is the user who asked for it, if it was not the person."""
    with transaction.atomic():
        # First, so that a token renewed at this very moment is caught by its own sign-in's end.
        for identity in Identity.objects.filter(user=user):
            revocations.revoke_person(issuer=identity.issuer, subject=identity.subject)
        rows = list(SignIn.objects.live().select_related("user").filter(user=user).order_by("pk"))
        pending = [ending.end(row, reason=reason, request=request, by=by) for row in rows]
    events.record(
        "signed out everywhere",
        user=user,
        reason=reason,
        request=request,
        by=by,
        sessions=len(rows),
    )
    return len(rows), [item for item in pending if item is not None]


def address_at_the_provider() -> str:
    """Where a browser ends its own session at the provider, and comes back from."""
    current = provider()
    return logout_url(current.config, logout_uri=current.signed_out_url)
