"""Encryption of stored tokens and of attempt cookies.

It uses Fernet (AES-128-CBC with HMAC-SHA256) with a list of keys. The first key encrypts, and all
keys decrypt. To rotate a key, put the new one first (https://cryptography.io/en/latest/fernet/).
"""

import json
import time
from collections.abc import Callable, Iterable
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class DecryptionError(Exception):
    """A text that is too old, was modified, or was encrypted with a key that is not listed."""


class Cipher:
    """The encryption of small JSON objects.

    `keys` are 32 bytes each in URL-safe base64. A malformed key raises ValueError.
    """

    def __init__(
        self, keys: Iterable[str], *, clock: Callable[[], float] = lambda: time.time()
    ) -> None:
        fernets = [Fernet(key) for key in keys]
        self._first = fernets[0]
        self._fernet = MultiFernet(fernets)
        self.key_count = len(fernets)
        self._clock = clock

    def seal(self, content: dict[str, Any]) -> str:
        """Return `content` encrypted with the first key."""
        text = json.dumps(content, separators=(",", ":"))
        return self._fernet.encrypt_at_time(text.encode(), int(self._clock())).decode()

    def open(self, sealed: str, *, max_age: int | None = None) -> dict[str, Any]:
        """Return the content. Raises DecryptionError, also if older than `max_age` seconds."""
        try:
            if max_age is None:
                text = self._fernet.decrypt(sealed)
            else:
                text = self._fernet.decrypt_at_time(sealed, max_age, int(self._clock()))
            content = json.loads(text)
        except (InvalidToken, ValueError) as error:
            raise DecryptionError("cannot be decrypted") from error
        if not isinstance(content, dict):
            raise DecryptionError("is not an object")
        return content

    def reseal(self, sealed: str) -> str | None:
        """Return the text encrypted with the first key and its original age.

        None means that the first key encrypted it already. Raises DecryptionError.
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
            raise DecryptionError("cannot be decrypted") from error
