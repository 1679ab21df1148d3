"""Parse the parts of a token before any check (RFC 7515 section 7.1, RFC 7519 section 3).

Nothing in this module is verified. It only selects the key and the verifier of a token.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from typing import Any, NoReturn

from .claims import Payload
from .errors import BadSignature, MalformedToken

# The token of a user in 100 groups (Cognito's maximum) with the longest names is still shorter.
MAX_TOKEN_LENGTH = 32_768
_MAX_HEADER_LENGTH = 1024

_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+")
# With these header members, a token could select its own key, encoding or rules.
_FORBIDDEN = frozenset({"crit", "b64", "zip", "jwk", "jku", "x5c", "x5u", "x5t", "x5t#S256"})


def signing_key_id(unverified_token: str) -> str:
    """Return the key ID (``kid``) in the header of a token.

    Raises:
        BadSignature: the token is not signed with RS256.
        MalformedToken: it is not a token as Cognito issues them.
    """
    segment, _ = _unverified_segments(unverified_token)
    if len(segment) > _MAX_HEADER_LENGTH:
        raise MalformedToken(f"This token's header is longer than {_MAX_HEADER_LENGTH} characters.")
    return _key_id(json_object(_decode(segment)))


def unverified_payload(unverified_token: str) -> Payload:
    """Return the payload without any check. Use it only to select a verifier or an error."""
    _, segment = _unverified_segments(unverified_token)
    return json_object(_decode(segment))


def json_object(document: bytes) -> dict[str, Any]:
    """Return the JSON object of a header or payload. Raises MalformedToken."""
    try:
        value = _JSON.decode(document.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise MalformedToken("This token does not contain valid JSON.") from error
    if not isinstance(value, dict):
        raise MalformedToken("This token does not contain a JSON object.")
    return value


def _unverified_segments(unverified_token: str) -> tuple[str, str]:
    """Return the encoded header and payload, after checking length, alphabet and parts."""
    if len(unverified_token) > MAX_TOKEN_LENGTH:
        raise MalformedToken(f"This token is longer than {MAX_TOKEN_LENGTH} characters.")
    match = _COMPACT.fullmatch(unverified_token)
    if not match:
        raise MalformedToken("This is not a JSON Web Token: three base64url parts joined by dots.")
    return match[1], match[2]


def _key_id(header: dict[str, Any]) -> str:
    """Return the ``kid`` of a header that has ``alg`` RS256 and no forbidden member."""
    if header.get("alg") != "RS256":
        raise BadSignature("This token is not signed with RS256, the only accepted algorithm.")
    if not _FORBIDDEN.isdisjoint(header):
        raise MalformedToken("This token's header has members that Cognito never sends.")
    key_id = header.get("kid")
    if not isinstance(key_id, str) or not key_id:
        raise MalformedToken("This token's header does not name the signing key (kid).")
    return key_id


def _decode(segment: str) -> bytes:
    try:
        return urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except ValueError as error:
        raise MalformedToken("This token is not valid base64url.") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")  # by default, Python accepts NaN and Infinity


_JSON = json.JSONDecoder(parse_constant=_refuse_constant)
