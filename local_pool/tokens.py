"""Claims as Cognito shapes them, and the compact JWTs made of them.

The header is ``{"kid", "alg"}`` without ``typ``; access tokens have ``client_id`` and no ``aud``;
``cognito:groups`` is absent for somebody in no group; ``email_verified`` is a boolean here and a
string at userInfo.
"""

import base64
import hashlib
import os
import uuid
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from .config import PoolConfig
from .records import Person, SignIn

Claims = dict[str, Any]


def access_claims(config: PoolConfig, now: float, person: Person, sign_in: SignIn) -> Claims:
    claims: Claims = {
        "sub": person.sub,
        "iss": config.issuer,
        "version": 2,
        "client_id": sign_in.client_id,
        "origin_jti": sign_in.origin_jti,
        "event_id": sign_in.event_id,
        "token_use": "access",
        "scope": " ".join(sign_in.scopes),
        "auth_time": int(sign_in.auth_time),
        "exp": int(now) + config.access_token_seconds,
        "iat": int(now),
        "jti": str(uuid.uuid4()),
        "username": person.username,
    }
    if person.groups:
        claims["cognito:groups"] = list(person.groups)
    if sign_in.resource:
        claims["aud"] = sign_in.resource
    return claims


def id_claims(
    config: PoolConfig, now: float, person: Person, sign_in: SignIn, access_token: str, nonce: str
) -> Claims:
    half_hash = hashlib.sha256(access_token.encode()).digest()[:16]
    attributes = released_attributes(person, sign_in.scopes)
    claims: Claims = {
        k: v == "true" if k.endswith("_verified") else v for k, v in attributes.items()
    }
    claims |= {
        "at_hash": base64.urlsafe_b64encode(half_hash).rstrip(b"=").decode(),
        "sub": person.sub,
        "iss": config.issuer,
        "cognito:username": person.username,
        "origin_jti": sign_in.origin_jti,
        "aud": sign_in.client_id,
        "event_id": sign_in.event_id,
        "token_use": "id",
        "auth_time": int(sign_in.auth_time),
        "exp": int(now) + config.id_token_seconds,
        "iat": int(now),
        "jti": str(uuid.uuid4()),
    }
    if person.groups:
        claims["cognito:groups"] = list(person.groups)
    if nonce:
        claims["nonce"] = nonce
    return claims


def machine_claims(config: PoolConfig, now: float, client_id: str, scopes: list[str]) -> Claims:
    """client_credentials: the client is its own subject, and nobody's name is in it."""
    return {
        "sub": client_id,
        "iss": config.issuer,
        "version": 2,
        "client_id": client_id,
        "token_use": "access",
        "scope": " ".join(scopes),
        "auth_time": int(now),
        "exp": int(now) + config.access_token_seconds,
        "iat": int(now),
        "jti": str(uuid.uuid4()),
    }


def released_attributes(person: Person, scopes: tuple[str, ...]) -> dict[str, str]:
    """``openid`` alone releases everything; email, phone and profile narrow it to their parts."""
    if not {"email", "phone", "profile"} & set(scopes):
        return person.attributes
    return {k: v for k, v in person.attributes.items() if _scope_of(k) in scopes}


def _scope_of(attribute: str) -> str:
    prefix = attribute.removesuffix("_verified")
    return {"email": "email", "phone_number": "phone"}.get(prefix, "profile")


def sign(claims: Claims, private: RSAPrivateKey, kid: str) -> str:
    return jwt.encode(claims, private, algorithm="RS256", headers={"kid": kid, "typ": None})


def new_refresh_token() -> str:
    """Five parts like Cognito's JWE, about 1.1 kB, all random: nothing but a handle."""
    header = b'{"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}'
    parts = (header, *(os.urandom(size) for size in (256, 12, 512, 16)))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
