"""The challenge PASSWORD_VERIFIER: what it sends, and how its answer is checked."""

import base64
import binascii
import hmac
import os
import re

from . import seeding, srp, users
from .errors import INVALID, UserError
from .pool import Pool
from .records import PoolUser, digest

TIMESTAMP = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [1-9]\d? \d\d:\d\d:\d\d UTC \d{4}"
)


def challenge(
    pool: Pool, user: PoolUser | None, name: str, a_text: str
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the ChallengeParameters, and what the check of the answer needs.

    An unknown user always gets the same salt and ID, as a known one does.
    """
    if not re.fullmatch(r"[0-9A-Fa-f]{1,1024}", a_text) or int(a_text, 16) % srp.N == 0:
        raise UserError(INVALID, "SRP_A must be a hexadecimal number that is not 0.")
    if user is not None and user.srp:
        username, record = user.username, user.srp
    else:
        secret = digest(f"{pool.config.id}/{name.lower()}")
        username, record = seeding.stable_sub(pool, name.lower()), f"8{secret[1:32]}${secret}"
    salt, _, x = record.partition("$")
    b = int.from_bytes(os.urandom(32), "big")
    b_public = f"{srp.public_value(int(x, 16), b):x}"
    parameters = {"SALT": salt, "SRP_B": b_public, "USER_ID_FOR_SRP": username}
    data = {"x": x, "a_public": a_text, "b": f"{b:x}", "b_public": b_public, "srp_name": username}
    return parameters | {"USERNAME": username}, data


def is_proved(pool: Pool, data: dict[str, str], block: str, timestamp: str, sent: str) -> bool:
    """Return True if the signature proves the password. Raises UserError if it is malformed."""
    if not TIMESTAMP.fullmatch(timestamp):
        message = "TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english."
        raise UserError(INVALID, message)
    try:
        message_start = users.srp_name(pool, data["srp_name"]).encode() + base64.b64decode(block)
        signature = base64.b64decode(sent, validate=True)
    except binascii.Error:
        raise UserError(INVALID, "The signature must be base64.") from None
    x, a_public, b, b_public = (int(data[key], 16) for key in ("x", "a_public", "b", "b_public"))
    expected = srp.signature(x, a_public, b, b_public, message_start + timestamp.encode())
    return hmac.compare_digest(expected, signature)
