"""One refresh at Cognito per refresh token, for all requests that need the new tokens.

The key of the shared result is an HMAC of the refresh token in a header, or the sign-in and its
version, so that new tokens begin a new result. Tokens stay for 30 seconds at most. A sign-in's
rotated refresh token stays until `settle` is called, because Cognito accepts no other one: if the
process dies, the sign-in's next request finds it here. `shared_call` describes the states.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone
from django.utils.crypto import salted_hmac

from ..cognito.errors import CognitoError, CognitoUnavailable
from ..cognito.token_endpoint import TokenSet
from ..core.encryption import DecryptionError
from ..models import RefreshResult, SignIn
from ..provider import provider
from .shared_call import LEASE_MARGIN, SHARED_FOR, Lifetime, SharedCall
from .shared_outcome import open_outcome, seal_failure

FAILURE_SHARED_FOR = timedelta(seconds=2)  # an unavailable Cognito
PAUSE = timedelta(seconds=10)  # after a failed renewal, before the sign-in's next one
MAX_PAUSE = timedelta(seconds=60)  # even if Retry-After is longer
RENEWAL_LEASE_MARGIN = timedelta(seconds=30)
_SHARE_OF_LIFE = 0.9  # of an access token's lifetime, if that is shorter than SHARED_FOR


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
    refresh = _Refresh(key, budget=budget, refresh_token=unverified_refresh_token, subnet=subnet)
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
    refresh = _Refresh(_key(sign_in), refresh_token=refresh_token, timeout=timeout)
    return refresh.tokens(give_up_at)


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


@dataclass(frozen=True, kw_only=True)
class _Refresh(SharedCall):
    """The refresh of one token; `subnet` is None for that of a sign-in."""

    refresh_token: str = field(repr=False)
    subnet: str | None = None
    timeout: float | None = None
    counter = "refreshes"

    @property
    def lease(self) -> timedelta:
        """The time that the owner has for its call. It is longer for a sign-in."""
        margin = LEASE_MARGIN if self.subnet is not None else RENEWAL_LEASE_MARGIN
        return timedelta(seconds=provider().max_call_seconds) + margin

    def call(self) -> TokenSet:
        return provider().token_endpoint.refresh(
            self.refresh_token, timeout=self.timeout, subnet=self.subnet
        )

    def lifetime(self, tokens: TokenSet) -> Lifetime:
        shared = min(SHARED_FOR, timedelta(seconds=tokens.expires_in * _SHARE_OF_LIFE))
        if self.subnet is None and tokens.refresh_token:
            return Lifetime(shared, timedelta(seconds=provider().limits.session_absolute))
        return Lifetime(shared)

    def failure_lifetime(self, error: CognitoError) -> timedelta:
        if self.subnet is None:  # the session continues in the meantime
            return _pause(error)
        return FAILURE_SHARED_FOR if isinstance(error, CognitoUnavailable) else timedelta(0)


def _key(sign_in: SignIn) -> str:
    return f"sign-in:{sign_in.pk}:{sign_in.version}"


def _pause(error: CognitoError) -> timedelta:
    asked_for = timedelta(seconds=getattr(error, "retry_after", None) or 0)
    return min(max(PAUSE, asked_for), MAX_PAUSE)
