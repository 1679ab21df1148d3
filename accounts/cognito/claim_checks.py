"""One function per claim. It returns the value of the claim, or raises ClaimRejected.

The signature of each payload is verified already. A mistake that developers often make has a
subclass of ClaimRejected, with a message of its own.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Collection

from . import resources
from .claims import Payload
from .errors import (
    ActorRejected,
    ClaimRejected,
    NonceMismatch,
    WrongClient,
    WrongIssuer,
    WrongResource,
    WrongTokenUse,
)

MAX_SHOWN_LENGTH = 200  # characters of a claim in a message
CLOCK_SKEW_SECONDS = 60  # how far the issuer's clock may be ahead of ours; never applied to exp
_MAX_TIMESTAMP = 253402300799  # the last second of the year 9999, the last year of Python's dates
# JSON can contain them, but PostgreSQL cannot store NUL, and UTF-8 cannot encode lone surrogates.
_CONTROL_CHARACTERS = re.compile("[\x00\ud800-\udfff]")


def text(payload: Payload, claim: str) -> str:
    """Return a string, which must not be missing or empty."""
    value: str | None = payload.get(claim)
    if value is not None and not _is_text(value):
        raise _wrong_type(claim, "text", value)
    if not value:
        message = f"The claim {claim} is missing."
        raise ClaimRejected(message, claim=claim, expected="text", actual=value)
    return str(value)


def optional_text(payload: Payload, claim: str) -> str | None:
    """Return a string, or None if the claim is missing."""
    value = payload.get(claim)
    if value is not None and not _is_text(value):
        raise _wrong_type(claim, "text", value)
    return value


def profile_text(payload: Payload, claim: str) -> str | None:
    """Return a string about the user, or None if the claim is missing or of another type.

    A trigger can send any type, and no decision depends on these claims.
    """
    value = payload.get(claim)
    return str(value) if _is_text(value) else None


def flag(payload: Payload, claim: str) -> bool:
    """Return True for true, also as a string, as userinfo and some triggers send it."""
    value = payload.get(claim)
    return value is True or value == "true"


def names(payload: Payload, claim: str) -> tuple[str, ...] | None:
    """Return a list of names, such as ``cognito:groups``, or None if the claim is missing."""
    value = payload.get(claim)
    if value is None:
        return None
    if not isinstance(value, list) or not all(_is_text(name) for name in value):
        raise _wrong_type(claim, "a list of names", value)
    return tuple(value)


def time(payload: Payload, claim: str) -> int:
    """Return a time in whole seconds since the epoch, until the year 9999. True is not accepted."""
    value = payload.get(claim)
    if value is None:
        raise ClaimRejected(f"The claim {claim} is missing.", claim=claim, expected="a time")
    if type(value) is not int or not 0 < value <= _MAX_TIMESTAMP:
        raise _wrong_type(claim, "a time in whole seconds", value)
    return value


def past_time(payload: Payload, claim: str, now: float) -> int:
    """Return a time that is not in the future, except for the allowed clock skew."""
    value = time(payload, claim)
    if value > now + CLOCK_SKEW_SECONDS:
        message = (
            f"The claim {claim} is in the future. Compare the clocks of this server and the issuer."
        )
        latest = int(now) + CLOCK_SKEW_SECONDS
        raise ClaimRejected(message, claim=claim, expected=f"<= {latest}", actual=value)
    return value


def not_before(payload: Payload, now: float) -> None:
    """Check ``nbf`` if it is present. Cognito does not send it by default."""
    if "nbf" in payload:
        past_time(payload, "nbf", now)


def issuer(payload: Payload, accepted: Collection[str]) -> str:
    """Return the issuer, which must be one of ``accepted`` (never a string: `in` matches parts)."""
    actual = text(payload, "iss")
    if actual not in accepted:
        message = "This token was issued by another user pool."
        raise WrongIssuer(message, claim="iss", expected=sorted(accepted), actual=actual)
    return actual


def token_use(payload: Payload, expected: str) -> None:
    """Check that this is an access token (``expected="access"``) or an ID token (``"id"``)."""
    actual = text(payload, "token_use")
    if actual != expected:
        kinds = {"id": "ID token", "access": "access token"}
        kind = f"an {kinds[actual]}" if actual in kinds else "another kind of token"
        message = f"This is {kind}. Send the {kinds[expected]}."
        raise WrongTokenUse(message, claim="token_use", expected=expected, actual=actual)


def client(claim: str, actual: str, accepted: Collection[str]) -> None:
    """Check that the app client is one of ``accepted``."""
    if actual not in accepted:
        message = "This token was issued for another app client."
        raise WrongClient(message, claim=claim, expected=sorted(accepted), actual=actual)


def authorized_party(payload: Payload, client_id: str) -> None:
    """Check that ``azp`` is the audience if it is present. Cognito does not send it by default."""
    if (actual := optional_text(payload, "azp")) is not None:
        client("azp", actual, {client_id})


def audience(payload: Payload) -> tuple[str, ...]:
    """Return ``aud`` of an access token: the resources that it is bound to (RFC 8707), or ().

    It is a string or a list of strings (RFC 7519 section 4.1.3).
    """
    value = payload.get("aud")
    if value is None:
        return ()
    values = value if isinstance(value, list) else [value]
    # A token that is bound to nothing must not pass for one that is not bound.
    if not values or not all(_is_text(item) and item for item in values):
        raise _wrong_type("aud", "a resource or a list of resources", value)
    return tuple(values)


def resource(audience: Collection[str], accepted: Collection[str]) -> None:
    """Check that one of the resources is in ``accepted``, which are in their canonical form."""
    if not any(resources.canonical(item) in accepted for item in audience):
        name = ", ".join(audience)[:MAX_SHOWN_LENGTH]
        message = f"This token is bound to another resource: {name}."
        raise WrongResource(message, claim="aud", expected=sorted(accepted), actual=name)


def actors(payload: Payload, accepted: Collection[str]) -> tuple[str, ...]:
    """Return the names in ``act`` (RFC 8693 section 4.1), the current actor first, or ().

    The current actor must be in ``accepted``. Earlier actors are information only: the RFC forbids
    to base access on them.
    """
    names = []
    value = payload.get("act")
    while value is not None:
        if not isinstance(value, dict):
            raise _wrong_type("act", "an object", value)
        names.append(text(value, "sub"))
        value = value.get("act")
    if names and names[0] not in accepted:
        message = (
            f"With this token, {names[0][:MAX_SHOWN_LENGTH]} acts for its subject, which this API "
            "does not allow."
        )
        raise ActorRejected(message, claim="act", expected=sorted(accepted), actual=names[0])
    return tuple(names)


def nonce(payload: Payload, expected: str) -> None:
    """Check that the ID token has the nonce of this sign-in attempt."""
    actual = optional_text(payload, "nonce") or ""
    # An empty nonce never matches, even if none was expected.
    if not actual or not hmac.compare_digest(actual.encode(), expected.encode()):
        # The error does not contain the values: they are secrets of this attempt.
        raise NonceMismatch("This ID token belongs to another sign-in attempt.", claim="nonce")


def access_token_hash(payload: Payload, access_token: str) -> None:
    """Check that ``at_hash``, if present, is that of the access token issued with the ID token.

    It is the left half of the SHA-256 hash, as base64url (OpenID Connect Core section 3.1.3.6).
    """
    actual = optional_text(payload, "at_hash")
    if actual is None:
        return
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    expected = urlsafe_b64encode(half).rstrip(b"=").decode("ascii")
    if not hmac.compare_digest(actual.encode(), expected.encode()):
        message = "This ID token belongs to another access token."
        raise ClaimRejected(message, claim="at_hash", expected=expected, actual=actual)


def _is_text(value: object) -> bool:
    if not isinstance(value, str):
        return False
    if value.isascii():  # almost always, and much faster than a search
        return "\0" not in value
    return not _CONTROL_CHARACTERS.search(value)


def _wrong_type(claim: str, expected: str, value: object) -> ClaimRejected:
    message = f"The claim {claim} must be {expected}."
    return ClaimRejected(message, claim=claim, expected=expected, actual=type(value).__name__)
