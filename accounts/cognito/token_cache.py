"""The access tokens that this process has verified, so that it verifies each signature only once.

The cache holds only what cannot change: signature, claims and principal. Everything else is checked
on every use: expiry, whether the signing key is still published, and (by the caller) revocation.
The cache holds a hash of each token, so that memory contains no usable token.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .claims import AccessClaims
from .errors import CognitoUnavailable, UnknownKey
from .jwks import KeyStore
from .token_checks import check_expiry
from .token_parsing import parse
from .verifier import TrustedPools

MAX_ENTRIES = 20_000
MAX_BYTES = 64 * 1024 * 1024
# The estimated size of an entry: claims, payload and principal, with the overhead of Python's
# objects.
_BYTES_PER_CHARACTER = 6
_BYTES_PER_ENTRY = 2_000


@dataclass(frozen=True, slots=True)
class CachedToken:
    """The claims of an access token, and the `principal` that the caller stores with them."""

    claims: AccessClaims
    principal: Any
    keys: KeyStore  # of its issuer
    key_id: str
    size: int  # bytes, estimated


class TokenCache:
    """A cache of verified tokens of `pools`, which drops the oldest when full. Thread-safe.

    `clock` returns seconds since the epoch.
    """

    def __init__(
        self,
        pools: TrustedPools,
        *,
        max_entries: int = MAX_ENTRIES,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = lambda: time.time(),
    ) -> None:
        self._pools = pools
        self._most_entries = max_entries
        self._most_bytes = max_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[bytes, CachedToken] = {}
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def verify(
        self, unverified_access_token: str, *, principal_of: Callable[[AccessClaims], Any]
    ) -> CachedToken:
        """Return the claims of an access token of one of the pools, and its principal.

        `principal_of` is called once for each token. Its errors are not caught.

        Raises:
            TokenExpired: the token has expired. The error has its verified claims.
            TokenRejected: the token is not acceptable. The subclass says why.
            CognitoUnavailable: the signing keys are unavailable.
        """
        digest = _digest(unverified_access_token)
        if (entry := self._lookup(digest)) is not None:
            return entry
        token = parse(unverified_access_token)
        claims = self._pools.claims_of_access_token(token)
        entry = CachedToken(
            claims=claims,
            principal=principal_of(claims),
            keys=self._pools.keys_of(claims.issuer),
            key_id=token.key_id,
            size=len(unverified_access_token) * _BYTES_PER_CHARACTER + _BYTES_PER_ENTRY,
        )
        self._store(digest, entry)
        return entry

    def lookup(self, unverified_access_token: str) -> CachedToken | None:
        """Return the entry of a token that was verified before, or None. Raises TokenExpired."""
        return self._lookup(_digest(unverified_access_token))

    def _lookup(self, digest: bytes) -> CachedToken | None:
        entry = self._entries.get(digest)
        if entry is None:
            return None
        if not is_published(entry.keys, entry.key_id):
            self._discard(digest)
            return None
        check_expiry(entry.claims, now=self._clock())
        return entry

    def _store(self, digest: bytes, entry: CachedToken) -> None:
        with self._lock:
            if digest not in self._entries:
                self.bytes += entry.size
            self._entries[digest] = entry
            while len(self._entries) > self._most_entries or self.bytes > self._most_bytes:
                oldest = self._entries.pop(next(iter(self._entries)))
                self.bytes -= oldest.size

    def _discard(self, digest: bytes) -> None:
        with self._lock:
            if (entry := self._entries.pop(digest, None)) is not None:
                self.bytes -= entry.size


def is_published(keys: KeyStore, key_id: str) -> bool:
    """Return True if the key is still published. Like every use, this renews the keys when due."""
    try:
        keys.key(key_id)
    except (UnknownKey, CognitoUnavailable):
        return False
    return True


def _digest(unverified_access_token: str) -> bytes:
    return hashlib.sha256(unverified_access_token.encode("utf-8", "surrogatepass")).digest()
