"""Access tokens that this process has verified before: the signature is not computed twice.

Only what cannot change is remembered: signature, claims, whom the token speaks for. What can
change is asked on every use: expiry, whether the signing key is still published, and (by the
caller) revocation. Of the signature only a hash is kept, so that no token anybody could use lies in
memory longer than its request; what it signs has to be the same, byte for byte.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .claims import AccessClaims
from .token_checks import check_expiry
from .verifier import TrustedPools, signing_key_id

MOST_ENTRIES = 20_000
MOST_BYTES = 64 * 1024 * 1024
# What an entry takes: claims, their payload and the person; measured at two to six times the
# token's own length, with Python's objects around it.
_BYTES_PER_CHARACTER = 6
_BYTES_PER_ENTRY = 2_000


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """The claims of an access token and `principal`, whatever the caller keeps beside them."""

    claims: AccessClaims
    principal: Any
    signed: str = field(repr=False)  # header and payload as they came
    key_id: str
    size: int  # bytes, estimated


class VerifiedTokens:
    """Remembers tokens of `pools`, the oldest making room. Safe for all threads.

    `clock` gives seconds since the epoch.
    """

    def __init__(
        self,
        pools: TrustedPools,
        *,
        most_entries: int = MOST_ENTRIES,
        most_bytes: int = MOST_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._pools = pools
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[bytes, VerifiedToken] = {}
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def verify(
        self, unverified_access_token: str, *, principal_of: Callable[[AccessClaims], Any]
    ) -> VerifiedToken:
        """The claims of an access token of one of the pools, now, and its principal.

        `principal_of` is asked once for each token; whatever it raises comes through.

        Raises:
            TokenExpired: everything else about it is in order; carries the claims.
            TokenRejected: any other reason not to accept it, as its subclasses say.
            CognitoUnavailable: the signing keys cannot be had.
        """
        signed, _, signature = unverified_access_token.rpartition(".")
        digest = hashlib.sha256(signature.encode("utf-8", "surrogatepass")).digest()
        known = self._entries.get(digest)
        if known is not None and known.signed == signed:
            if self._pools.still_published(known.claims.issuer, known.key_id):
                check_expiry(known.claims, now=self._clock())
                return known
            self._forget(digest)
        claims = self._pools.access_claims(unverified_access_token)
        verified = VerifiedToken(
            claims=claims,
            principal=principal_of(claims),
            signed=signed,
            key_id=signing_key_id(unverified_access_token),
            size=len(unverified_access_token) * _BYTES_PER_CHARACTER + _BYTES_PER_ENTRY,
        )
        self._remember(digest, verified)
        return verified

    def _remember(self, digest: bytes, verified: VerifiedToken) -> None:
        with self._lock:
            if digest not in self._entries:
                self.bytes += verified.size
            self._entries[digest] = verified
            while len(self._entries) > self._most_entries or self.bytes > self._most_bytes:
                oldest = self._entries.pop(next(iter(self._entries)))
                self.bytes -= oldest.size

    def _forget(self, digest: bytes) -> None:
        with self._lock:
            if (dropped := self._entries.pop(digest, None)) is not None:
                self.bytes -= dropped.size
