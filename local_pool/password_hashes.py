"""Password hashes of other systems, which an import job can bring: PBKDF2, Argon2id and scrypt.

The formats and the limits are Cognito's.
https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-using-import-tool.html
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable

TEXT = r"([A-Za-z0-9+/.]+={0,2})"
FORMATS = {
    "PBKDF2_SHA256": re.compile(rf"\$pbkdf2-sha256\$(\d{{1,9}})\${TEXT}\${TEXT}"),
    "ARGON2ID": re.compile(
        rf"\$argon2id\$v=19\$m=(\d{{1,9}}),t=(\d{{1,9}}),p=(\d{{1,9}})\${TEXT}\${TEXT}"
    ),
    "SCRYPT": re.compile(r"(\d{1,9})\$(\d{1,9})\$(\d{1,9})\$([0-9a-fA-F]+)\$([0-9a-fA-F]+)"),
}
MAX_COSTS = {
    "PBKDF2_SHA256": (600_000,),
    "ARGON2ID": (19_456, 2, 1),
    "SCRYPT": (65_536, 8, 1),
}
SCRYPT_BYTES = 256 * 1024 * 1024


def problem(algorithm: str, text: str) -> str:
    """Return why Cognito does not import this hash, or ""."""
    match = FORMATS[algorithm].fullmatch(text)
    if match is None:
        return f"the password hash is not in the format of {algorithm}"
    if any(int(c) > most for c, most in zip(match.groups(), MAX_COSTS[algorithm], strict=False)):
        return f"the costs of the password hash are above {MAX_COSTS[algorithm]}"
    return ""


def matches(password: str, text: str) -> bool | None:
    """Return True for the right password, None if the hash is in none of the formats."""
    for algorithm, pattern in FORMATS.items():
        if match := pattern.fullmatch(text):
            *costs, salt, expected = match.groups()
            decode = bytes.fromhex if algorithm == "SCRYPT" else _decode
            wanted = decode(expected)
            derived = DERIVE[algorithm](password, decode(salt), len(wanted), *map(int, costs))
            return hmac.compare_digest(derived, wanted)
    return None


def _decode(text: str) -> bytes:
    text = text.rstrip("=").replace(".", "+")
    return base64.b64decode(text + "=" * (-len(text) % 4))


def _pbkdf2(password: str, salt: bytes, length: int, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations, length)


def _argon2id(
    password: str, salt: bytes, length: int, memory: int, rounds: int, lanes: int
) -> bytes:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    kdf = Argon2id(salt=salt, length=length, iterations=rounds, lanes=lanes, memory_cost=memory)
    return kdf.derive(password.encode())


def _scrypt(password: str, salt: bytes, length: int, n: int, r: int, p: int) -> bytes:
    costs = {"n": n, "r": r, "p": p, "maxmem": SCRYPT_BYTES, "dklen": length}
    return hashlib.scrypt(password.encode(), salt=salt, **costs)


DERIVE: dict[str, Callable[..., bytes]] = {
    "PBKDF2_SHA256": _pbkdf2,
    "ARGON2ID": _argon2id,
    "SCRYPT": _scrypt,
}
