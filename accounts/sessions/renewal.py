"""The renewal of a sign-in's tokens before they expire, with one call to Cognito.

`tokens/shared_refresh` makes the call once for all processes, and stores its result until it is
stored here. Each request with the result verifies it, and stores it if the sign-in is unchanged.
One request wins, and the others read what it stored. So the process that made the call may die.

While the access token is valid, a request continues with it if another request is renewing it.
Afterwards, it waits up to MAX_WAIT_SECONDS.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from ..audit.attempt_log import log_step
from ..cognito.claims import AccessClaims
from ..cognito.errors import (
    CognitoError,
    CognitoUnavailable,
    GrantRejected,
    TokenExpired,
    TokenRejected,
)
from ..cognito.token_endpoint import TokenSet
from ..core import metrics
from ..core.encryption import DecryptionError
from ..core.single_flight import single_flight
from ..models import SignIn
from ..problems.errors import RenewalUnavailable
from ..provider import provider
from ..tokens import revocations, shared_refresh, storage
from ..tokens.grants import GrantedTokens, require_same_sign_in, verified_grant
from ..tokens.storage import StoredTokens, seal_tokens
from ..users.provisioning import update_user
from . import ending

GRACE_TIMEOUT_SECONDS = 3.0  # for a call to Cognito while the session can continue without it
MAX_WAIT_SECONDS = 5.0  # for another request's renewal


def renew_if_due(sign_in: SignIn) -> SignIn | None:
    """Return the sign-in with usable tokens, renewed if that is due, or None if it has ended.

    Raises RenewalUnavailable, or what is wrong with our settings (ClientRejected,
    RequestRejected, ConfigurationError); then the sign-in stays as it is.
    """
    now = timezone.now()
    if sign_in.is_break_glass or now < sign_in.renew_at:
        return sign_in
    try:
        return _renewed_once(sign_in, 0.0 if now < sign_in.access_expires_at else MAX_WAIT_SECONDS)
    except CognitoError as error:
        if timezone.now() < _grace_ends_at(sign_in):
            return sign_in
        if isinstance(error, TokenRejected | CognitoUnavailable):
            retry_after = getattr(error, "retry_after", None)
            raise RenewalUnavailable(error.message, retry_after=retry_after) from error
        raise


def _grace_ends_at(sign_in: SignIn) -> datetime:
    return sign_in.access_expires_at + timedelta(seconds=provider().limits.renewal_grace)


def _renewed_once(sign_in: SignIn, max_wait: float) -> SignIn | None:
    """Renew the sign-in, or take the result of another request.

    Threads of one process wait for each other instead of the database, where fifty of them would
    slow down the one that renews. Raises CognitoError, as `_renew` does.
    """
    give_up_at = time.monotonic() + max_wait
    with single_flight(("renewal", sign_in.pk), seconds=max_wait) as flight:
        if flight.result is not None:
            return _as_it_is_now(sign_in, flight.result)
        renewed = _renew(sign_in, give_up_at)
        if renewed is not None and renewed.access_expires_at <= timezone.now():
            raise CognitoUnavailable("another request could not renew this sign-in")
        flight.publish(renewed)
        return renewed


def _as_it_is_now(sign_in: SignIn, renewed: SignIn) -> SignIn:
    """Copy another thread's result into this thread's instance."""
    for column in sign_in._meta.concrete_fields:
        setattr(sign_in, column.attname, getattr(renewed, column.attname))
    return sign_in


def _renew(sign_in: SignIn, give_up_at: float, *, again: bool = True) -> SignIn | None:
    may_go_on = timezone.now() < _grace_ends_at(sign_in)
    try:
        stored = storage.open_tokens(sign_in)
        tokens = shared_refresh.renew_once(
            sign_in,
            stored.refresh_token,
            give_up_at=give_up_at,
            timeout=GRACE_TIMEOUT_SECONDS if may_go_on else None,
        )
    except (GrantRejected, DecryptionError) as error:
        return _refused(sign_in, error)
    except CognitoError as error:
        if not error.data.get("shared"):  # else the request that called has reported it
            _report(sign_in, error)
        raise
    try:
        granted = verified_grant(tokens, nonce=None)
        require_same_sign_in(sign_in, granted.id_claims)
    except (TokenRejected, CognitoUnavailable) as error:
        if again and tokens.refresh_token and isinstance(error, TokenExpired):
            return _renew_with_rotated(sign_in, stored, tokens, give_up_at)
        _discard(sign_in, stored, tokens, error)
        raise
    return _store(sign_in, granted, stored)


def _renew_with_rotated(
    sign_in: SignIn, stored: StoredTokens, tokens: TokenSet, give_up_at: float
) -> SignIn | None:
    """Renew with the refresh token of a result that a process left when it died long ago."""
    adopted = _change(sign_in, tokens, **_rotated_column(stored, tokens))
    current = sign_in if adopted else _superseded(sign_in, tokens)
    if current is None or timezone.now() < current.access_expires_at:
        return current
    return _renew(current, give_up_at, again=False)


def _store(sign_in: SignIn, granted: GrantedTokens, stored: StoredTokens) -> SignIn | None:
    columns = token_columns(
        granted.tokens, granted.access_claims, refresh_token=stored.refresh_token
    )
    previous = sign_in.origin_jti
    if not _change(sign_in, granted.tokens, **columns):
        return _superseded(sign_in, granted.tokens)
    if columns["origin_jti"] != previous:
        revocations.revoke_sign_in(previous)  # ending the sign-in will only know the new one
    update_user(sign_in.user, granted.id_claims)
    log_step(sign_in.reference, "renewed")
    return sign_in


def _change(sign_in: SignIn, tokens: TokenSet, **columns: Any) -> bool:
    """Store `columns` if the sign-in is unchanged. Its refresh's result is not needed any more."""
    with transaction.atomic():
        if tokens.refresh_token:
            shared_refresh.settle(sign_in)
        return SignIn.objects.update_if_unchanged(sign_in, **columns)


def _rotated_column(stored: StoredTokens, tokens: TokenSet) -> dict[str, str]:
    """Return the earlier tokens with a new refresh token, or nothing if Cognito sent none."""
    if not tokens.refresh_token:
        return {}
    return {"sealed_tokens": seal_tokens(replace(stored, refresh_token=tokens.refresh_token))}


def _discard(
    sign_in: SignIn,
    stored: StoredTokens,
    tokens: TokenSet,
    error: TokenRejected | CognitoUnavailable,
) -> None:
    """Store nothing of tokens that don't verify, except for the refresh token: its predecessor is
    used up, and without it the user would be signed out."""
    with transaction.atomic():
        if changed := _change(sign_in, tokens, **_rotated_column(stored, tokens)):
            shared_refresh.pause(sign_in, error)
    if not changed:
        _superseded(sign_in, tokens)
        return
    metrics.count("refreshes", outcome=error.code)
    _report(sign_in, error)


def _superseded(sign_in: SignIn, tokens: TokenSet) -> SignIn | None:
    """Return the sign-in as another request changed it. If it has ended, revoke the new token."""
    current = _reread(sign_in)
    if current is None and tokens.refresh_token:
        ending.revoke_at_cognito(
            [ending.queue_revocation(tokens.refresh_token, reference=sign_in.reference)]
        )
    return current


def _reread(sign_in: SignIn) -> SignIn | None:
    return SignIn.objects.live().select_related("user").filter(pk=sign_in.pk).first()


def _refused(sign_in: SignIn, error: Exception) -> SignIn | None:
    """End the sign-in, because its grant is dead, unless another request has changed it."""
    current = _reread(sign_in)
    if current is None or current.version != sign_in.version:
        return current
    log_step(sign_in.reference, "not renewed", level=logging.WARNING, why=error)
    ending.end_sign_in(sign_in, reason=SignIn.EndReason.REFUSED, grant_is_dead=True)
    return None


def _report(sign_in: SignIn, error: CognitoError) -> None:
    """Log why a renewal failed: as an error, unless Cognito is unavailable."""
    level = logging.WARNING if isinstance(error, CognitoUnavailable) else logging.ERROR
    log_step(sign_in.reference, "not renewed", level=level, reason=error.code, why=error.message)


RENEW_BEFORE = 60  # seconds before it expires, or a fifth of its life, an access token is renewed


def token_columns(
    tokens: TokenSet, claims: AccessClaims, *, refresh_token: str = ""
) -> dict[str, Any]:
    """Return the columns of a `SignIn` for its tokens. `refresh_token` is the earlier one."""
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
