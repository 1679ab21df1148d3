"""Ending a sign-in, so that nothing of it is left: here at once, at the provider as soon as it
answers.

The row's end, the revocation of its access tokens and the note of what is still to be revoked at
the provider are written together; the network comes afterwards and can only fail, not undo.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from ..audit import events
from ..audit.attempt_log import note
from ..cognito.errors import CognitoError, CognitoUnavailable
from ..core.encryption import Unreadable
from ..models import PendingRevocation, SignIn
from ..provider import provider
from ..tokens import revocations, storage

REVOKE_SECONDS = 2.0  # signing out must not wait longer for a provider that does not answer
FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=6)
CLAIM = timedelta(minutes=2)  # longer than one call can take; then another machine may try


def end(
    row: SignIn,
    *,
    reason: str,
    grant_is_dead: bool = False,
    request: HttpRequest | None = None,
    by: Any = None,
) -> PendingRevocation | None:
    """End this sign-in in the database: it is over everywhere, and its access tokens with it.

    `request` is where it was asked for, `by` the user who did if it was not the person: both are
    for the record.

    Returns what is still to be revoked at the provider; None when there is nothing: it ended
    already, or `grant_is_dead`, or no key opens its tokens any more.
    """
    current: SignIn | None = row
    while current is not None:
        refresh_token = "" if grant_is_dead else _refresh_token(current)
        with transaction.atomic():
            # The version is the gate: a renewal at this moment changes it, and then the tokens
            # read above are not the last ones.
            if SignIn.objects.change(
                current, ended_at=timezone.now(), end_reason=reason, sealed_tokens=""
            ):
                revocations.revoke_sign_in(current.origin_jti)
                events.record(
                    "signed out",
                    reference=current.reference,
                    user=current.user,
                    reason=reason,
                    request=request,
                    by=by,
                )
                return to_revoke(refresh_token, reference=current.reference)
        current = SignIn.objects.live().select_related("user").filter(pk=row.pk).first()
    return None


def _refresh_token(row: SignIn) -> str:
    try:
        return storage.open_tokens(row).refresh_token
    except Unreadable:
        return ""  # encrypted with a key that is gone: nothing left to revoke with


def to_revoke(refresh_token: str, *, reference: str) -> PendingRevocation | None:
    """Remember to revoke this refresh token. None when there is none."""
    if not refresh_token:
        return None
    sealed = provider().cipher.seal({"refresh_token": refresh_token})
    return PendingRevocation.objects.create(sealed_token=sealed, reference=reference)


def claimed(item: PendingRevocation) -> bool:
    """Whether this one is ours to revoke: of machines that read the same rows one gets each."""
    until = timezone.now() + CLAIM
    mine = PendingRevocation.objects.filter(pk=item.pk, next_try_at=item.next_try_at)
    return bool(mine.update(next_try_at=until))


def revoke(pending: Iterable[PendingRevocation | None], *, seconds: float = REVOKE_SECONDS) -> bool:
    """Revoke at the provider (RFC 7009), all together for at most `seconds`.

    False: it did not answer for all, or the time was over; what is left stays noted, for
    `manage.py housekeeping`.
    """
    ends_at = time.monotonic() + seconds
    reached = True
    for item in pending:
        if item is None:
            continue
        left = ends_at - time.monotonic()
        if reached and left <= 0:
            return False
        reached = reached and _revoke_one(item, left)
        if not reached:  # nor will the next ones be, just now
            _try_later(item)
    return reached


def _revoke_one(item: PendingRevocation, seconds: float) -> bool:
    try:
        refresh_token = str(provider().cipher.open(item.sealed_token)["refresh_token"])
        provider().token_endpoint.revoke(refresh_token, timeout=seconds)
    except CognitoUnavailable as error:
        note(item.reference, "not revoked", level=logging.WARNING, why=error.message)
        return False
    except (CognitoError, Unreadable) as error:
        # A final answer: asking again would change nothing.
        note(item.reference, "not revoked", level=logging.ERROR, why=error)
    item.delete()
    return True


def _try_later(item: PendingRevocation) -> None:
    item.next_try_at = timezone.now() + min(FIRST_RETRY * 2**item.tries, LONGEST_RETRY)
    item.tries += 1
    # Not save(): another machine's housekeeping may have revoked and deleted it meanwhile.
    PendingRevocation.objects.filter(pk=item.pk).update(
        next_try_at=item.next_try_at, tries=item.tries
    )
