"""Misbehaviour on command: which answer goes wrong, how, how often and for how long.

An endpoint is one of ENDPOINTS, ``*`` (all of them), or ``access-token`` / ``id-token`` for the
tokens that are minted. The counting of requests lives here too, so that it sees each one once.
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

from .errors import PoolError

ENDPOINTS = (
    "discovery jwks authorize login signup confirm forgotPassword token revoke userInfo logout api"
)
ANSWERS = "429 500 503 garbage empty redirect slow close lost no-keys denied server-error"
TAMPERINGS = "wrong-key unknown-key wrong-issuer wrong-audience wrong-token-use wrong-nonce expired"


@dataclass
class Fault:
    """``times`` None means until switched off; ``seconds`` is how long a slow answer takes."""

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


class Faults:
    """Thread-safe; an empty one changes nothing."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._counts: Counter[str] = Counter()
        self._lock = Lock()

    def add(
        self,
        endpoint: str,
        kind: str,
        *,
        times: int | None = None,
        lasting: float | None = None,
        grant: str = "",
        seconds: float = 10.0,
        share: float = 1.0,
    ) -> Fault:
        """The next ``times`` answers of ``endpoint`` go wrong, or all of them for ``lasting`` s.

        Raises PoolError for an endpoint or kind that does not exist.
        """
        minted = endpoint in ("access-token", "id-token")
        if not minted and endpoint not in (*ENDPOINTS.split(), "*"):
            raise PoolError(f"There is no endpoint {endpoint!r}; choose one of {ENDPOINTS} or *.")
        kinds = TAMPERINGS if minted else ANSWERS
        if kind not in kinds.split() and not (minted and kind.startswith("missing-")):
            also = " or missing-<claim>" if minted else ""
            raise PoolError(
                f"There is no fault {kind!r} for {endpoint}; choose one of {kinds}{also}."
            )
        until = time.monotonic() + lasting if lasting is not None else None
        fault = Fault(endpoint, kind, times, until, grant, seconds, share)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def active(self) -> list[Fault]:
        now = time.monotonic()
        with self._lock:
            self._faults = [
                f for f in self._faults if f.times != 0 and (f.until is None or f.until > now)
            ]
            return list(self._faults)

    def take(self, endpoint: str, grant: str = "") -> Fault | None:
        """The fault that befalls this request, if any; it is used up by one."""
        for fault in self.active():
            everything = fault.endpoint == "*" and not endpoint.endswith("-token")
            if not (everything or fault.endpoint == endpoint) or fault.grant not in ("", grant):
                continue
            if random.random() >= fault.share:  # noqa: S311 (chance, not a secret)
                continue
            with self._lock:
                if fault.times == 0:
                    continue
                if fault.times is not None:
                    fault.times -= 1
            return fault
        return None

    def count(self, endpoint: str, grant: str = "") -> None:
        with self._lock:
            self._counts[endpoint] += 1
            if grant:
                self._counts[f"{endpoint}:{grant}"] += 1

    def counts(self) -> Counter[str]:
        """Requests since the start or the last reset, by endpoint and by ``endpoint:grant``."""
        with self._lock:
            return self._counts.copy()

    def reset_counts(self) -> None:
        with self._lock:
            self._counts.clear()


def tamper(kind: str, claims: dict[str, Any], now: Callable[[], float]) -> dict[str, Any]:
    """The claims, spoilt in one place. (Keys are exchanged where the token is signed.)"""
    changed, is_id_token = dict(claims), claims["token_use"] in ("id",)
    if kind == "wrong-issuer":
        changed["iss"] = "https://cognito-idp.local-1.amazonaws.com/local-1_AnotherPool"
    elif kind == "wrong-audience":
        changed["aud" if is_id_token else "client_id"] = "anotherclient"
    elif kind == "wrong-token-use":
        changed["token_use"] = "access" if is_id_token else "id"
    elif kind == "wrong-nonce":
        changed["nonce"] = "another-nonce"
    elif kind == "expired":
        changed |= {"iat": int(now()) - 7200, "exp": int(now()) - 3600}
    elif kind.startswith("missing-"):
        changed.pop(kind.removeprefix("missing-"), None)
    return changed
