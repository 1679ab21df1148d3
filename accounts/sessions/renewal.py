"""Renewing a browser's tokens before they expire: one call to Cognito, however many requests come.

The lock is a lease in the sign-in's row, claimed by one conditional UPDATE, so it holds across
threads, processes and servers, and no transaction is open while Cognito is asked. Whoever finds it
taken goes on if the access token is still good, and otherwise waits a little for the winner's
result. After a failure the lease stays taken by nobody for a moment: not each request should find
out again that Cognito is down.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from ..audit.attempt_log import note
from ..cognito.claims import AccessClaims
from ..cognito.errors import (
    CognitoError,
    CognitoUnavailable,
    GrantRejected,
    TokenRejected,
)
from ..cognito.token_endpoint import TokenSet
from ..core import metrics
from ..core.encryption import Unreadable
from ..core.single_flight import turn
from ..models import SignIn, SignInQuerySet
from ..problems.errors import RenewalUnavailable
from ..provider import provider
from ..tokens import revocations, storage
from ..tokens.grants import GrantedTokens, require_same_sign_in, verified_grant
from ..tokens.storage import StoredTokens, seal_tokens
from ..users.provisioning import update_person
from . import ending

# Longer than refreshing, fetching keys and storing can take together: 2 x Transport.longest_call.
LEASE = timedelta(seconds=45)
PAUSE = timedelta(seconds=10)  # after a failure, before anybody asks again
LONGEST_PAUSE = timedelta(seconds=60)  # whatever Retry-After says
PATIENCE = 3.0  # seconds for Cognito to answer while the session can go on without
LONGEST_WAIT = 5.0  # seconds a request waits for another one's renewal
LOOK_EVERY = 0.02  # seconds; of each process one thread looks


def keep_fresh(row: SignIn, *, sleep: Callable[[float], None] = time.sleep) -> SignIn | None:
    """The sign-in with tokens that may be used, renewed if that is due; None when it is over.

    Raises RenewalUnavailable, or what is wrong with our settings (ClientRejected,
    RequestRejected, ConfigurationError); then the sign-in stays as it is.
    """
    now = timezone.now()
    if row.is_break_glass or now < row.renew_at:
        return row
    try:
        if now < row.access_expires_at:  # where it is not free, this token is still good
            return _renew(row) if _claim(row, now) else row
        return _renewed_once(row, sleep)
    except CognitoError as error:
        if timezone.now() < _grace_ends_at(row):
            return row
        if isinstance(error, TokenRejected | CognitoUnavailable):
            retry_after = getattr(error, "retry_after", None)
            raise RenewalUnavailable(error.message, retry_after=retry_after) from error
        raise


def _grace_ends_at(row: SignIn) -> datetime:
    return row.access_expires_at + timedelta(seconds=provider().limits.renewal_grace)


def _claim(row: SignIn, now: datetime) -> bool:
    """Take the lease if it is free and the row still is as we read it."""
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    owner, until = secrets.token_hex(8), now + LEASE
    unchanged = SignIn.objects.live().filter(free, pk=row.pk, version=row.version)
    if not unchanged.update(lease_owner=owner, lease_until=until):
        return False
    row.lease_owner, row.lease_until = owner, until
    return True


def _renewed_once(row: SignIn, sleep: Callable[[float], None]) -> SignIn | None:
    """Renew it, or wait for whoever is at it. Threads of one process wait for each other and not
    at the database, where fifty that try for the lease would hold up the one that has it.

    Raises CognitoUnavailable if that takes too long or failed, and what `_renew` raises.
    """
    ends_at = time.monotonic() + LONGEST_WAIT
    with turn(("renewal", row.pk), seconds=LONGEST_WAIT) as mine:
        if mine.found is not None:
            return _as_it_is_now(row, mine.found)
        claimed = _claim(row, timezone.now())
        renewed = _renew(row) if claimed else _winners_result(row, ends_at, sleep)
        mine.leave(renewed)
        return renewed


def _as_it_is_now(row: SignIn, renewed: SignIn) -> SignIn:
    """Another thread's result in an instance of our own."""
    for column in row._meta.concrete_fields:
        setattr(row, column.attname, getattr(renewed, column.attname))
    return row


def _winners_result(row: SignIn, ends_at: float, sleep: Callable[[float], None]) -> SignIn | None:
    """What another process's renewal comes to. Raises CognitoUnavailable if that takes too long
    or failed."""
    while True:
        current = _reread(row)
        if current is None or current.access_expires_at != row.access_expires_at:
            return current
        if not current.lease_owner:
            wait = (current.lease_until or timezone.now()) - timezone.now()
            message = "renewing failed a moment ago"
            raise CognitoUnavailable(message, retry_after=max(wait.total_seconds(), 1.0))
        if time.monotonic() >= ends_at:
            raise CognitoUnavailable("another request is still waiting for Cognito")
        sleep(LOOK_EVERY)


def _reread(row: SignIn) -> SignIn | None:
    return SignIn.objects.live().select_related("user").filter(pk=row.pk).first()


def _renew(row: SignIn) -> SignIn | None:
    """Ask Cognito, holding the lease; the result is stored before the lease is released."""
    may_go_on = timezone.now() < _grace_ends_at(row)
    try:
        stored = storage.open_tokens(row)
        tokens = provider().token_endpoint.refresh(
            stored.refresh_token, timeout=PATIENCE if may_go_on else None
        )
    except (GrantRejected, Unreadable) as error:
        return _refused(row, error)
    except CognitoError as error:
        _postpone(row, error)
        raise
    try:
        granted = verified_grant(tokens, nonce=None)
        require_same_sign_in(row, granted.id_claims)
    except (TokenRejected, CognitoUnavailable) as error:
        _keep_rotated(row, stored, tokens)
        _postpone(row, error)
        raise
    return _store(row, granted, stored)


def _store(row: SignIn, granted: GrantedTokens, stored: StoredTokens) -> SignIn | None:
    columns = token_columns(
        granted.tokens, granted.access_claims, refresh_token=stored.refresh_token
    )
    previous = row.origin_jti
    if not SignIn.objects.change(row, **columns):
        return _too_late(row, granted.tokens)
    if columns["origin_jti"] != previous:
        revocations.revoke_sign_in(previous)  # ending the sign-in will only know the new one
    try:
        update_person(row.user, granted.id_claims)
    finally:
        _release(row)
    note(row.reference, "renewed")
    metrics.count("refreshes", outcome="ok")
    return row


def _too_late(row: SignIn, tokens: TokenSet) -> SignIn | None:
    """The row changed although we held its lease: it was ended, or our lease had run out."""
    current = _reread(row)
    if current is None and tokens.refresh_token:
        ending.revoke([ending.to_revoke(tokens.refresh_token, reference=row.reference)])
    return current


def _keep_rotated(row: SignIn, stored: StoredTokens, tokens: TokenSet) -> None:
    """Tokens that don't verify are thrown away, but with rotation the refresh token that brought
    them is used up, and without its successor the person would be signed out."""
    if tokens.refresh_token:
        kept = replace(stored, refresh_token=tokens.refresh_token)
        SignIn.objects.change(row, sealed_tokens=storage.seal_tokens(kept))


def _refused(row: SignIn, error: Exception) -> SignIn | None:
    """The grant is dead, unless another process has renewed it in the meantime."""
    current = _reread(row)
    if current is not None and current.version != row.version:
        return current
    note(row.reference, "not renewed", level=logging.WARNING, why=error)
    metrics.count("refreshes", outcome="refused")
    ending.end(row, reason=SignIn.EndReason.REFUSED, grant_is_dead=True)
    return None


def _postpone(row: SignIn, error: CognitoError) -> None:
    """Nobody asks again for a moment. Our own mistakes are errors: somebody has to mend them."""
    asked_for = timedelta(seconds=getattr(error, "retry_after", None) or 0)
    until = timezone.now() + min(max(PAUSE, asked_for), LONGEST_PAUSE)
    _mine(row).update(lease_owner="", lease_until=until)
    passing = isinstance(error, CognitoUnavailable)
    level = logging.WARNING if passing else logging.ERROR
    note(row.reference, "not renewed", level=level, reason=error.code, why=error.message)
    metrics.count("refreshes", outcome=error.code)


def _release(row: SignIn) -> None:
    _mine(row).update(lease_owner="", lease_until=None)


def _mine(row: SignIn) -> SignInQuerySet:
    return SignIn.objects.live().filter(pk=row.pk, lease_owner=row.lease_owner)


RENEW_BEFORE = 60  # seconds before it expires, or a fifth of its life, an access token is renewed


def token_columns(
    tokens: TokenSet, claims: AccessClaims, *, refresh_token: str = ""
) -> dict[str, Any]:
    """What a `SignIn` row holds of its tokens; `refresh_token` is kept when no new one came."""
    life = claims.expires_at - claims.issued_at
    renew_at = claims.expires_at - min(RENEW_BEFORE, life / 5)
    stored = StoredTokens(
        tokens.access_token, tokens.id_token, tokens.refresh_token or refresh_token
    )
    return {
        "sealed_tokens": seal_tokens(stored),
        "access_expires_at": datetime.fromtimestamp(claims.expires_at, UTC),
        "renew_at": datetime.fromtimestamp(renew_at, UTC),
        # Without `origin_jti` (revocation is off at the app client) a token is known by its own id.
        "origin_jti": claims.origin_jti or claims.jti or "",
    }
