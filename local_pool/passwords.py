"""Password hashes (scrypt) and Cognito's default password policy with its messages."""

import hashlib
import hmac
import os
from functools import lru_cache

from .errors import PersonRefused

SYMBOLS = set("^$*.[]{}()?-\"!@#%&/\\,><':;|_~`+= ")
RULES = (
    ("Password not long enough", "at least 8 characters", lambda p: len(p) >= 8),
    ("Password must have uppercase characters", "an uppercase letter", lambda p: p != p.lower()),
    ("Password must have lowercase characters", "a lowercase letter", lambda p: p != p.upper()),
    ("Password must have numeric characters", "a number", lambda p: any(map(str.isdigit, p))),
    ("Password must have symbol characters", "a symbol", lambda p: bool(SYMBOLS & set(p.strip()))),
)


def check_policy(password: str) -> None:
    """Raise PersonRefused (InvalidPasswordException) naming the first rule that is broken."""
    for message, _, holds in RULES:
        if not holds(password) or len(password) > 256:
            broken = f"Password did not conform with policy: {message}"
            raise PersonRefused("InvalidPasswordException", broken)


def hash_password(password: str) -> str:
    """``salt$hash`` in hex. Cheaper than a production hash: 4 MiB and about 10 ms."""
    salt = os.urandom(16)
    return f"{salt.hex()}${_scrypt(password, salt).hex()}"


@lru_cache(maxsize=64)
def hash_seed(password: str) -> str:
    """One hash for all declared people of a process who share a (published) password."""
    return hash_password(password)


def matches(password: str, hashed: str) -> bool:
    salt, _, expected = hashed.partition("$")
    return hmac.compare_digest(_scrypt(password, bytes.fromhex(salt)).hex(), expected)


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**12, r=8, p=1)
