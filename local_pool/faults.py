"""Faults on command: which endpoint fails, how, how often and for how long.

An endpoint is one of ENDPOINTS, ``*`` for all of them, or ``access-token`` or ``id-token`` for
the tokens that the pool issues. This module also counts the requests.
"""

import random
import time
from collections import Counter
from dataclasses import dataclass
from threading import Lock
from typing import Any

from .errors import PoolError

ENDPOINTS = (
    "discovery jwks authorize login mfa signup confirm forgotPassword passkeys"
    " token revoke userInfo register logout idpresponse api"
)
ANSWERS = "403 429 500 503 garbage empty redirect slow close lost no-keys denied server-error"
TAMPERINGS = "wrong-key unknown-key wrong-issuer wrong-audience wrong-token-use wrong-nonce expired"


@dataclass
class Fault:
    """A fault. ``times`` None means until it is cleared; ``seconds`` is the delay of ``slow``."""

    endpoint: str
    kind: str
    times: int | None = None
    until: float | None = None  # of time.monotonic()
    grant: str = ""
    seconds: float = 10.0
    share: float = 1.0

    def __str__(self) -> str:
        grant = f" ({self.grant})" if self.grant else ""
        times = f", {self.times} more" if self.times is not None else ""
        ends = f", {self.until - time.monotonic():.0f} s left" if self.until else ""
        share = f", {self.share:.0%} of requests" if self.share < 1 else ""
        where = "every endpoint" if self.endpoint == "*" else self.endpoint
        return f"{where}{grant}: {self.kind}{times}{ends}{share}"

    def is_over(self) -> bool:
        return self.times == 0 or (self.until is not None and self.until <= time.monotonic())

    def matches(self, endpoint: str, grant: str) -> bool:
        matches_all = self.endpoint == "*" and not endpoint.endswith("-token")
        is_match = (matches_all or self.endpoint == endpoint) and self.grant in ("", grant)
        return is_match and random.random() < self.share  # noqa: S311 (chance, not a secret)


class Faults:
    """The active faults and the request counts of a pool. It is thread-safe."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._counts: Counter[str] = Counter()
        self._lock = Lock()

    def add(
        self, endpoint: str, kind: str, *, lasting: float | None = None, **details: Any
    ) -> Fault:
        """Make ``endpoint`` fail for ``lasting`` seconds, or until ``clear``.

        ``details`` are members of Fault: ``times``, ``grant``, ``seconds``, ``share``. Raises
        PoolError for an unknown endpoint or kind.
        """
        is_token = endpoint in ("access-token", "id-token")
        if not is_token and endpoint not in (*ENDPOINTS.split(), "*"):
            raise PoolError(f"There is no endpoint {endpoint!r}; choose one of {ENDPOINTS} or *.")
        kinds = f"{TAMPERINGS} missing-<claim>" if is_token else ANSWERS
        if kind not in kinds.split() and not (is_token and kind.startswith("missing-")):
            raise PoolError(f"There is no fault {kind!r} for {endpoint}; choose one of {kinds}.")
        if (times := details.get("times")) is not None and times < 1:
            raise PoolError("times must be 1 or more.")
        until = time.monotonic() + lasting if lasting is not None else None
        fault = Fault(endpoint, kind, until=until, **details)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def active(self) -> list[Fault]:
        with self._lock:
            self._faults = [fault for fault in self._faults if not fault.is_over()]
            return list(self._faults)

    def take(self, endpoint: str, grant: str = "") -> Fault | None:
        """Return the fault for this request, or None, and count down its ``times``."""
        with self._lock:
            for fault in self._faults:
                if not fault.is_over() and fault.matches(endpoint, grant):
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
        return None

    def count(self, endpoint: str, grant: str = "") -> None:
        with self._lock:
            self._counts.update([endpoint, f"{endpoint}:{grant}"] if grant else [endpoint])

    def counts(self) -> Counter[str]:
        """Return the number of requests by endpoint and by ``endpoint:grant``."""
        with self._lock:
            return self._counts.copy()

    def reset_counts(self) -> None:
        with self._lock:
            self._counts.clear()


def tamper(kind: str, claims: dict[str, Any], now: float) -> dict[str, Any]:
    """Return the claims with one wrong value. ``Pool.mint`` handles wrong keys."""
    id_token = "aud" in claims and "client_id" not in claims
    wrong: dict[str, dict[str, Any]] = {
        "wrong-issuer": {"iss": "https://cognito-idp.local-1.amazonaws.com/local-1_AnotherPool"},
        "wrong-audience": {"aud" if id_token else "client_id": "anotherclient"},
        "wrong-token-use": {"token_use": "access" if id_token else "id"},
        "wrong-nonce": {"nonce": "another-nonce"},
        "expired": {"iat": int(now) - 7200, "exp": int(now) - 3600},
    }
    missing = kind.removeprefix("missing-")
    return {k: v for k, v in claims.items() if k != missing} | wrong.get(kind, {})
