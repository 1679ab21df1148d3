"""The token endpoint with a limit on the threads that wait for Cognito, and with metrics.

While Cognito is slow, each call blocks a thread for seconds. Only `calls_at_once` threads of a
process may wait, and they release their database connections. A call that gets no slot within a
second fails as if Cognito were unavailable. Sessions survive that (see sessions/renewal.py), and a
user can try again.

Anyone can cause a call with an invented code or refresh token. So a quarter of the slots is
reserved for the renewals and revocations of signed-in users, and a subnet cannot take all the
others.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..cognito.client_secret import ClientSecret
from ..cognito.config import CognitoConfig
from ..cognito.errors import CognitoError, CognitoUnavailable
from ..cognito.token_endpoint import TokenEndpoint, TokenSet
from ..cognito.token_exchange import ExchangeTarget
from ..cognito.transport import Transport
from ..core import db, metrics

MAX_SLOT_WAIT_SECONDS = 1.0  # seconds


class CallSlots:
    """Slots for `total` threads that call Cognito at the same time."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._max_anonymous = max(total - max(total // 4, 1), 1)
        self._changed = threading.Condition()
        self._users = 0
        self._anonymous: Counter[str] = Counter()  # by subnet

    @contextmanager
    def slot(self, subnet: str | None) -> Iterator[None]:
        """Hold a slot for an anonymous visitor of `subnet`, or for a signed-in user if it is None.

        Raises CognitoUnavailable if no slot is free within MAX_SLOT_WAIT_SECONDS.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._is_free(subnet), MAX_SLOT_WAIT_SECONDS):
                message = "too many calls to Cognito are waiting"
                raise CognitoUnavailable(message, retry_after=1.0)
            self._change(subnet, 1)
        try:
            yield
        finally:
            with self._changed:
                self._change(subnet, -1)
                self._changed.notify_all()

    def _is_free(self, subnet: str | None) -> bool:
        anonymous = self._anonymous.total()
        free = self._total - self._users - anonymous
        if subnet is None:
            return free > 0
        # A subnet gets another slot only while more slots are free than it holds. So it never has
        # more than half of them, the next subnet has half of the rest, and a new one gets a slot.
        return min(free, self._max_anonymous - anonymous) > self._anonymous[subnet]

    def _change(self, subnet: str | None, by: int) -> None:
        if subnet is None:
            self._users += by
            return
        self._anonymous[subnet] += by
        if not self._anonymous[subnet]:
            del self._anonymous[subnet]


class BoundedTokenEndpoint(TokenEndpoint):
    """The token endpoint for all threads of a process, with slots and metrics."""

    def __init__(
        self,
        config: CognitoConfig,
        transport: Transport,
        secret: ClientSecret | None,
        *,
        calls_at_once: int,
    ) -> None:
        super().__init__(config, transport, secret)
        self._slots = CallSlots(calls_at_once)

    def exchange(
        self, *, code: str, redirect_uri: str, code_verifier: str | None, subnet: str = ""
    ) -> TokenSet:
        """Exchange a code that an anonymous visitor of `subnet` sent, as the base class does."""
        with self.bounded("exchange", subnet):
            return super().exchange(
                code=code, redirect_uri=redirect_uri, code_verifier=code_verifier
            )

    def refresh(
        self, refresh_token: str, *, timeout: float | None = None, subnet: str | None = None
    ) -> TokenSet:
        """Refresh as the base class does.

        `subnet` is that of the anonymous visitor who sent the token, or None for the stored token
        of a signed-in user.
        """
        with self.bounded("refresh", subnet):
            return super().refresh(refresh_token, timeout=timeout)

    def exchange_token(self, subject_token: str, target: ExchangeTarget) -> TokenSet:
        with self.bounded("exchange_token"):
            return super().exchange_token(subject_token, target)

    def revoke(
        self, refresh_token: str, *, timeout: float | None = None, linked: bool = False
    ) -> None:
        with self.bounded("revoke"):
            super().revoke(refresh_token, timeout=timeout, linked=linked)

    @contextmanager
    def bounded(self, call: str, subnet: str | None = None) -> Iterator[None]:
        """Hold a slot for a call to Cognito, and count the call under this name."""
        db.release_pooled_connections()
        started, outcome = time.monotonic(), "crowded"
        try:
            with self._slots.slot(subnet):
                try:
                    yield
                    outcome = "ok"
                except CognitoError as error:
                    outcome = error.code
                    raise
        finally:
            metrics.observe(
                "token_endpoint", time.monotonic() - started, call=call, outcome=outcome
            )


def count_fetches(fetch: Callable[[], bytes]) -> Callable[[], bytes]:
    """Return `fetch`, the download of a key set, wrapped to count its outcomes."""

    def counting_fetch() -> bytes:
        outcome = "failed"
        try:
            document = fetch()
            outcome = "ok"
        finally:
            metrics.count("jwks_fetches", outcome=outcome)
        return document

    return counting_fetch
