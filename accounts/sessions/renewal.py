"""The renewal of a sign-in's tokens before they expire, with one call to Cognito.

`tokens/shared_refresh` makes the call once for all processes, and stores its result until it is
stored here. Each request with the result verifies it, and stores it if the sign-in is unchanged.
One request wins, and the others read what it stored. So the process that made the call may die.

While the access token is valid, a request continues with it if another request is renewing it.
Afterwards, it waits up to MAX_WAIT_SECONDS.

A failure of Cognito or of our settings ends no sign-in. A refused refresh token does, and so do
tokens that our checks refuse MAX_TRIES times once the sign-in cannot continue without them.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from ..audit.attempt_log import log_step
from ..cognito.errors import (
    ClaimRejected,
    CognitoError,
    CognitoUnavailable,
    ConfigurationError,
    GrantRejected,
    TokenExpired,
    TokenRejected,
)
from ..cognito.token_endpoint import TokenSet
from ..core import metrics
from ..core.db import atomic
from ..core.encryption import DecryptionError
from ..core.single_flight import single_flight
from ..models import SignIn
from ..problems.errors import RenewalUnavailable
from ..provider import provider
from ..tokens import revocations, shared_exchange, shared_refresh, storage
from ..tokens.grants import GrantedTokens, require_same_sign_in, verified_grant
from ..tokens.storage import StoredTokens, seal_tokens, token_columns
from ..users.provisioning import update_user
from . import ending

GRACE_TIMEOUT_SECONDS = 3.0  # for a call to Cognito while the session can continue without it
MAX_WAIT_SECONDS = 5.0  # for another request's renewal
MAX_TRIES = 3  # of one request, if our checks refuse the tokens and the grace period is over


def renew_if_due(sign_in: SignIn) -> SignIn | None:
    """Return the sign-in with usable tokens, renewed if that is due, or None if it has ended.

    Raises RenewalUnavailable if a later try can succeed, or what is wrong with our settings
    (ClientRejected, RequestRejected, ConfigurationError). Then the sign-in stays as it is.
    """
    now = timezone.now()
    if sign_in.is_break_glass or now < sign_in.renew_at:
        return sign_in
    try:
        return _renewed_once(sign_in, 0.0 if now < sign_in.access_expires_at else MAX_WAIT_SECONDS)
    except CognitoError as error:
        if is_usable(sign_in):
            return sign_in
        if isinstance(error, CognitoUnavailable) or _is_lasting(error):
            retry_after = getattr(error, "retry_after", None)
            raise RenewalUnavailable(error.message, retry_after=retry_after) from error
        raise


def is_usable(sign_in: SignIn) -> bool:
    """Return True if the sign-in can continue without a renewal for now."""
    return timezone.now() < _grace_ends_at(sign_in)


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


def _renew(sign_in: SignIn, give_up_at: float) -> SignIn | None:
    """Renew the sign-in, end it if no renewal can succeed, or return it as another request left it.

    Raises CognitoError.
    """
    for attempt in range(1, MAX_TRIES + 1):
        timeout = GRACE_TIMEOUT_SECONDS if is_usable(sign_in) else None
        try:
            stored = storage.open_tokens(sign_in)
            tokens = shared_refresh.renew_once(
                sign_in, stored.refresh_token, give_up_at=give_up_at, timeout=timeout
            )
        except (GrantRejected, DecryptionError) as error:
            log_step(sign_in.reference, "not renewed", level=logging.WARNING, why=error)
            return _end(sign_in, SignIn.EndReason.REFUSED, grant_is_dead=True)
        except CognitoError as error:
            if not error.data.get("shared"):  # else the request that called has reported it
                _report(sign_in, error)
            raise
        try:
            granted = verified_grant(tokens, nonce=None)
            require_same_sign_in(sign_in, granted.id_claims)
        except (TokenRejected, CognitoUnavailable) as error:
            # A process that died long ago may have left a result, with a refresh token still valid.
            is_old_result = (
                attempt == 1 and isinstance(error, TokenExpired) and tokens.refresh_token
            )
            may_retry = is_old_result or (_is_lasting(error) and not is_usable(sign_in))
            cause = error if is_old_result else _clock_error(error) or error
            if not _discard(sign_in, stored, tokens, None if may_retry else cause):
                current = _superseded(sign_in, tokens)
                if current is None or timezone.now() < current.renew_at:
                    return current
                sign_in = current
                continue
            if not is_old_result:
                metrics.count("refreshes", outcome=cause.code)
                _report(sign_in, cause)
            if not may_retry:
                raise cause from error
            if attempt == MAX_TRIES:
                return _end(sign_in, SignIn.EndReason.UNVERIFIED)
        else:
            return _store(sign_in, granted, stored)
    raise CognitoUnavailable("other requests could not renew this sign-in", retry_after=1)


def _is_lasting(error: CognitoError) -> bool:
    """Return True if a later renewal would be refused, too, and only a new sign-in helps."""
    return isinstance(error, TokenRejected) and _clock_error(error) is None


def _clock_error(error: CognitoError) -> ConfigurationError | None:
    """Return the error for fresh tokens of another time, or None. A new sign-in would fail, too."""
    if not isinstance(error, ClaimRejected) or error.claim not in ("exp", "iat", "nbf"):
        return None
    if not isinstance(error.actual, int):
        return None
    problem = f"differs from that of the user pool, so use NTP ({error.message})"
    return ConfigurationError({"The clock of this server": problem})


def _store(sign_in: SignIn, granted: GrantedTokens, stored: StoredTokens) -> SignIn | None:
    columns = token_columns(
        granted.tokens, granted.access_claims, refresh_token=stored.refresh_token
    )
    previous = sign_in.origin_jti
    if not _change(sign_in, granted.tokens, **columns, last_seen_at=timezone.now()):
        return _superseded(sign_in, granted.tokens)
    if columns["origin_jti"] != previous:
        # Ending the sign-in will only know the new one.
        revocations.revoke_sign_in(previous)
        shared_exchange.forget(sign_in, previous)
    update_user(sign_in.user, granted.id_claims)
    log_step(sign_in.reference, "renewed")
    return sign_in


def _discard(
    sign_in: SignIn, stored: StoredTokens, tokens: TokenSet, pause_for: CognitoError | None
) -> bool:
    """Store only the refresh token of tokens that don't verify, if the sign-in is unchanged.

    Its predecessor is used up, and without it the user would be signed out. With `pause_for`, no
    request renews the sign-in for a moment. If only a new sign-in helps, that moment ends with the
    grace period, when the last tries are due.
    """
    columns: dict[str, Any] = {}
    if pause_for is not None and _is_lasting(pause_for):
        pause_ends_at = timezone.now() + shared_refresh.PAUSE
        columns["renew_at"] = min(pause_ends_at, _grace_ends_at(sign_in))
    if tokens.refresh_token:
        rotated = replace(stored, refresh_token=tokens.refresh_token)
        columns["sealed_tokens"] = seal_tokens(rotated)
    with atomic(SignIn):
        changed = _change(sign_in, tokens, **columns)
        if changed and pause_for is not None and "renew_at" not in columns:
            shared_refresh.pause(sign_in, pause_for)
    return changed


def _change(sign_in: SignIn, tokens: TokenSet, **columns: Any) -> bool:
    """Store `columns` if the sign-in is unchanged. Its refresh's result is not needed any more."""
    with atomic(SignIn):
        if tokens.refresh_token:
            shared_refresh.settle(sign_in)
        return SignIn.objects.update_if_unchanged(sign_in, **columns)


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


def _end(sign_in: SignIn, reason: str, *, grant_is_dead: bool = False) -> SignIn | None:
    """End the sign-in and return None, or return it if another request has changed it."""
    current = _reread(sign_in)
    if current is not None and current.version == sign_in.version:
        ended = ending.end_sign_in(sign_in, reason=reason, grant_is_dead=grant_is_dead)
        ending.revoke_at_cognito([ended])
        return None
    return current


def _report(sign_in: SignIn, error: CognitoError) -> None:
    """Log why a renewal failed: as an error, unless Cognito is unavailable."""
    level = logging.WARNING if isinstance(error, CognitoUnavailable) else logging.ERROR
    log_step(sign_in.reference, "not renewed", level=level, reason=error.code, why=error.message)
