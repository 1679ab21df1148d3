"""The verbs: what pages, API and commands do about signing in and out, each in one place."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from django.contrib import auth
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from . import break_glass, ending, session
from .audit import events
from .backends import CodeGrant
from .cognito.authorization import logout_url
from .cognito.errors import CognitoError
from .core import metrics
from .core.app_label import page_address
from .core.request_meta import client_address
from .models import Identity, PendingRevocation, SignIn
from .provider import provider, user_pool
from .sign_in_attempt import SignInAttempt
from .tokens import revocations
from .tokens.grants import GrantedTokens


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
    request.session.set_expiry(None)  # login() would keep the hour of a break-glass session
    auth.login(request, user)
    request.session.cycle_key()  # login() keeps the session id when the same person returns
    row = SignIn.objects.create(
        user=user,
        issuer=granted.access_claims.issuer,
        subject=granted.access_claims.subject,
        client_id=granted.access_claims.client_id,
        auth_time=granted.id_claims.auth_time,
        reference=attempt.reference,
        **_where(request),
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


def sign_in_by_password(request: HttpRequest, user: Any) -> SignIn:
    """Let in somebody whose password the break-glass page has accepted, for an hour at most."""
    previous = session.current_sign_in(request)
    auth.login(request, user, backend=break_glass.BACKEND)
    request.session.cycle_key()
    # A moment, not a number of seconds: those would be counted anew with each change.
    ends_at = timezone.now() + break_glass.LONGEST_SESSION
    request.session.set_expiry(ends_at)
    row = SignIn.objects.create(
        user=user, access_expires_at=ends_at, renew_at=ends_at, **_where(request)
    )
    session.bind(request, row)
    events.record(
        "signed in",
        user=user,
        reason=events.BREAK_GLASS_REASON,
        request=request,
        level=logging.WARNING,
    )
    if previous is not None:
        end_sign_in(previous, reason=SignIn.EndReason.REPLACED, request=request)
    return row


def _where(request: HttpRequest) -> dict[str, Any]:
    device = request.headers.get("User-Agent", "")[:255]
    return {"device": device, "address": client_address(request)}


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
    auth.logout(request)
    return SignedOut(_way_out(row), reached)


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
    row = session.current_sign_in(request) if request else None
    ended, pending = end_everything(
        user, reason=SignIn.EndReason.EVERYWHERE, request=request, by=by
    )
    identities = list(Identity.objects.filter(user=user, issuer=provider().config.issuer))
    reached = True
    for identity in identities:
        reached = user_pool.global_sign_out(identity.username) and reached
    reached = ending.revoke(pending) and reached
    return SignedOut(_way_out(row), reached, ended)


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


def _way_out(row: SignIn | None) -> str:
    """Where the browser of this sign-in goes from here."""
    if row is not None and row.by_password:
        return page_address("signed_out")
    return address_at_the_provider()


def address_at_the_provider() -> str:
    """Where a browser ends its own session at the provider, and comes back from."""
    current = provider()
    return logout_url(current.config, logout_uri=current.signed_out_url)
