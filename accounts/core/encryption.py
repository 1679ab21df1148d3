"""Encryption of what we keep or hand out and must read again: tokens at rest, attempt cookies.

Fernet (AES-128-CBC with HMAC-SHA256) under a list of keys: the first encrypts, all decrypt, so a
key is rotated by putting a new one in front (https://cryptography.io/en/latest/fernet/).
"""

import json
import time
from collections.abc import Callable, Iterable
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class Unreadable(Exception):
    """Not ours, tampered with, too old, or encrypted with a key that is no longer listed."""


class Cipher:
    """Seals small JSON objects.

    `keys`: url-safe base64 of 32 bytes each; a malformed one raises ValueError.
    """

    def __init__(self, keys: Iterable[str], *, clock: Callable[[], float] = time.time) -> None:
        fernets = [Fernet(key) for key in keys]
        self._first = fernets[0]
        self._fernet = MultiFernet(fernets)
        self.key_count = len(fernets)
        self._clock = clock

    def seal(self, content: dict[str, Any]) -> str:
        text = json.dumps(content, separators=(",", ":"))
        return self._fernet.encrypt_at_time(text.encode(), int(self._clock())).decode()

    def open(self, sealed: str, *, max_age: int | None = None) -> dict[str, Any]:
        """The content, if sealed at most `max_age` seconds ago. Raises Unreadable."""
        try:
            if max_age is None:
                text = self._fernet.decrypt(sealed)
            else:
                text = self._fernet.decrypt_at_time(sealed, max_age, int(self._clock()))
            content = json.loads(text)
        except (InvalidToken, ValueError) as error:
            raise Unreadable("cannot be decrypted") from error
        if not isinstance(content, dict):
            raise Unreadable("is not an object")
        return content

    def resealed(self, sealed: str) -> str | None:
        """The same content and age under the first key; None when it is already.

        Raises Unreadable.
        """
        try:
            self._first.decrypt(sealed)
        except InvalidToken:
            pass
        else:
            return None
        try:
            return self._fernet.rotate(sealed.encode()).decode()
        except InvalidToken as error:
            raise Unreadable("cannot be decrypted") from error
