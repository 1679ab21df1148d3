"""Calls to Cognito, counted, timed, and never so many that no thread is left for anything else.

When Cognito is slow, each call to it holds a thread for seconds. Only `calls_at_once` threads of a
process may wait so, none of them with a connection to the database that others could use; whoever
finds no place within a second is told that Cognito is unavailable, which a session survives (see
`renewal`) and a person can try again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from . import connections, metrics
from .cognito.config import CognitoConfig
from .cognito.errors import CognitoError, CognitoUnavailable
from .cognito.token_endpoint import TokenEndpoint, TokenSet
from .cognito.transport import Transport

WAIT_FOR_A_PLACE = 1.0  # seconds


class WatchedTokenEndpoint(TokenEndpoint):
    """The token endpoint for all threads of a process."""

    def __init__(self, config: CognitoConfig, transport: Transport, *, calls_at_once: int) -> None:
        super().__init__(config, transport)
        self._places = threading.BoundedSemaphore(calls_at_once)

    def exchange(self, *, code: str, redirect_uri: str, code_verifier: str | None) -> TokenSet:
        with self._watched("exchange"):
            return super().exchange(
                code=code, redirect_uri=redirect_uri, code_verifier=code_verifier
            )

    def refresh(self, refresh_token: str, *, timeout: float | None = None) -> TokenSet:
        with self._watched("refresh"):
            return super().refresh(refresh_token, timeout=timeout)

    def revoke(self, refresh_token: str, *, timeout: float | None = None) -> None:
        with self._watched("revoke"):
            super().revoke(refresh_token, timeout=timeout)

    @contextmanager
    def _watched(self, call: str) -> Iterator[None]:
        connections.give_back()
        started, outcome = time.monotonic(), "crowded"
        try:
            if not self._places.acquire(timeout=WAIT_FOR_A_PLACE):
                raise CognitoUnavailable("too many calls to Cognito are waiting", retry_after=1.0)
            try:
                yield
                outcome = "ok"
            except CognitoError as error:
                outcome = error.code
                raise
            finally:
                self._places.release()
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
