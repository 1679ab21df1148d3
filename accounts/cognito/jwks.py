"""The signing keys of a user pool: parse the published key set, and cache it.

A key set (RFC 7517) is untrusted input. Keys that are weak, ambiguous, or not RSA keys for RS256
signatures are left out, and a set without a usable key is an error. The store returns keys from
memory, and runs one download at a time. A cached key never waits for a download and survives its
failure. The first successful download after a key's withdrawal removes it.
"""

from __future__ import annotations

import json
import logging
import os
import re
import threading
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from .errors import CognitoError, CognitoUnavailable, UnknownKey

logger = logging.getLogger(__name__)

KeySet = Mapping[str, RSAPublicKey]
_Result = tuple[bytes, KeySet] | CognitoUnavailable  # document and keys, or the failure

_MAX_KEYS = 64
_EXTRA_WAIT_SECONDS = 1.0  # seconds
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
_NO_KEYS: KeySet = MappingProxyType({})


def parse_key_set(document: bytes) -> KeySet:
    """Return the usable keys of a JWKS document by key ID.

    Raises:
        CognitoUnavailable: the document is unreadable or has no usable key.
    """
    try:
        members = json.loads(document)["keys"]
        if not isinstance(members, list):
            raise TypeError("keys is not a list")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CognitoUnavailable("the key set is unreadable") from error
    keys: dict[str, RSAPublicKey] = {}
    ambiguous: set[str] = set()
    for member in members[:_MAX_KEYS]:
        key = _parse_key(member)
        if key is not None and keys.setdefault(member["kid"], key) != key:
            ambiguous.add(member["kid"])
    usable = {key_id: key for key_id, key in keys.items() if key_id not in ambiguous}
    if not usable:
        raise CognitoUnavailable("the key set has no usable key")
    return MappingProxyType(usable)


def _parse_key(member: Any) -> RSAPublicKey | None:
    """Return an RSA key of 2048 to 8192 bits that is published for RS256 signatures, or None."""
    if not isinstance(member, dict) or not isinstance(member.get("kid"), str) or not member["kid"]:
        return None
    if (member.get("kty"), member.get("use"), member.get("alg")) != ("RSA", "sig", "RS256"):
        return None
    try:
        modulus, exponent = _number(member["n"]), _number(member["e"])
        if not 2048 <= modulus.bit_length() <= 8192 or not 65537 <= exponent < 2**32:
            return None
        if modulus % 2 == 0:  # cryptography does not check this here
            return None
        return RSAPublicNumbers(exponent, modulus).public_key()
    except (KeyError, TypeError, ValueError):
        return None


def _number(text: str) -> int:
    if not _BASE64URL.fullmatch(text):
        raise ValueError("not base64url")
    return int.from_bytes(urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


def _run_in_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="cognito-jwks", daemon=True).start()


@dataclass
class _Download:
    """A running download: the key IDs that threads wait for, and the process that runs it."""

    key_ids: set[str] = field(default_factory=set)
    done: threading.Event = field(default_factory=threading.Event)
    process: int = field(default_factory=os.getpid)


class KeyStore:
    """The signing keys of one user pool, for all threads of a process.

    ``fetch`` returns the JWKS document or raises CognitoUnavailable, and has a timeout of its own.
    Keys older than ``fresh_seconds`` are still used while a background download renews them. An
    unknown key ID starts a download immediately. After a download that did not contain the key, the
    store waits ``cooldown_seconds``, because anyone can send unknown key IDs. ``document`` is a
    snapshot of the key set, so that the first request need not wait. It is renewed at its first
    use, or after ``document_seconds``. At most ``max_waiting`` threads wait until a download ends.
    Others fail after a second, so that a slow download leaves threads for other requests.
    """

    def __init__(
        self,
        fetch: Callable[[], bytes],
        *,
        clock: Callable[[], float] = lambda: time.monotonic(),
        fresh_seconds: float = 3600,
        cooldown_seconds: float = 10,
        document: bytes | None = None,
        document_seconds: float = 0,
        max_waiting: int = 1000,
        in_background: Callable[[Callable[[], None]], None] = _run_in_thread,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._fresh_seconds = fresh_seconds
        self._cooldown_seconds = cooldown_seconds
        self._in_background = in_background
        self._lock = threading.Lock()
        self._download: _Download | None = None
        self._slots = threading.BoundedSemaphore(max_waiting)
        self.failure: CognitoUnavailable | None = None  # of the last download
        self._fetched_at: float | None = None
        self._renew_at = clock() + (document_seconds if document else 0)
        self._search_at = clock()  # earliest next download for an unknown key ID
        self.document = document
        self._keys = parse_key_set(document) if document else _NO_KEYS

    @property
    def age(self) -> float | None:
        """Seconds since the last successful download, or None before the first."""
        return None if self._fetched_at is None else self._clock() - self._fetched_at

    def key(self, key_id: str) -> RSAPublicKey:
        """Return the public key with this ID.

        Raises:
            UnknownKey: the pool does not publish this key.
            CognitoUnavailable: the key is not cached, and the key set cannot be downloaded.
        """
        key = self._keys.get(key_id)
        if key is None:
            return self._search(key_id)
        if self._clock() >= self._renew_at:
            self._renew()
        return key

    def load(self) -> None:
        """Download the key set, or wait for a running download. For warm-up and health checks.

        Raises:
            CognitoUnavailable: the key set cannot be downloaded.
        """
        with self._lock:
            download, is_new = self._running_or_new()
        self._await(download, run=is_new)
        if self.failure:
            raise self._lookup_error()

    def _search(self, key_id: str) -> RSAPublicKey:
        with self._lock:
            if key_id in self._keys:  # another thread downloaded it
                return self._keys[key_id]
            if not self._is_running() and self._clock() < self._search_at:
                raise self._lookup_error()
            download, is_new = self._running_or_new()
            download.key_ids.add(key_id)
        self._await(download, run=is_new)
        if key_id not in (keys := self._keys):
            raise self._lookup_error()
        return keys[key_id]

    def _renew(self) -> None:
        with self._lock:
            if self._clock() < self._renew_at:  # another thread renewed them
                return
            download, is_new = self._running_or_new()
        if is_new:
            try:
                self._in_background(lambda: self._run(download))
            except RuntimeError:  # the system cannot start another thread
                self._run(download)

    def _is_running(self) -> bool:
        # A forked process inherits the object, but not the thread that runs the download.
        return self._download is not None and self._download.process == os.getpid()

    def _running_or_new(self) -> tuple[_Download, bool]:
        if self._download is not None and self._is_running():
            return self._download, False
        self._download = _Download()
        return self._download, True

    def _await(self, download: _Download, *, run: bool) -> None:
        if run:
            self._run(download)
        elif self._slots.acquire(blocking=False):
            try:
                download.done.wait()
            finally:
                self._slots.release()
        elif not download.done.wait(_EXTRA_WAIT_SECONDS):
            message = "too many requests are waiting for the signing keys"
            raise CognitoUnavailable(message, retry_after=1.0)

    def _run(self, download: _Download) -> None:
        result: _Result = CognitoUnavailable("the download was interrupted")
        try:
            document = self._fetch()
            result = document, parse_key_set(document)
        except CognitoUnavailable as error:
            result = error
        except Exception as error:
            result = CognitoUnavailable("the key set cannot be downloaded")
            result.__cause__ = error
        finally:  # also if the thread is being killed, because other threads wait for the end
            self._finish(download, result)

    def _finish(self, download: _Download, result: _Result) -> None:
        failure = result if isinstance(result, CognitoUnavailable) else None
        with self._lock:
            now = self._clock()
            self.failure = failure
            if not isinstance(result, CognitoUnavailable):
                self.document, self._keys = result
                self._fetched_at = now
            self._renew_at = now + (self._cooldown_seconds if failure else self._fresh_seconds)
            if failure or not download.key_ids <= self._keys.keys():
                self._search_at = now + self._cooldown_seconds
            self._download = None
        download.done.set()
        if failure:
            logger.warning("signing keys not renewed: %s", failure, exc_info=failure.__cause__)

    def _lookup_error(self) -> CognitoError:
        if not self.failure:
            return UnknownKey("This token is signed with a key that the pool does not publish.")
        wait = max(0.0, self._search_at - self._clock())
        error = CognitoUnavailable("the signing keys cannot be downloaded", retry_after=wait)
        error.__cause__ = self.failure
        return error
