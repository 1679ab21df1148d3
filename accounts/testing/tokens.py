"""Tokens with the claims of Cognito's, signed with a test key: valid, or with one defect.

The claims are those of AWS's developer guide
(https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html).
"""

from __future__ import annotations

import json
import time
import uuid
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from ..cognito.config import DEFAULT_SCOPES
from ..provider.settings import read_config

FOREIGN_ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Foreign01"

Claims = Mapping[str, Any]


def signing_key(issuer: str) -> rsa.RSAPrivateKey:
    """Return the key of the pool of `issuer`, which this process generates at its first use."""
    return _pool_key(_pool_id(issuer))


@lru_cache
def _pool_key(pool_id: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_set(issuer: str) -> bytes:
    """Return the JWKS document of the pool of `issuer` (RFC 7517)."""
    numbers = signing_key(issuer).public_key().public_numbers()
    key = {
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": key_id(issuer),
        "n": _base64url(numbers.n.to_bytes(256, "big")),
        "e": _base64url(numbers.e.to_bytes(3, "big")),
    }
    return json.dumps({"keys": [key]}).encode()


def key_id(issuer: str) -> str:
    """Return the ID of the pool's key: 44 base64 characters, as Cognito's key IDs have."""
    return b64encode(sha256(_pool_id(issuer).encode()).digest()).decode()


def _pool_id(issuer: str) -> str:
    return issuer.rsplit("/", 1)[-1]  # all issuers of a pool have the same keys


def subject_of(username: str) -> str:
    """Return the `sub` of the user with this username. It is always the same."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, username))


def mint_access_token(
    username: str = "ada",
    *,
    groups: Iterable[str] = (),
    scopes: Iterable[str] = DEFAULT_SCOPES,
    claims: Claims | None = None,
    without: Iterable[str] = (),
    expired: bool = False,
    foreign: bool = False,
    forged: bool = False,
) -> str:
    """Return an access token of a user, valid for one hour.

    `claims` are added or replace the default ones, and `without` removes claims. An `expired` token
    expired a minute ago. A `foreign` one was issued by another pool. A `forged` one is signed with
    another key than the one that its header names.
    """
    defaults = {
        **_session_claims(username, groups),
        "token_use": "access",
        "client_id": read_config().client_id,
        "username": username,
        "scope": " ".join(scopes),
        "version": 2,
    }
    return _signed(defaults, claims, without, expired=expired, foreign=foreign, forged=forged)


def mint_id_token(
    username: str = "ada",
    *,
    groups: Iterable[str] = (),
    email: str | None = None,
    name: str | None = None,
    nonce: str | None = None,
    claims: Claims | None = None,
    without: Iterable[str] = (),
    expired: bool = False,
    foreign: bool = False,
    forged: bool = False,
) -> str:
    """Return an ID token of a user. The options are those of `mint_access_token`."""
    defaults: dict[str, Any] = {
        **_session_claims(username, groups),
        "token_use": "id",
        "aud": read_config().client_id,
        "cognito:username": username,
        "email": f"{username}@example.com" if email is None else email,
        "email_verified": True,
    }
    if name is not None:
        defaults["name"] = name
    if nonce is not None:
        defaults["nonce"] = nonce
    return _signed(defaults, claims, without, expired=expired, foreign=foreign, forged=forged)


def mint_machine_token(
    *,
    client_id: str | None = None,
    scopes: Iterable[str] = (),
    claims: Claims | None = None,
    without: Iterable[str] = (),
    expired: bool = False,
    foreign: bool = False,
    forged: bool = False,
) -> str:
    """Return an access token of a machine (client_credentials). `client_id` must be accepted."""
    client = client_id or read_config().client_id
    defaults = {
        "sub": client,
        "client_id": client,
        "token_use": "access",
        "scope": " ".join(scopes),
        "version": 2,
    }
    return _signed(defaults, claims, without, expired=expired, foreign=foreign, forged=forged)


def _session_claims(username: str, groups: Iterable[str]) -> dict[str, Any]:
    claims: dict[str, Any] = {
        "sub": subject_of(username),
        "auth_time": int(time.time()),
        "origin_jti": str(uuid.uuid4()),
        "event_id": str(uuid.uuid4()),
    }
    if groups := list(groups):  # Cognito leaves the claim out for users without a group
        claims["cognito:groups"] = groups
    return claims


def _signed(
    defaults: dict[str, Any],
    claims: Claims | None,
    without: Iterable[str],
    *,
    expired: bool,
    foreign: bool,
    forged: bool,
) -> str:
    now = int(time.time())
    issued_at = now - 3660 if expired else now
    issuer = FOREIGN_ISSUER if foreign else read_config().issuer
    payload = {
        **defaults,
        "iss": issuer,
        "iat": issued_at,
        "exp": issued_at + 3600,
        "jti": str(uuid.uuid4()),
        **({"auth_time": issued_at} if "auth_time" in defaults else {}),
        **(claims or {}),
    }
    for claim in without:
        del payload[claim]
    signer = "attacker" if forged else str((claims or {}).get("iss", issuer))
    return sign(payload, header={"kid": key_id(signer if not forged else issuer)}, signer=signer)


def sign(payload: Claims | bytes, *, header: Claims, signer: str) -> str:
    """Return the token of this payload, signed with the signer's key (RFC 7515 section 5.1).

    The header says RS256, unless `header` replaces it.
    """
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    encoded_header = _base64url(json.dumps({"alg": "RS256", **header}).encode())
    signing_input = f"{encoded_header}.{_base64url(content)}"
    signature = signing_key(signer).sign(
        signing_input.encode(), padding.PKCS1v15(), hashes.SHA256()
    )
    return f"{signing_input}.{_base64url(signature)}"


def _base64url(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
