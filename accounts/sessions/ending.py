"""The end of a sign-in: here immediately, at Cognito as soon as it responds.

One transaction ends the sign-in, revokes its access tokens and queues its refresh token. Cognito is
called afterwards. If that fails, the sign-in stays ended.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from ..audit import events
from ..audit.attempt_log import log_step
from ..cognito.errors import CognitoError, CognitoUnavailable
from ..cognito.token_endpoint import TokenSet
from ..core.db import atomic
from ..core.encryption import DecryptionError
from ..models import EventKind, PendingRevocation, SignIn
from ..provider import provider
from ..provider.settings import SIGN_OUT_SECONDS
from ..tokens import revocations, shared_exchange, shared_refresh, storage

FIRST_RETRY_DELAY = timedelta(minutes=1)
MAX_RETRY_DELAY = timedelta(hours=6)
# Ends that the user or an operator wants at Cognito, too. Another sign-in in the same browser or a
# long pause at this site must not end the session that the browser shares with other apps.
LINKED_REASONS = {
    SignIn.EndReason.SIGNED_OUT,
    SignIn.EndReason.ENDED_BY_USER,
    SignIn.EndReason.BY_OPERATOR,
    SignIn.EndReason.EVERYWHERE,
    SignIn.EndReason.DEACTIVATED,
}
CLAIM = timedelta(minutes=2)  # longer than one call takes; then another process may try


def end_sign_in(
    sign_in: SignIn,
    *,
    reason: str,
    grant_is_dead: bool = False,
    request: HttpRequest | None = None,
    by: Any = None,
) -> PendingRevocation | None:
    """End this sign-in in the database and revoke its access tokens.

    The audit event names `request`, and `by` if another user ended the sign-in.

    Return the refresh token that is still to be revoked at Cognito. None means that there is none:
    the sign-in had ended, `grant_is_dead` is set, or no key decrypts its tokens.
    """
    current: SignIn | None = sign_in
    while current is not None:
        refresh_token = "" if grant_is_dead else _refresh_token(current)
        with atomic(SignIn):
            # A parallel renewal changes the version. Then the tokens read above are outdated, and
            # the loop reads them again.
            if SignIn.objects.update_if_unchanged(
                current, ended_at=timezone.now(), end_reason=reason, sealed_tokens=""
            ):
                revocations.revoke_sign_in(current.origin_jti)
                shared_exchange.forget(current, current.origin_jti)
                events.record_event(
                    EventKind.SIGNED_OUT,
                    reference=current.reference,
                    user=current.user,
                    reason=reason,
                    request=request,
                    by=by,
                )
                linked = reason in LINKED_REASONS and provider().limits.sessions_per_user > 0
                return queue_revocation(refresh_token, reference=current.reference, linked=linked)
        current = SignIn.objects.live().select_related("user").filter(pk=sign_in.pk).first()
    return None


def _refresh_token(sign_in: SignIn) -> str:
    try:
        return shared_refresh.take_unstored(sign_in) or storage.open_tokens(sign_in).refresh_token
    except DecryptionError:
        return ""  # its key was removed, so the token cannot be revoked


def queue_revocation(
    refresh_token: str, *, reference: str, linked: bool = False
) -> PendingRevocation | None:
    """Queue this refresh token for revocation. Return None if it is empty.

    `linked` also ends the session of the browser at Cognito, if the pool tracks sessions.
    """
    if not refresh_token:
        return None
    sealed = provider().cipher.seal({"refresh_token": refresh_token, "linked": linked})
    return PendingRevocation.objects.create(sealed_token=sealed, reference=reference)


def discard(tokens: TokenSet, *, reference: str = "") -> None:
    """Revoke the refresh token of a sign-in that was refused after Cognito had granted it."""
    revoke_at_cognito([queue_revocation(tokens.refresh_token or "", reference=reference)])


def claim_revocation(item: PendingRevocation) -> bool:
    """Claim a queued token and return True, unless another process was faster."""
    until = timezone.now() + CLAIM
    unclaimed = PendingRevocation.objects.filter(pk=item.pk, next_try_at=item.next_try_at)
    return bool(unclaimed.update(next_try_at=until))


def revoke_at_cognito(
    pending: Iterable[PendingRevocation | None], *, seconds: float = SIGN_OUT_SECONDS
) -> bool:
    """Revoke refresh tokens at Cognito (RFC 7009), for at most `seconds` in total.

    Return False if Cognito did not respond, or the time was over. The remaining tokens stay queued
    for `manage.py cognito_housekeeping`.
    """
    ends_at = time.monotonic() + seconds
    is_reached = True
    for item in pending:
        if item is None:
            continue
        seconds_left = ends_at - time.monotonic()
        if is_reached and seconds_left <= 0:
            return False
        is_reached = is_reached and _revoke_one(item, seconds_left)
        if not is_reached:  # the next calls would fail, too
            _try_later(item)
    return is_reached


def _revoke_one(item: PendingRevocation, seconds: float) -> bool:
    try:
        revocation = provider().cipher.open(item.sealed_token)
        provider().token_endpoint.revoke(
            str(revocation["refresh_token"]),
            timeout=seconds,
            linked=bool(revocation.get("linked")),  # entries of version 0.2 do not have it
        )
    except CognitoUnavailable as error:
        log_step(item.reference, "not revoked", level=logging.WARNING, why=error.message)
        return False
    except (CognitoError, DecryptionError) as error:
        # This response is final: another call would not change it.
        log_step(item.reference, "not revoked", level=logging.ERROR, why=error)
    item.delete()
    return True


def _try_later(item: PendingRevocation) -> None:
    item.next_try_at = timezone.now() + min(FIRST_RETRY_DELAY * 2**item.tries, MAX_RETRY_DELAY)
    item.tries += 1
    # update(), because save() would recreate an item that another process has deleted.
    PendingRevocation.objects.filter(pk=item.pk).update(
        next_try_at=item.next_try_at, tries=item.tries
    )
