"""One function per claim: take a payload whose signature holds, return the value or refuse it.

Missing and mistyped claims are ClaimRejected; where people can be told which mistake they made,
the refusal has its own class and says so.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Collection

from .claims import Payload
from .errors import ClaimRejected, NonceMismatch, WrongClient, WrongIssuer, WrongTokenUse

CLOCK_SKEW_SECONDS = 60  # how far ahead of ours the issuer's clock may be; never applied to exp
_LATEST = 253402300799  # the last second of the year 9999: later ones are no dates
# JSON can spell them, but no database stores a NUL and no encoding half a surrogate pair.
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")


def text(payload: Payload, claim: str) -> str:
    """A string that must be there and say something."""
    value = optional_text(payload, claim)
    if not value:
        raise ClaimRejected(f"{claim} is missing", claim=claim, expected="text", actual=value)
    return value


def optional_text(payload: Payload, claim: str) -> str | None:
    value = payload.get(claim)
    if value is not None and not _is_text(value):
        raise _mistyped(claim, "text", value)
    return value


def flag(payload: Payload, claim: str) -> bool:
    """A boolean; userinfo and some triggers write it as text. Absent means no."""
    value = payload.get(claim)
    if value is None or value is False or value == "false":
        return False
    if value is True or value == "true":
        return True
    raise _mistyped(claim, "true or false", value)


def groups(payload: Payload) -> tuple[str, ...] | None:
    """``cognito:groups``, or None when the token says nothing about groups."""
    value = payload.get("cognito:groups")
    if value is None:
        return None
    if not isinstance(value, list) or not all(_is_text(group) for group in value):
        raise _mistyped("cognito:groups", "a list of names", value)
    return tuple(value)


def time(payload: Payload, claim: str) -> int:
    """Whole seconds since the epoch. True is no 1 here, and years past 9999 are no dates."""
    value = payload.get(claim)
    if value is None:
        raise ClaimRejected(f"{claim} is missing", claim=claim, expected="a time")
    if type(value) is not int or not 0 < value <= _LATEST:
        raise _mistyped(claim, "a time in whole seconds", value)
    return value


def past_time(payload: Payload, claim: str, now: float) -> int:
    """A time that has been reached, give or take the clocks' difference."""
    value = time(payload, claim)
    if value > now + CLOCK_SKEW_SECONDS:
        message = f"{claim} lies in the future: compare the clocks of this server and the issuer"
        latest = int(now) + CLOCK_SKEW_SECONDS
        raise ClaimRejected(message, claim=claim, expected=f"<= {latest}", actual=value)
    return value


def not_before(payload: Payload, now: float) -> None:
    """``nbf``, which Cognito does not send by default, is honoured when it comes."""
    if "nbf" in payload:
        past_time(payload, "nbf", now)


def issuer(payload: Payload, accepted: Collection[str]) -> str:
    """Which of the accepted issuers it is; ``accepted`` is no string, where "in" finds parts."""
    actual = text(payload, "iss")
    if actual not in accepted:
        message = "issued by another user pool"
        raise WrongIssuer(message, claim="iss", expected=sorted(accepted), actual=actual)
    return actual


def token_use(payload: Payload, expected: str) -> None:
    actual = text(payload, "token_use")
    if actual != expected:
        named = {"id": "an ID token", "access": "an access token"}
        message = (
            f"this is {named.get(actual, 'another kind of token')}; "
            f"send the {named[expected].split(' ', 1)[1]}"
        )
        raise WrongTokenUse(message, claim="token_use", expected=expected, actual=actual)


def client(claim: str, actual: str, accepted: Collection[str]) -> None:
    if actual not in accepted:
        message = "issued for another app client"
        raise WrongClient(message, claim=claim, expected=sorted(accepted), actual=actual)


def authorized_party(payload: Payload, client_id: str) -> None:
    """``azp``, which Cognito does not send by default, must be the audience when it comes."""
    if (actual := optional_text(payload, "azp")) is not None:
        client("azp", actual, {client_id})


def audience(payload: Payload, ours: Collection[str]) -> None:
    """``aud`` of an access token: absent, unless it is bound to a resource (RFC 8707)."""
    actual = optional_text(payload, "aud")
    if actual is not None and actual not in ours:
        message = "bound to another resource"
        raise WrongClient(message, claim="aud", expected=sorted(ours), actual=actual)


def nonce(payload: Payload, expected: str) -> None:
    actual = optional_text(payload, "nonce") or ""
    # Nothing is no nonce, not even where nothing was expected.
    if not actual or not hmac.compare_digest(actual.encode(), expected.encode()):
        # The values stay out of the error: they are this attempt's secrets.
        raise NonceMismatch("not the ID token of this sign-in attempt", claim="nonce")


def access_token_hash(payload: Payload, access_token: str) -> None:
    """``at_hash``, when present, ties the ID token to the access token it came with.

    OpenID Connect Core section 3.1.3.6: the left half of SHA-256, as base64url.
    """
    actual = optional_text(payload, "at_hash")
    if actual is None:
        return
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    expected = urlsafe_b64encode(half).rstrip(b"=").decode("ascii")
    if not hmac.compare_digest(actual.encode(), expected.encode()):
        message = "the ID token belongs to another access token"
        raise ClaimRejected(message, claim="at_hash", expected=expected, actual=actual)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not _NO_TEXT.search(value)


def _mistyped(claim: str, expected: str, value: object) -> ClaimRejected:
    return ClaimRejected(
        f"{claim} must be {expected}", claim=claim, expected=expected, actual=type(value).__name__
    )
