"""One token exchange per user, sign-in and target, for all requests that need its token.

The token stays in the database, encrypted, until shortly before it expires, or until the sign-in
ends: `forget` deletes it. It is not in the shared cache, where it could not be found by its user.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils.crypto import salted_hmac

from ..cognito.errors import CognitoError, CognitoUnavailable, ExchangeRejected
from ..cognito.token_endpoint import TokenSet
from ..cognito.token_exchange import ExchangeTarget
from ..models import PoolSubject, RefreshResult, pool_of
from ..provider import provider
from .shared_call import Lifetime, SharedCall
from .storage import RENEW_BEFORE

FAILURE_SHARED_FOR = timedelta(seconds=2)  # an unavailable Cognito
REJECTION_SHARED_FOR = timedelta(seconds=10)  # what only an operator can change
MAX_WAIT_SECONDS = 10.0  # for another request's exchange
_PREFIX = "exchange"

_log = logging.getLogger(__name__)


def exchange_once(
    target: ExchangeTarget,
    *,
    user: PoolSubject,
    token_id: str,
    subject: str,
    subject_token: Callable[[], str],
) -> str:
    """Return an access token of this pool user for `target`: from the database, or from Cognito.

    `token_id` is the `origin_jti` of the sign-in, or the `jti` of a token without one. `subject`
    distinguishes its access tokens that may do different things. `subject_token` returns the access
    token, and is called only for an exchange. The caller has checked that it is not revoked.

    Raises:
        GrantRejected: the sign-in has ended at Cognito.
        ExchangeRejected, ClientRejected: the app client or the pool does not allow this exchange.
        CognitoUnavailable: no usable response, now or for another request just before.
        CognitoError: as `subject_token`.
    """
    text = f"{subject}\n{target.digest}"
    key = _prefix(user, token_id) + _digest(text, 24)
    call = _Exchange(key, target=target, subject_token=subject_token)
    return call.tokens(time.monotonic() + MAX_WAIT_SECONDS).access_token


def forget(user: PoolSubject, token_id: str = "") -> None:
    """Delete the tokens of a sign-in of this pool user, or of all of them if it is "".

    Call it in the transaction that ends the sign-in.
    """
    RefreshResult.objects.filter(key__startswith=_prefix(user, token_id)).delete()


def _prefix(user: PoolSubject, token_id: str) -> str:
    prefix = f"{_PREFIX}:{_digest(f'{pool_of(user)} {user.subject}', 16)}:"
    return f"{prefix}{_digest(token_id, 12)}:" if token_id else prefix


def _digest(text: str, length: int) -> str:
    return salted_hmac("token exchange", text, algorithm="sha256").hexdigest()[:length]


@dataclass(frozen=True, kw_only=True)
class _Exchange(SharedCall):
    """The exchange of a user's access token for `target`."""

    target: ExchangeTarget
    subject_token: Callable[[], str] = field(repr=False)
    _prepared: list[str] = field(default_factory=list, repr=False)
    uses_cache = False
    replaces_unreadable = True

    def prepare(self) -> None:
        # Before the claim, because the user's own token may have to be renewed.
        self._prepared[:] = [self.subject_token()]

    def call(self) -> TokenSet:
        try:
            return provider().token_endpoint.exchange_token(self._prepared[0], self.target)
        except ExchangeRejected as error:
            _log.error("A token was not exchanged: %s", error.message)
            raise

    def lifetime(self, tokens: TokenSet) -> Lifetime:
        margin = min(RENEW_BEFORE, tokens.expires_in / 5)
        return Lifetime(timedelta(seconds=tokens.expires_in - margin))

    def failure_lifetime(self, error: CognitoError) -> timedelta:
        is_down = isinstance(error, CognitoUnavailable)
        return FAILURE_SHARED_FOR if is_down else REJECTION_SHARED_FOR
