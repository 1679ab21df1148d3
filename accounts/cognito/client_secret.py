"""The secret of an app client, which can change while the site runs.

Cognito can keep it in Secrets Manager and replace it every seven days
(``PublishSecretsInAWSSecretsManager`` of
https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html).
The value is in memory only. It is read again only if Cognito refuses it.
"""

from __future__ import annotations

import logging
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from typing import TypeVar

from .errors import ClientRejected, CognitoUnavailable, ConfigurationError
from .secret_text import SecretText

READ_PAUSE_SECONDS = 5.0

Result = TypeVar("Result")

logger = logging.getLogger(__name__)


class ClientSecret:
    """A client secret for all threads of a process.

    ``read`` returns the current value from its source, or raises ConfigurationError. It is None for
    a secret that cannot change. The default repr does not show the value.
    """

    def __init__(
        self,
        value: str,
        read: Callable[[], str] | None = None,
        *,
        clock: Callable[[], float] = lambda: time.monotonic(),
    ) -> None:
        self._value: str = SecretText(value)
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._next_read_at = float("-inf")

    @property
    def value(self) -> str:
        return self._value

    def call(self, send: Callable[[str, float], Result], *, seconds: float) -> Result:
        """Return `send(value, timeout)`, repeated once if Cognito refuses a value that changed.

        That is safe for a code or refresh token too: Cognito authenticates the client before it
        uses them (RFC 6749 section 3.2.1). ``seconds`` limits both calls together, because another
        process takes over a refresh that lasts longer.

        Raises:
            ClientRejected: Cognito refuses the current value.
            CognitoUnavailable: no time is left to read the secret or for the second call.
        """
        ends_at, value = self._clock() + seconds, self._value
        try:
            return send(value, seconds)
        except ClientRejected:
            new_value = self.replace(value, timeout=ends_at - self._clock())
            if new_value is None and self._clock() < ends_at:
                raise
        remaining = ends_at - self._clock()
        if new_value is None or remaining <= 0:
            raise CognitoUnavailable("reading the client secret again took too long")
        return send(new_value, remaining)

    def replace(self, refused_value: str, *, timeout: float) -> str | None:
        """Return the value that replaced the refused one, or None if it has not changed.

        One thread reads the source, at most every READ_PAUSE_SECONDS. The others wait for its
        result, for ``timeout`` seconds at most. If the source cannot be read, the value stays.
        """
        if not self._lock.acquire(timeout=max(timeout, 0)):
            return None
        try:
            if self._value == refused_value and self._read and self._clock() >= self._next_read_at:
                self._read_again(self._read)
            return self._value if self._value != refused_value else None
        finally:
            self._lock.release()

    def _read_again(self, read: Callable[[], str]) -> None:
        refused_value = self._value
        try:
            self._value = SecretText(read())
        except ConfigurationError as error:
            logger.error(
                "Cognito refused the client secret, and no new one is available: %s. The site"
                " continues with the earlier one.",
                error.message,
            )
        else:
            if self._value != refused_value:
                logger.info("Cognito refused the client secret. Its source has a new one.")
        finally:
            self._next_read_at = self._clock() + READ_PAUSE_SECONDS


def basic_authorization(client_id: str, secret: str) -> str:
    """Return the header's value for client_secret_basic.

    It is not form-encoded, as RFC 6749 section 2.3.1 requires: Cognito does not decode it.
    """
    credentials = f"{client_id}:{secret}".encode("ascii")
    return SecretText(f"Basic {b64encode(credentials).decode('ascii')}")
