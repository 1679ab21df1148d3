"""Tokens as Cognito shapes them, signed with the tests' own key: right, or wrong in one thing.

Claims are those of contract and developer guide
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


@lru_cache
def signing_key(issuer: str) -> rsa.RSAPrivateKey:
    """The key of that issuer in this process; made at first use."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_set(issuer: str) -> bytes:
    """The JWKS document in which that issuer publishes its key (RFC 7517)."""
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
    """44 characters of base64, as Cognito's look."""
    return b64encode(sha256(issuer.encode()).digest()).decode()


def subject_of(username: str) -> str:
    """The `sub` of a person of the tests: the same for the same name."""
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
    """An access token of a person, good for an hour.

    `claims` replace or add, `without` removes. `expired`: it ended a minute ago. `foreign`: another
    pool issued it. `forged`: signed by somebody else under the pool's own key id.
    """
    own = {
        **_session_claims(username, groups),
        "token_use": "access",
        "client_id": read_config().client_id,
        "username": username,
        "scope": " ".join(scopes),
        "version": 2,
    }
    return _signed(own, claims, without, expired=expired, foreign=foreign, forged=forged)


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
    """An ID token of a person; what can be wrong with it as for `mint_access_token`."""
    own: dict[str, Any] = {
        **_session_claims(username, groups),
        "token_use": "id",
        "aud": read_config().client_id,
        "cognito:username": username,
        "email": f"{username}@example.com" if email is None else email,
        "email_verified": True,
    }
    if name is not None:
        own["name"] = name
    if nonce is not None:
        own["nonce"] = nonce
    return _signed(own, claims, without, expired=expired, foreign=foreign, forged=forged)


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
    """An access token of a program (client_credentials); `client_id` must be an accepted one."""
    client = client_id or read_config().client_id
    own = {
        "sub": client,
        "client_id": client,
        "token_use": "access",
        "scope": " ".join(scopes),
        "version": 2,
    }
    return _signed(own, claims, without, expired=expired, foreign=foreign, forged=forged)


def _session_claims(username: str, groups: Iterable[str]) -> dict[str, Any]:
    own: dict[str, Any] = {
        "sub": subject_of(username),
        "auth_time": int(time.time()),
        "origin_jti": str(uuid.uuid4()),
        "event_id": str(uuid.uuid4()),
    }
    if groups := list(groups):  # Cognito leaves the claim out for people in no group
        own["cognito:groups"] = groups
    return own


def _signed(
    own: dict[str, Any],
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
        **own,
        "iss": issuer,
        "iat": issued_at,
        "exp": issued_at + 3600,
        "jti": str(uuid.uuid4()),
        **({"auth_time": issued_at} if "auth_time" in own else {}),
        **(claims or {}),
    }
    for claim in without:
        del payload[claim]
    signer = "somebody else" if forged else str((claims or {}).get("iss", issuer))
    return sign(payload, header={"kid": key_id(signer if not forged else issuer)}, signer=signer)


def sign(payload: Claims | bytes, *, header: Claims, signer: str) -> str:
    """Any payload under any header, as RS256 with the signer's key (RFC 7515 section 5.1)."""
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    head = _base64url(json.dumps({"alg": "RS256", **header}).encode())
    signing_input = f"{head}.{_base64url(content)}"
    signature = signing_key(signer).sign(
        signing_input.encode(), padding.PKCS1v15(), hashes.SHA256()
    )
    return f"{signing_input}.{_base64url(signature)}"


def _base64url(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
