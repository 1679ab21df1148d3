"""Codes of an authenticator app: TOTP with SHA-1, six digits and steps of 30 seconds (RFC 6238)."""

import base64
import hmac
import os

STEP_SECONDS = 30


def new_secret() -> str:
    """Return 256 random bits in base32, as AssociateSoftwareToken does."""
    return base64.b32encode(os.urandom(32)).decode().rstrip("=")


def code(secret: str, step: int) -> str:
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.digest(key, step.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 15
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**6:06}"


def matching_step(secret: str, sent: str, now: float) -> int | None:
    """Return the time step that the code belongs to, at most one from now, or None."""
    current = int(now) // STEP_SECONDS
    steps = (current, current - 1, current + 1)
    return next(
        (s for s in steps if hmac.compare_digest(code(secret, s).encode(), sent.encode())), None
    )
