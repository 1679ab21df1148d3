"""One call to Cognito per refresh token, for all requests that need the new tokens.

Parallel requests of a page share a `RefreshResult`. Its key is an HMAC of the refresh token in a
header, or the sign-in and its version, so that new tokens begin a new result. It has four states:

1. Missing: the request that inserts it calls Cognito, with no transaction open.
2. Claimed, until `lease_until`: the other requests wait, or continue without new tokens. If the
   owner dies, its lease expires, and the next request claims the result.
3. Complete, until `expires_at`: the result is committed, encrypted, before it is used. The others
   read it from the database or the shared cache. Tokens stay for 30 seconds at most, a failure for
   a moment. A sign-in's rotated refresh token stays until `settle` is called, because Cognito
   accepts no other one: if the process dies, the sign-in's next request finds it here.
4. Expired: the next request claims it, unless another refresh or housekeeping has deleted it.
"""

from __future__ import annotations

import secrets
import time
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import IntegrityError
from django.utils import timezone
from django.utils.crypto import salted_hmac

from ..cognito.errors import CognitoError, CognitoUnavailable, GrantRejected
from ..cognito.token_endpoint import TokenSet
from ..core import metrics
from ..core.db import atomic
from ..core.encryption import DecryptionError
from ..core.single_flight import single_flight
from ..models import RefreshResult, SignIn
from ..provider import provider
from ..provider.shared_cache import shared_cache
from .call_budget import call_budget
from .refresh_outcome import open_outcome, seal_failure, seal_refusal, seal_success

SHARED_FOR = timedelta(seconds=30)  # tokens, and the refusal of a refresh token
FAILURE_SHARED_FOR = timedelta(seconds=2)  # an unavailable Cognito
PAUSE = timedelta(seconds=10)  # after a failed renewal, before the sign-in's next one
MAX_PAUSE = timedelta(seconds=60)  # even if Retry-After is longer
LEASE_MARGIN = timedelta(seconds=5)  # beyond the longest call to Cognito
RENEWAL_LEASE_MARGIN = timedelta(seconds=30)
_SHARE_OF_LIFE = 0.9  # of an access token's lifetime, if that is shorter than SHARED_FOR
_POLL_INTERVAL = 0.02  # seconds; one thread of each process polls


def refresh_once(unverified_refresh_token: str, *, subnet: str, subject: str = "") -> TokenSet:
    """Return new tokens for a refresh token in a header: from Cognito, or from the last 30 s.

    They are unverified. A call to Cognito is charged to `subnet` and, if given, the `subject` of a
    genuine access token together. So invalid tokens of other clients in the subnet do not use up
    the budget of this user. A refresh token that Cognito refused in the last 30 s is refused again
    without a call.

    Raises:
        GrantRejected: the refresh token is used, expired or revoked, or its user disabled.
        RequestRejected, ClientRejected: our configuration does not fit the app client.
        CognitoUnavailable: no usable answer, now or for a request just before.
        TooManyFailures: the budget is used up.
    """
    # The name of 0.1: two versions share a refresh while one replaces the other.
    key = salted_hmac(
        "accounts.shared_refresh", unverified_refresh_token, algorithm="sha256"
    ).hexdigest()
    budget = f"{subnet} {subject}".rstrip()
    refresh = _Refresh(key, unverified_refresh_token, subnet=subnet, budget=budget)
    return refresh.tokens(time.monotonic() + 2 * refresh.lease.total_seconds())


def renew_once(
    sign_in: SignIn, refresh_token: str, *, give_up_at: float, timeout: float | None
) -> TokenSet:
    """Return new tokens for this version of a sign-in, unverified.

    Wait for another request's refresh until `give_up_at` (`time.monotonic()`). The tokens may be
    old, if the process that received them died. Call `settle` when their refresh token is stored.

    Raises:
        CognitoError: as `refresh_once`. `data["shared"]` is True if another request calls Cognito
            or has failed just now, so that this one did not call.
    """
    return _Refresh(_key(sign_in), refresh_token, timeout=timeout).tokens(give_up_at)


def settle(sign_in: SignIn) -> None:
    """Keep the result for this version of the sign-in no longer than others may wait for it."""
    soon = timezone.now() + SHARED_FOR
    RefreshResult.objects.filter(key=_key(sign_in), expires_at__gt=soon).update(expires_at=soon)


def pause(sign_in: SignIn, error: CognitoError) -> None:
    """Share a failure, so that no request renews this version of the sign-in for a moment."""
    now, lasts = timezone.now(), _pause(error)
    RefreshResult.objects.create(
        key=_key(sign_in),
        owner="",
        lease_until=now,
        sealed_result=seal_failure(error, lasts),
        expires_at=now + lasts,
    )


def take_unstored(sign_in: SignIn) -> str:
    """Return the refresh token that replaced the sign-in's own but was not stored, or ""."""
    refresh_result = (
        RefreshResult.objects.filter(key=_key(sign_in)).exclude(sealed_result="").first()
    )
    if refresh_result is None:
        return ""
    settle(sign_in)
    with suppress(CognitoError, DecryptionError):
        return open_outcome(refresh_result.sealed_result).refresh_token or ""
    return ""


@dataclass(frozen=True)
class _Refresh:
    """The refresh of one token; `subnet` is None for that of a sign-in."""

    key: str
    refresh_token: str = field(repr=False)
    subnet: str | None = None
    budget: str = ""  # of failed calls, for a token of an unauthenticated client
    timeout: float | None = None

    @property
    def lease(self) -> timedelta:
        """The time that the owner has for its call. It is longer for a sign-in."""
        margin = LEASE_MARGIN if self.subnet is not None else RENEWAL_LEASE_MARGIN
        return timedelta(seconds=provider().max_call_seconds) + margin

    def tokens(self, give_up_at: float) -> TokenSet:
        """Return the result of a thread, of another process, or of Cognito."""
        with single_flight(
            ("refresh", self.key), seconds=max(give_up_at - time.monotonic(), 0)
        ) as flight:
            tokens: TokenSet | None = flight.result
            if tokens is None:
                tokens = self._result(give_up_at)
                flight.publish(tokens)
            return tokens

    def _result(self, give_up_at: float) -> TokenSet:
        while True:
            cached = shared_cache.get(f"refresh:{self.key}", max_age=SHARED_FOR.total_seconds())
            # Ignore an entry of another release, or of a process with other keys.
            if isinstance(cached, str):
                with suppress(DecryptionError):
                    return open_outcome(cached)
            refresh_result = RefreshResult.objects.filter(key=self.key).first()
            if refresh_result is not None and refresh_result.is_complete:
                try:
                    return open_outcome(refresh_result.sealed_result)
                except DecryptionError as error:  # of a process with other keys, in a rollout
                    raise _shared("another process's refresh cannot be read") from error
            if refresh_result is None or refresh_result.is_over:
                with call_budget(self.budget) if self.budget else nullcontext():
                    if owner := self._claim(refresh_result):
                        return self._refresh_at_cognito(owner)
            if time.monotonic() >= give_up_at:
                raise _shared("another request is still waiting for Cognito", retry_after=1)
            time.sleep(_POLL_INTERVAL)

    def _claim(self, refresh_result: RefreshResult | None) -> str:
        """Claim a missing or expired result. Return the owner, or "" if another request did."""
        owner, until = secrets.token_hex(16), timezone.now() + self.lease
        values = {"owner": owner, "lease_until": until, "expires_at": until}
        if refresh_result is None:
            try:
                with atomic(RefreshResult):
                    RefreshResult.objects.create(key=self.key, **values)
            except IntegrityError:
                return ""
            return owner
        past = RefreshResult.objects.filter(
            pk=refresh_result.pk, owner=refresh_result.owner, expires_at=refresh_result.expires_at
        )
        return owner if past.update(sealed_result="", **values) else ""

    def _refresh_at_cognito(self, owner: str) -> TokenSet:
        """Make the call, and store its result or its failure for the other requests."""
        shared_for, kept_for = timedelta(0), None
        sealed_result = seal_failure(CognitoUnavailable("interrupted"), shared_for)
        try:
            tokens = provider().token_endpoint.refresh(
                self.refresh_token, timeout=self.timeout, subnet=self.subnet
            )
            metrics.count("refreshes", outcome="ok")
            sealed_result = seal_success(tokens)
            shared_for = min(SHARED_FOR, timedelta(seconds=tokens.expires_in * _SHARE_OF_LIFE))
            if self.subnet is None and tokens.refresh_token:
                kept_for = timedelta(seconds=provider().limits.session_absolute)
        except GrantRejected as error:
            metrics.count("refreshes", outcome="refused")
            sealed_result, shared_for = seal_refusal(error), SHARED_FOR
            raise
        except CognitoError as error:
            metrics.count("refreshes", outcome=error.code)
            if self.subnet is None:  # the session continues in the meantime
                shared_for = _pause(error)
            elif isinstance(error, CognitoUnavailable):
                shared_for = FAILURE_SHARED_FOR
            sealed_result = seal_failure(error, shared_for)
            raise
        finally:
            now = timezone.now()
            RefreshResult.objects.filter(key=self.key, owner=owner).update(
                sealed_result=sealed_result, expires_at=now + (kept_for or shared_for)
            )
            if shared_for:
                seconds = shared_for.total_seconds()
                shared_cache.set(f"refresh:{self.key}", sealed_result, seconds=seconds)
            RefreshResult.objects.filter(expires_at__lt=now).delete()
        return tokens


def _key(sign_in: SignIn) -> str:
    return f"sign-in:{sign_in.pk}:{sign_in.version}"


def _pause(error: CognitoError) -> timedelta:
    asked_for = timedelta(seconds=getattr(error, "retry_after", None) or 0)
    return min(max(PAUSE, asked_for), MAX_PAUSE)


def _shared(message: str, *, retry_after: float | None = None) -> CognitoUnavailable:
    return CognitoUnavailable(message, retry_after=retry_after, shared=True)
