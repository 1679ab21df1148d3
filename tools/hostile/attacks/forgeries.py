"""Access tokens that the user pool has not issued for this site."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from ..attack import Attack, Attacker, Response

Part = dict[str, Any]
_REFUSED = frozenset({400, 401, 431})


def encode(part: Part | bytes) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return urlsafe_b64encode(raw).decode().rstrip("=")


def decode(unverified_token: str) -> tuple[Part, Part]:
    """Return header and payload of a token, without verifying it."""
    parts = (f"{part}==" for part in unverified_token.split(".")[:2])
    header, payload = (json.loads(urlsafe_b64decode(part)) for part in parts)
    return header, payload


def fresh_claims(attacker: Attacker) -> tuple[Part, Part]:
    """Return the header of a genuine token, and its payload with times that are valid now."""
    header, payload = decode(attacker.target.expired_access_token)
    now = int(time.time())
    return header, {**payload, "iat": now, "auth_time": now, "exp": now + 3600}


def ask(attacker: Attacker, token: str) -> Response:
    name = attacker.random.choice(("Authorization", "Authorization", "x-access-token"))
    value = f"Bearer {token}" if name == "Authorization" else token
    return attacker.request("GET", "/api/user", [(name, value)])


def _signature(attacker: Attacker) -> str:
    return encode(attacker.random.randbytes(256))


def unknown_keys(attacker: Attacker) -> Iterator[Response]:
    """Use a new key ID each time, whose lookup would call Cognito."""
    while True:
        header, payload = fresh_claims(attacker)
        header["kid"] = encode(attacker.random.randbytes(32))
        token = f"{encode(header)}.{encode(payload)}.{_signature(attacker)}"
        yield ask(attacker, token)


def own_key(attacker: Attacker) -> Iterator[Response]:
    """Sign with our own key, under the pool's key ID."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    while True:
        header, payload = fresh_claims(attacker)
        payload["cognito:groups"] = ["admins"]
        yield ask(attacker, jwt.encode(payload, key, "RS256", {"kid": header["kid"]}))


def wrong_algorithms(attacker: Attacker) -> Iterator[Response]:
    while True:
        header, payload = fresh_claims(attacker)
        header["alg"] = attacker.random.choice(("none", "None", "HS256", "ES256", "PS256", ""))
        signature = attacker.random.choice(("", _signature(attacker)))
        yield ask(attacker, f"{encode(header)}.{encode(payload)}.{signature}")


def other_claims(attacker: Attacker) -> Iterator[Response]:
    """Change one claim, or a header member that selects a key."""
    changes: tuple[Part, ...] = (
        {"iss": "http://localhost:1/elsewhere"},
        {"client_id": "another"},
        {"token_use": "id"},
        {"exp": 10**30},
        {"sub": "x" * 5000},
    )
    members: tuple[Part, ...] = (
        {"jku": "http://localhost:1/jwks.json"},
        {"jwk": {"kty": "RSA", "e": "AQAB", "n": "AQAB"}},
        {"crit": ["exp"]},
        {"kid": ["a", "list"]},
        {"kid": "../../../etc/passwd"},
        {"zip": "DEF"},
    )
    while True:
        header, payload = fresh_claims(attacker)
        payload |= attacker.random.choice(changes)
        header |= attacker.random.choice(members)
        yield ask(attacker, f"{encode(header)}.{encode(payload)}.{_signature(attacker)}")


def huge_tokens(attacker: Attacker) -> Iterator[Response]:
    """Reach and exceed the length of the longest genuine token, and break its syntax."""
    while True:
        size = attacker.random.choice((7_000, 20_000, 32_000, 32_768, 60_000))
        shapes = (
            "." * size,
            "a" * size,
            f"{encode(b'[' * (size // 2))}.{encode(b'{' * (size // 8))}.a",
            f"{encode({'alg': 'RS256', 'kid': 'x' * (size // 2)})}.e30.a",
        )
        yield ask(attacker, attacker.random.choice(shapes))


ATTACKS = (
    Attack("unknown key ids", unknown_keys, 5, _REFUSED),
    Attack("tokens signed with another key", own_key, 2, _REFUSED),
    Attack("tokens with another algorithm", wrong_algorithms, 2, _REFUSED),
    Attack("tokens with other claims", other_claims, 3, _REFUSED),
    Attack("huge tokens", huge_tokens, 3, _REFUSED),
)
