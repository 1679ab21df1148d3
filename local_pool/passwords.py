"""Password hashes (scrypt) and Cognito's default password policy with its messages."""

import hashlib
import hmac
import os
from functools import lru_cache

from . import password_hashes
from .errors import UserError

SYMBOLS = set("^$*.[]{}()?-\"!@#%&/\\,><':;|_~`+= ")
RULES = (
    ("Password not long enough", "at least 8 characters", lambda p: len(p) >= 8),
    ("Password must have uppercase characters", "an uppercase letter", lambda p: p != p.lower()),
    ("Password must have lowercase characters", "a lowercase letter", lambda p: p != p.upper()),
    ("Password must have numeric characters", "a number", lambda p: any(map(str.isdigit, p))),
    ("Password must have symbol characters", "a symbol", lambda p: bool(SYMBOLS & set(p.strip()))),
)


def check_policy(password: str) -> None:
    """Raise UserError (InvalidPasswordException) with the first rule that is broken."""
    for message, _, is_met in RULES:
        if not is_met(password) or len(password) > 256:
            broken = f"Password did not conform with policy: {message}"
            raise UserError("InvalidPasswordException", broken)


def hash_password(password: str) -> str:
    """Return ``salt$hash`` in hex, with scrypt parameters that are too weak for production."""
    salt = os.urandom(16)
    return f"{salt.hex()}${_scrypt(password, salt).hex()}"


@lru_cache(maxsize=64)
def hash_seed(password: str) -> str:
    """Return the hash of a declared password, computed once per process."""
    return hash_password(password)


def matches(password: str, hashed: str) -> bool:
    imported = password_hashes.matches(password, hashed)
    if imported is not None:
        return imported
    salt, _, expected = hashed.partition("$")
    return hmac.compare_digest(_scrypt(password, bytes.fromhex(salt)).hex(), expected)


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**12, r=8, p=1)
