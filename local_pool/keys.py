"""The pool's two signing keys (one for access tokens, one for ID tokens) and their rotation.

As at Cognito, a ``kid`` is the standard base64 of 32 bytes. Every ``kid`` of this pool contains
``+`` or ``/``, so that code that decodes it or puts it into a URL fails here first.
"""

import base64
import hashlib
import json
import os
from collections.abc import Callable
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from .store import Store
from .tokens import base64url


class SigningKey:
    def __init__(self, private: RSAPrivateKey) -> None:
        self.private = private
        self.public = private.public_key()
        numbers = self.public.public_numbers()
        modulus = numbers.n.to_bytes(256)
        kids = (hashlib.sha256(modulus + bytes([n])).digest() for n in range(256))
        encoded = (base64.b64encode(kid).decode() for kid in kids)
        self.kid = next(kid for kid in encoded if "+" in kid or "/" in kid)
        exponent, n = base64url(numbers.e.to_bytes(3)), base64url(modulus)
        self.jwk = {"kid": self.kid, "alg": "RS256", "kty": "RSA", "e": exponent, "n": n}
        self.jwk["use"] = "sig"

    @staticmethod
    def unknown_kid() -> str:
        """Return a well-formed ``kid`` that is in no key set."""
        return base64.b64encode(os.urandom(32)).decode()

    def pem(self) -> str:
        pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        return self.private.private_bytes(pem, pkcs8, serialization.NoEncryption()).decode()


class KeyRing:
    """The current and previous signing keys. ``generate(n)`` creates the n-th key."""

    def __init__(self, store: Store, generate: Callable[[int], RSAPrivateKey] | None = None):
        self._store = store
        self._generate = generate or (lambda n: generate_private_key(65537, 2048))
        saved = json.loads(store.read("keys.json") or "{}")
        self.made: int = saved.get("made", 0)
        self._keys = [
            SigningKey(serialization.load_pem_private_key(pem.encode(), None))  # type: ignore[arg-type]
            for pem in saved.get("keys", [])
        ]
        if not self._keys:
            self.rotate()

    @property
    def access(self) -> SigningKey:
        return self._keys[0]

    @property
    def id(self) -> SigningKey:
        return self._keys[1]

    def rotate(self, *, keep_old: bool = True) -> None:
        """Create two new keys to sign with; ``keep_old`` keeps the old ones in the key set."""
        new_keys = [
            SigningKey(self._generate(self.made)),
            SigningKey(self._generate(self.made + 1)),
        ]
        self._keys = new_keys + (self._keys if keep_old else [])
        self.made += 2
        saved = {"made": self.made, "keys": [key.pem() for key in self._keys]}
        self._store.write("keys.json", json.dumps(saved, indent=1))

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        return {"keys": [key.jwk for key in self._keys]}

    def find(self, kid: object) -> SigningKey | None:
        return next((key for key in self._keys if key.kid == kid), None)


@cache
def cached_key(n: int) -> RSAPrivateKey:
    """Return the n-th key of this process, created once: creating a key takes up to a second."""
    return generate_private_key(65537, 2048)
