"""Password hashes (scrypt), and Cognito's password policy with its messages."""

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from functools import lru_cache

from . import password_hashes
from .errors import UserError
from .pool_config import PoolConfig

SYMBOLS = set("^$*.[]{}()?-\"!@#%&/\\,><':;|_~`+= ")
# Kind of character -> its adjective in Cognito's message, the words of the page, and the check.
RULES: dict[str, tuple[str, str, Callable[[str], bool]]] = {
    "uppercase": ("uppercase", "an uppercase letter", lambda p: p != p.lower()),
    "lowercase": ("lowercase", "a lowercase letter", lambda p: p != p.upper()),
    "numbers": ("numeric", "a number", lambda p: any(map(str.isdigit, p))),
    "symbols": ("symbol", "a symbol", lambda p: bool(SYMBOLS & set(p.strip()))),
}


def describe_policy(config: PoolConfig) -> list[str]:
    """Return what a password must have."""
    length = f"at least {config.password_min_length} characters"
    return [length, *(RULES[kind][1] for kind in config.password_characters)]


def check_policy(config: PoolConfig, password: str) -> None:
    """Raise UserError (InvalidPasswordException) with the first rule that is broken."""
    problem = "" if config.password_min_length <= len(password) <= 256 else "not long enough"
    for kind in config.password_characters:
        adjective, _, is_met = RULES[kind]
        if not problem and not is_met(password):
            problem = f"must have {adjective} characters"
    if problem:
        broken = f"Password did not conform with policy: Password {problem}"
        raise UserError("InvalidPasswordException", broken)


def random_password(config: PoolConfig) -> str:
    """Return a password that the policy allows."""
    return f"Aa1-{secrets.token_hex(max(4, config.password_min_length // 2))}"


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
