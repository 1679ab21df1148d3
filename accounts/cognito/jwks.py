"""A pool's signing keys: reading the published set, and keeping it at hand.

A key set (RFC 7517) is input from outside: keys that are not RSA for RS256 signatures, weak, or
named ambiguously are left out, and a set in which none remains is no key set. The store answers
from memory and downloads once at a time. Keys it holds are never waited for and survive every
failure; what Cognito has withdrawn is forgotten with the first download after that.
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

_MOST_KEYS = 64
_CROWD_WAITS = 1.0  # seconds
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
_NO_KEYS: KeySet = MappingProxyType({})


def parse_key_set(document: bytes) -> KeySet:
    """The usable keys of a JWKS document by key id.

    Raises:
        CognitoUnavailable: the document is unreadable or holds no usable key.
    """
    try:
        members = json.loads(document)["keys"]
        if not isinstance(members, list):
            raise TypeError("keys is not a list")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CognitoUnavailable("the key set is unreadable") from error
    keys: dict[str, RSAPublicKey] = {}
    ambiguous: set[str] = set()
    for member in members[:_MOST_KEYS]:
        key = _usable_key(member)
        if key is not None and keys.setdefault(member["kid"], key) != key:
            ambiguous.add(member["kid"])
    usable = {key_id: key for key_id, key in keys.items() if key_id not in ambiguous}
    if not usable:
        raise CognitoUnavailable("the key set holds no usable key")
    return MappingProxyType(usable)


def _usable_key(member: Any) -> RSAPublicKey | None:
    """An RSA key of 2048 to 8192 bits that is published for RS256 signatures, or None."""
    if not isinstance(member, dict) or not isinstance(member.get("kid"), str) or not member["kid"]:
        return None
    if (member.get("kty"), member.get("use"), member.get("alg")) != ("RSA", "sig", "RS256"):
        return None
    try:
        modulus, exponent = _number(member["n"]), _number(member["e"])
        if not 2048 <= modulus.bit_length() <= 8192 or not 65537 <= exponent < 2**32:
            return None
        if modulus % 2 == 0:  # cryptography leaves this to whoever uses the key
            return None
        return RSAPublicNumbers(exponent, modulus).public_key()
    except (KeyError, TypeError, ValueError):
        return None


def _number(text: str) -> int:
    if not _BASE64URL.fullmatch(text):
        raise ValueError("not base64url")
    return int.from_bytes(urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


def _in_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="cognito-jwks", daemon=True).start()


@dataclass
class _Download:
    """One running download: who waits for it, and in which process it runs."""

    wanted: set[str] = field(default_factory=set)
    done: threading.Event = field(default_factory=threading.Event)
    process: int = field(default_factory=os.getpid)


class KeyStore:
    """The signing keys of one pool, for all threads of a process.

    ``fetch`` returns the JWKS document or raises CognitoUnavailable, and bounds its own time. Keys
    older than ``fresh_seconds`` are still used while a background download renews them. A key id
    that is not known starts a download at once, but a vain one only once per ``cooldown_seconds``:
    key ids come from strangers. ``document`` is a snapshot to start from, such as another store's
    ``document``, so that a first request need not wait; it is renewed at its first use, or after
    ``document_seconds``. ``waiting_at_once`` threads may wait for a download until it ends; more
    than those give up after a second, so that a slow one leaves threads for everything else.
    """

    def __init__(
        self,
        fetch: Callable[[], bytes],
        *,
        clock: Callable[[], float] = time.monotonic,
        fresh_seconds: float = 3600,
        cooldown_seconds: float = 10,
        document: bytes | None = None,
        document_seconds: float = 0,
        waiting_at_once: int = 1000,
        in_background: Callable[[Callable[[], None]], None] = _in_thread,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._fresh_seconds = fresh_seconds
        self._cooldown_seconds = cooldown_seconds
        self._in_background = in_background
        self._lock = threading.Lock()
        self._download: _Download | None = None
        self._places = threading.BoundedSemaphore(waiting_at_once)
        self._failure: CognitoUnavailable | None = None  # of the last download, if it failed
        self._fetched_at: float | None = None
        self._renew_at = clock() + (document_seconds if document else 0)  # next renewal
        self._search_at = clock()  # next download for an unknown id
        self.document = document
        self._keys = parse_key_set(document) if document else _NO_KEYS

    @property
    def age(self) -> float | None:
        """Seconds since the last good download, None before the first."""
        return None if self._fetched_at is None else self._clock() - self._fetched_at

    def key(self, key_id: str) -> RSAPublicKey:
        """The public key of that id.

        Raises:
            UnknownKey: the pool publishes no such key.
            CognitoUnavailable: the key is not known, and the set cannot be had to look.
        """
        found = self._keys.get(key_id)
        if found is None:
            return self._search(key_id)
        if self._clock() >= self._renew_at:
            self._renew()
        return found

    def load(self) -> None:
        """Download now, or wait for the download that is running: for warming up and health checks.

        Raises:
            CognitoUnavailable: the set cannot be had.
        """
        with self._lock:
            download, is_new = self._running_or_new()
        self._await(download, run=is_new)
        if self._failure:
            raise self._refusal()

    def _search(self, key_id: str) -> RSAPublicKey:
        with self._lock:
            if key_id in self._keys:  # another thread was quicker
                return self._keys[key_id]
            if not self._is_running() and self._clock() < self._search_at:
                raise self._refusal()
            download, is_new = self._running_or_new()
            download.wanted.add(key_id)
        self._await(download, run=is_new)
        found = self._keys.get(key_id)
        if found is None:
            raise self._refusal()
        return found

    def _renew(self) -> None:
        with self._lock:
            if self._clock() < self._renew_at:  # another thread was quicker
                return
            download, is_new = self._running_or_new()
        if is_new:
            try:
                self._in_background(lambda: self._run(download))
            except RuntimeError:  # no more threads to be had: then in this one
                self._run(download)

    def _is_running(self) -> bool:
        # A forked process inherits the record of a download, but not the thread that runs it.
        return self._download is not None and self._download.process == os.getpid()

    def _running_or_new(self) -> tuple[_Download, bool]:
        if self._download is not None and self._is_running():
            return self._download, False
        self._download = _Download()
        return self._download, True

    def _await(self, download: _Download, *, run: bool) -> None:
        if run:
            self._run(download)
        elif self._places.acquire(blocking=False):
            try:
                download.done.wait()
            finally:
                self._places.release()
        elif not download.done.wait(_CROWD_WAITS):
            raise CognitoUnavailable("too many wait for the signing keys", retry_after=1.0)

    def _run(self, download: _Download) -> None:
        document, keys = None, None
        failure: CognitoUnavailable | None = CognitoUnavailable("the download was interrupted")
        try:
            document = self._fetch()
            keys = parse_key_set(document)
            failure = None
        except CognitoUnavailable as error:
            failure = error
        except Exception as error:
            failure = CognitoUnavailable("the key set cannot be downloaded")
            failure.__cause__ = error
        finally:  # also when the thread is being killed: others wait
            self._finish(download, document, keys, failure)

    def _finish(
        self,
        download: _Download,
        document: bytes | None,
        keys: KeySet | None,
        failure: CognitoUnavailable | None,
    ) -> None:
        with self._lock:
            now = self._clock()
            self._failure = failure
            if keys is not None:
                self._keys, self.document, self._fetched_at = keys, document, now
            self._renew_at = now + (self._cooldown_seconds if failure else self._fresh_seconds)
            if failure or not download.wanted <= self._keys.keys():
                self._search_at = now + self._cooldown_seconds
            self._download = None
        download.done.set()
        if failure:
            logger.warning("signing keys not renewed: %s", failure, exc_info=failure.__cause__)

    def _refusal(self) -> CognitoError:
        if self._failure:
            wait = max(0.0, self._search_at - self._clock())
            refusal = CognitoUnavailable("the signing keys cannot be downloaded", retry_after=wait)
            refusal.__cause__ = self._failure
            return refusal
        return UnknownKey("signed with a key that this user pool does not publish")
