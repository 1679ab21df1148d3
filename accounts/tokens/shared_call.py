"""One call to the token endpoint for all requests that need its result.

Parallel requests share a `RefreshResult`, whose key names the call. It has four states:

1. Missing: the request that inserts it calls Cognito, with no transaction open.
2. Claimed, until `lease_until`: the other requests wait, or continue without a result. If the
   owner dies, its lease expires, and the next request claims the result.
3. Complete, until `expires_at`: the result is committed, encrypted, before it is used. The others
   read it from the database or the shared cache. A failure stays for a moment only.
4. Expired: the next request claims it, unless another call or housekeeping has deleted it.
"""

from __future__ import annotations

import secrets
import time
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from django.db import IntegrityError
from django.utils import timezone

from ..cognito.errors import CognitoError, CognitoUnavailable, GrantRejected
from ..cognito.token_endpoint import TokenSet
from ..core import metrics
from ..core.db import atomic
from ..core.encryption import DecryptionError
from ..core.single_flight import single_flight
from ..models import RefreshResult
from ..provider import provider
from ..provider.shared_cache import shared_cache
from .call_budget import call_budget
from .shared_outcome import open_outcome, seal_failure, seal_refusal, seal_success

SHARED_FOR = timedelta(seconds=30)  # tokens, and the refusal of a grant
LEASE_MARGIN = timedelta(seconds=5)  # beyond the longest call to Cognito
_POLL_INTERVAL = 0.02  # seconds; one thread of each process polls


class Lifetime(NamedTuple):
    """How long a result is shared, and how long it is kept in the database if that is longer."""

    shared: timedelta
    kept: timedelta | None = None


@dataclass(frozen=True)
class SharedCall:
    """The call with this `key`. Subclasses make it, and decide how long its result is shared."""

    key: str
    budget: str = ""  # of failed calls, for a call that an unauthenticated client can cause
    counter = ""  # the metric that counts outcomes, if there is one
    uses_cache = True  # a result in the shared cache cannot be deleted when a sign-in ends
    replaces_unreadable = False  # else a result that no key decrypts is waited for

    @property
    def lease(self) -> timedelta:
        """The time that the owner has for its call."""
        return timedelta(seconds=provider().max_call_seconds) + LEASE_MARGIN

    def prepare(self) -> None:
        """Get what the call needs, before it is claimed. Raises CognitoError."""

    def call(self) -> TokenSet:
        """Call Cognito. Raises CognitoError."""
        raise NotImplementedError

    def lifetime(self, tokens: TokenSet) -> Lifetime:
        """Return how long the tokens are shared."""
        raise NotImplementedError

    def failure_lifetime(self, error: CognitoError) -> timedelta:
        """Return how long a failure is shared. The refusal of a grant is shared for longer."""
        raise NotImplementedError

    def tokens(self, give_up_at: float) -> TokenSet:
        """Return the result of a thread, of another process, or of Cognito.

        Wait for another request's call until `give_up_at` (`time.monotonic()`). Raises
        CognitoError; `data["shared"]` is True if this request did not call Cognito.
        """
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
            cached = self._cached()
            # Ignore an entry of another release, or of a process with other keys.
            if isinstance(cached, str):
                with suppress(DecryptionError):
                    return open_outcome(cached)
            refresh_result = RefreshResult.objects.filter(key=self.key).first()
            is_claimable = refresh_result is None or refresh_result.is_over
            if refresh_result is not None and refresh_result.is_complete:
                try:
                    return open_outcome(refresh_result.sealed_result)
                except DecryptionError as error:  # of a process with other keys, in a rollout
                    if not self.replaces_unreadable:
                        raise shared_error("another process's call cannot be read") from error
                    is_claimable = True
            if is_claimable:
                self.prepare()
                with call_budget(self.budget) if self.budget else nullcontext():
                    if owner := self._claim(refresh_result):
                        return self._call_cognito(owner)
            if time.monotonic() >= give_up_at:
                raise shared_error("another request is still waiting for Cognito", retry_after=1)
            time.sleep(_POLL_INTERVAL)

    def _cached(self) -> object:
        if not self.uses_cache:
            return None
        return shared_cache.get(f"refresh:{self.key}", max_age=SHARED_FOR.total_seconds())

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

    def _call_cognito(self, owner: str) -> TokenSet:
        """Make the call, and store its result or its failure for the other requests."""
        lifetime = Lifetime(timedelta(0))
        sealed_result = seal_failure(CognitoUnavailable("interrupted"), lifetime.shared)
        try:
            tokens = self.call()
            self._count("ok")
            sealed_result, lifetime = seal_success(tokens), self.lifetime(tokens)
        except GrantRejected as error:
            self._count("refused")
            sealed_result, lifetime = seal_refusal(error), Lifetime(SHARED_FOR)
            raise
        except CognitoError as error:
            self._count(error.code)
            lifetime = Lifetime(self.failure_lifetime(error))
            sealed_result = seal_failure(error, lifetime.shared)
            raise
        finally:
            now = timezone.now()
            RefreshResult.objects.filter(key=self.key, owner=owner).update(
                sealed_result=sealed_result, expires_at=now + (lifetime.kept or lifetime.shared)
            )
            if lifetime.shared and self.uses_cache:
                seconds = lifetime.shared.total_seconds()
                shared_cache.set(f"refresh:{self.key}", sealed_result, seconds=seconds)
            RefreshResult.objects.filter(expires_at__lt=now).delete()
        return tokens

    def _count(self, outcome: str) -> None:
        if self.counter:
            metrics.count(self.counter, outcome=outcome)


def shared_error(message: str, *, retry_after: float | None = None) -> CognitoUnavailable:
    """Return the error of a request that waited for another one's call, and did not call."""
    return CognitoUnavailable(message, retry_after=retry_after, shared=True)
