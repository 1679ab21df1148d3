"""Calls to Cognito, counted, timed, and never so many that no thread is left for anything else.

When Cognito is slow, each call to it holds a thread for seconds. Only `calls_at_once` threads of a
process may wait so, none of them with a connection to the database that others could use. A call
that gets no slot within a second fails as if Cognito were unavailable, which a session survives
(see `renewal`) and a user can try again.

Anyone can cause a call with a made-up code or refresh token. So a quarter of the slots is kept for
the renewals and revocations of signed-in users, and no subnet can take all the others.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..cognito.config import CognitoConfig
from ..cognito.errors import CognitoError, CognitoUnavailable
from ..cognito.token_endpoint import TokenEndpoint, TokenSet
from ..cognito.transport import Transport
from ..core import db, metrics

WAIT_FOR_A_PLACE = 1.0  # seconds


class CallSlots:
    """The right to call Cognito, for `total` threads at once."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._max_strangers = max(total - max(total // 4, 1), 1)
        self._changed = threading.Condition()
        self._users = 0
        self._strangers: Counter[str] = Counter()  # by subnet

    @contextmanager
    def slot(self, subnet: str | None) -> Iterator[None]:
        """Hold a slot for a stranger of `subnet`, or for a signed-in user if it is None.

        Raises CognitoUnavailable if there is none within WAIT_FOR_A_PLACE.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._is_free(subnet), WAIT_FOR_A_PLACE):
                raise CognitoUnavailable("too many calls to Cognito are waiting", retry_after=1.0)
            self._change(subnet, 1)
        try:
            yield
        finally:
            with self._changed:
                self._change(subnet, -1)
                self._changed.notify_all()

    def _is_free(self, subnet: str | None) -> bool:
        strangers = self._strangers.total()
        free = self._total - self._users - strangers
        if subnet is None:
            return free > 0
        # A subnet gets a further slot only while more are free than it holds: it never has more
        # than half of them, the next one half of the rest, and a newcomer finds one.
        return min(free, self._max_strangers - strangers) > self._strangers[subnet]

    def _change(self, subnet: str | None, by: int) -> None:
        if subnet is None:
            self._users += by
            return
        self._strangers[subnet] += by
        if not self._strangers[subnet]:
            del self._strangers[subnet]


class WatchedTokenEndpoint(TokenEndpoint):
    """The token endpoint for all threads of a process."""

    def __init__(self, config: CognitoConfig, transport: Transport, *, calls_at_once: int) -> None:
        super().__init__(config, transport)
        self._slots = CallSlots(calls_at_once)

    def exchange(
        self, *, code: str, redirect_uri: str, code_verifier: str | None, subnet: str = ""
    ) -> TokenSet:
        """Exchange a code that a stranger of `subnet` sent; the rest as in the base class."""
        with self._watched("exchange", subnet):
            return super().exchange(
                code=code, redirect_uri=redirect_uri, code_verifier=code_verifier
            )

    def refresh(
        self, refresh_token: str, *, timeout: float | None = None, subnet: str | None = None
    ) -> TokenSet:
        """Refresh as the base class does. `subnet` is None for the token of a signed-in user, else
        that of the stranger who sent it."""
        with self._watched("refresh", subnet):
            return super().refresh(refresh_token, timeout=timeout)

    def revoke(self, refresh_token: str, *, timeout: float | None = None) -> None:
        with self._watched("revoke"):
            super().revoke(refresh_token, timeout=timeout)

    @contextmanager
    def _watched(self, call: str, subnet: str | None = None) -> Iterator[None]:
        db.give_back()
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


def counted_fetch(fetch: Callable[[], bytes]) -> Callable[[], bytes]:
    """The same download of a key set, counted by outcome."""

    def counted() -> bytes:
        outcome = "failed"
        try:
            document = fetch()
            outcome = "ok"
        finally:
            metrics.count("jwks_fetches", outcome=outcome)
        return document

    return counted
