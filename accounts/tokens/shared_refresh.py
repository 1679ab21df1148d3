"""One refresh at Cognito for all requests that bring the same refresh token at once.

A page that wakes up sends its requests together, each with the same expired access token. Whoever
inserts the row for the refresh token makes the call; the others, in this process or another, wait
for its result, which is kept encrypted for half a minute. No transaction is open during the call.
An owner that died is replaced when its lease is over.
"""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from ..cognito.errors import CognitoError, CognitoUnavailable, GrantRejected
from ..core import metrics
from ..core.encryption import Unreadable
from ..core.single_flight import turn
from ..models import SharedRefresh
from ..provider import provider
from ..provider.shared_cache import accelerator
from .call_budget import call_budget

SHARED_FOR = timedelta(seconds=30)  # a result, also that the grant is dead
FAILURE_SHARED_FOR = timedelta(seconds=2)  # that Cognito could not be reached
LEASE_MARGIN = timedelta(seconds=5)  # beyond the longest call to Cognito
_SHARE_OF_LIFE = 0.9  # of an access token's life that is shorter than that
_DEAD, _FAILURE = "dead", "failure"
_LOOK_EVERY = 0.02  # seconds; of each process one thread looks


@dataclass(frozen=True)
class Refreshed:
    """What a refresh gave, unverified. `refresh_token` is empty unless Cognito sent a new one."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


def refresh_once(unverified_refresh_token: str, *, subnet: str, subject: str = "") -> Refreshed:
    """Return new tokens for a refresh token: from Cognito, or the result of the last 30 s.

    A call to Cognito is charged to `subnet` and, if given, the `subject` of a genuine access token
    together, so that a neighbor's junk uses up nothing of this user's. A refresh token that
    Cognito refused in the last 30 s is refused again without a call.

    Raises:
        GrantRejected: the refresh token is used, expired or revoked, or its person disabled.
        RequestRejected, ClientRejected: our configuration does not fit the app client.
        CognitoUnavailable: no usable answer, now or for whoever asked just before.
        TooManyFailures: the budget is used up.
    """
    key = salted_hmac(
        "accounts.tokens.shared_refresh", unverified_refresh_token, algorithm="sha256"
    ).hexdigest()
    lease = timedelta(seconds=provider().longest_call) + LEASE_MARGIN
    give_up_at = time.monotonic() + 2 * lease.total_seconds()
    with turn(("refresh", key), seconds=2 * lease.total_seconds()) as mine:
        refreshed: Refreshed | None = mine.found
        if refreshed is None:
            refreshed = _result(unverified_refresh_token, key, lease, give_up_at, subnet, subject)
            mine.leave(refreshed)
        return refreshed


def _result(
    unverified_refresh_token: str,
    key: str,
    lease: timedelta,
    give_up_at: float,
    subnet: str,
    subject: str,
) -> Refreshed:
    """Another process's, or Cognito's to us. Raises as `refresh_once`."""
    owner = secrets.token_hex(16)
    while time.monotonic() < give_up_at:
        cached = accelerator.get(_shared_key(key), max_age=SHARED_FOR.total_seconds())
        # What another release or a process with other keys cached counts as absent.
        if isinstance(cached, str):
            with suppress(Unreadable):
                return _meaning(provider().cipher.open(cached))
        row = SharedRefresh.objects.filter(key=key).first()
        if row is not None and row.sealed_result and row.expires_at > timezone.now():
            return _opened(row.sealed_result)
        if row is None or _is_over(row):
            with call_budget(f"{subnet} {subject}".rstrip()):
                if _claimed(key, owner, row, lease):
                    return _ask_cognito(unverified_refresh_token, key, owner, subnet)
        time.sleep(_LOOK_EVERY)
    raise CognitoUnavailable("another request's refresh did not come to an end", retry_after=1)


def _is_over(row: SharedRefresh) -> bool:
    """Return True if the result has expired, or its owner died before it had one."""
    return (row.expires_at if row.sealed_result else row.lease_until) <= timezone.now()


def _claimed(key: str, owner: str, row: SharedRefresh | None, lease: timedelta) -> bool:
    """Whether the call is ours to make: we inserted the row, or took over one that is past."""
    now = timezone.now()
    values = {"owner": owner, "lease_until": now + lease, "expires_at": now + lease}
    if row is None:
        try:
            with transaction.atomic():
                SharedRefresh.objects.create(key=key, **values)
        except IntegrityError:
            return False
        return True
    past = SharedRefresh.objects.filter(pk=row.pk, owner=row.owner, expires_at=row.expires_at)
    return bool(past.update(sealed_result="", **values))


def _ask_cognito(unverified_refresh_token: str, key: str, owner: str, subnet: str) -> Refreshed:
    """Make the call and leave its outcome for the others, whatever it is."""
    result, kept_for = {_FAILURE: "interrupted"}, timedelta(0)
    try:
        tokens = provider().token_endpoint.refresh(unverified_refresh_token, subnet=subnet)
        metrics.count("refreshes", outcome="ok")
        result = {"access": tokens.access_token, "refresh": tokens.refresh_token or ""}
        kept_for = min(SHARED_FOR, timedelta(seconds=tokens.expires_in * _SHARE_OF_LIFE))
    except GrantRejected as error:
        metrics.count("refreshes", outcome="refused")
        result, kept_for = {_DEAD: error.message}, SHARED_FOR
    except CognitoError as error:
        metrics.count("refreshes", outcome=error.code)
        if isinstance(error, CognitoUnavailable):
            result, kept_for = {_FAILURE: error.message}, FAILURE_SHARED_FOR
        raise
    finally:
        now = timezone.now()
        sealed_result = provider().cipher.seal(result)
        SharedRefresh.objects.filter(key=key, owner=owner).update(
            sealed_result=sealed_result, expires_at=now + kept_for
        )
        if kept_for:
            accelerator.set(_shared_key(key), sealed_result, seconds=kept_for.total_seconds())
        SharedRefresh.objects.filter(expires_at__lt=now).delete()
    return _meaning(result)


def _shared_key(key: str) -> str:
    return f"refresh:{key}"


def _opened(sealed_result: str) -> Refreshed:
    try:
        return _meaning(provider().cipher.open(sealed_result))
    except Unreadable as error:  # by a process with other keys: a rollout is under way
        raise CognitoUnavailable("another process's refresh cannot be read") from error


def _meaning(result: dict[str, str]) -> Refreshed:
    if _DEAD in result:
        raise GrantRejected(result[_DEAD], error="invalid_grant")
    if _FAILURE in result:
        raise CognitoUnavailable(result[_FAILURE], retry_after=FAILURE_SHARED_FOR.total_seconds())
    return Refreshed(access_token=result["access"], refresh_token=result["refresh"])
