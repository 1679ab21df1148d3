"""Parse the parts of a token before any check (RFC 7515 section 7.1, RFC 7519 section 3).

Nothing in this module is verified. It only selects the key and the verifier of a token.
"""

from __future__ import annotations

import json
from binascii import a2b_base64, b2a_base64
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn

from .claims import Payload
from .errors import BadSignature, MalformedToken

# The token of a user in 100 groups (Cognito's maximum) with the longest names is still shorter.
MAX_TOKEN_LENGTH = 32_768
_MAX_HEADER_LENGTH = 1024

# With these header members, a token could select its own key, encoding or rules.
_FORBIDDEN = frozenset({"crit", "b64", "zip", "jwk", "jku", "x5c", "x5u", "x5t", "x5t#S256"})


class UnverifiedToken(NamedTuple):
    """The parts of a token, decoded. The signature is not verified yet."""

    key_id: str
    payload: Payload
    signing_input: bytes
    signature: bytes

    def __repr__(self) -> str:
        return "UnverifiedToken(...)"


def parse(unverified_token: str) -> UnverifiedToken:
    """Return the parts of a token.

    Raises:
        BadSignature: the token is not signed with RS256.
        MalformedToken: it is not a token as Cognito issues them.
    """
    header, payload, signature = _unverified_segments(unverified_token)
    return UnverifiedToken(
        key_id=_key_id(header),
        payload=json_object(_decode(payload)),
        signing_input=unverified_token[: -len(signature) - 1].encode("ascii"),
        signature=_decode(signature),
    )


def unverified_payload(unverified_token: str) -> Payload:
    """Return the payload without any check. Use it only to select a verifier or an error."""
    return json_object(_decode(_unverified_segments(unverified_token)[1]))


def json_object(document: bytes) -> dict[str, Any]:
    """Return the JSON object of a header or payload. Raises MalformedToken."""
    try:
        value = _JSON.decode(document.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise MalformedToken("This token does not contain valid JSON.") from error
    if not isinstance(value, dict):
        raise MalformedToken("This token does not contain a JSON object.")
    return value


def _unverified_segments(unverified_token: str) -> list[str]:
    """Return the encoded header, payload and signature, none of them empty."""
    if len(unverified_token) > MAX_TOKEN_LENGTH:
        raise MalformedToken(f"This token is longer than {MAX_TOKEN_LENGTH} characters.")
    segments = unverified_token.split(".", 3)
    if len(segments) != 3 or not all(segments):
        raise MalformedToken(_MALFORMED)
    return segments


@lru_cache(maxsize=64)  # all tokens of one key have the same header
def _key_id(segment: str) -> str:
    """Return the ``kid`` of a header that has ``alg`` RS256 and no forbidden member."""
    if len(segment) > _MAX_HEADER_LENGTH:
        raise MalformedToken(f"This token's header is longer than {_MAX_HEADER_LENGTH} characters.")
    header = json_object(_decode(segment))
    if header.get("alg") != "RS256":
        raise BadSignature("This token is not signed with RS256, the only accepted algorithm.")
    if not _FORBIDDEN.isdisjoint(header):
        raise MalformedToken("This token's header has members that Cognito never sends.")
    key_id = header.get("kid")
    if not isinstance(key_id, str) or not key_id:
        raise MalformedToken("This token's header does not name the signing key (kid).")
    return key_id


def _decode(segment: str) -> bytes:
    """Decode base64url that is in its only form: no padding, no other characters or unused bits."""
    try:
        encoded = segment.encode("ascii").translate(_TO_STANDARD) + b"=" * (-len(segment) % 4)
        decoded = a2b_base64(encoded)
    except ValueError as error:
        raise MalformedToken(_MALFORMED) from error
    # Python's decoder skips characters outside the alphabet. Encoding again shows them.
    if b2a_base64(decoded, newline=False) != encoded:
        raise MalformedToken(_MALFORMED)
    return decoded


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")  # by default, Python accepts NaN and Infinity


# Of base64url to base64. Padding and the other characters of base64 become one of neither.
_TO_STANDARD = bytes.maketrans(b"-_+/=", b"+/---")
_JSON = json.JSONDecoder(parse_constant=_refuse_constant)
_MALFORMED = "This is not a JSON Web Token: three base64url parts joined by dots."
