"""Claims in Cognito's format, and their compact JWTs.

The header is ``{"kid", "alg"}`` without ``typ``. Access tokens have ``client_id`` and no ``aud``.
``cognito:groups`` is absent for a user without groups. ``email_verified`` is a boolean here and a
string at userInfo.
"""

import base64
import hashlib
import math
import os
import uuid
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from . import levels
from .declarations import Client, Group
from .pool_config import PoolConfig
from .records import PoolUser, SignIn

Claims = dict[str, Any]


def access_claims(config: PoolConfig, now: float, user: PoolUser, sign_in: SignIn) -> Claims:
    claims = _user_claims(config, user, sign_in) | {
        "client_id": sign_in.client_id,
        "scope": " ".join(sign_in.scopes),
        "username": user.username,
    }
    if not sign_in.by_api:
        claims["version"] = 2
    if sign_in.resource:
        claims["aud"] = sign_in.resource
    return claims | _times(config, now, "access", config.access_token_seconds)


def id_claims(
    config: PoolConfig,
    now: float,
    user: PoolUser,
    sign_in: SignIn,
    client: Client,
    access_token: str,
    nonce: str,
) -> Claims:
    attributes = released_attributes(user, sign_in.scopes, client).items()
    claims: Claims = {k: v == "true" if k.endswith("_verified") else v for k, v in attributes}
    if "identities" in claims:
        claims["identities"] = user.identities  # elsewhere it is a string
    claims |= _user_claims(config, user, sign_in) | {
        "aud": sign_in.client_id,
        "cognito:username": user.username,
    }
    if not sign_in.by_api:
        claims["at_hash"] = base64url(hashlib.sha256(access_token.encode()).digest()[:16])
    if nonce:
        claims["nonce"] = nonce
    return claims | _times(config, now, "id", config.id_token_seconds)


def machine_claims(config: PoolConfig, now: float, client_id: str, scopes: list[str]) -> Claims:
    """Return claims for client_credentials: the subject is the client, and there is no username."""
    claims: Claims = {"sub": client_id, "client_id": client_id, "scope": " ".join(scopes)}
    claims |= {"version": 2, "auth_time": int(now)}
    return claims | _times(config, now, "access", config.access_token_seconds)


def _user_claims(config: PoolConfig, user: PoolUser, sign_in: SignIn) -> Claims:
    groups = {"cognito:groups": list(user.groups)} if user.groups else {}
    return (
        groups
        | levels.claims(config, sign_in.amr)
        | {
            "sub": user.sub,
            "origin_jti": sign_in.origin_jti,
            "event_id": sign_in.event_id,
            "auth_time": int(sign_in.auth_time),
        }
    )


def role_claims(groups: list[Group]) -> Claims:
    """Return the IAM roles of these groups. The lowest number of precedence is preferred."""
    ranked: dict[float, set[str]] = {}
    for group in groups:
        rank = math.inf if group.precedence is None else group.precedence
        ranked.setdefault(rank, set()).update(filter(None, [group.role_arn]))
    roles = list(dict.fromkeys(group.role_arn for group in groups if group.role_arn))
    first = ranked[min(rank for rank, arns in ranked.items() if arns)] if roles else set()
    preferred = {"cognito:preferred_role": next(iter(first))} if len(first) == 1 else {}
    return ({"cognito:roles": roles} if roles else {}) | preferred


def _times(config: PoolConfig, now: float, use: str, seconds: int) -> Claims:
    times = {"iat": int(now), "exp": int(now) + seconds}
    return {"iss": config.issuer, "token_use": use, "jti": str(uuid.uuid4())} | times


def released_attributes(user: PoolUser, scopes: tuple[str, ...], client: Client) -> dict[str, str]:
    """Return the attributes of the email, phone and profile scopes, or all without these scopes.

    The app client must have the permission to read them.
    """
    has_all = not {"email", "phone", "profile"} & set(scopes)
    scope_of = {"email": "email", "phone_number": "phone"}
    return {
        k: v
        for k, v in user.attributes.items()
        if (has_all or scope_of.get(k.removesuffix("_verified"), "profile") in scopes)
        and client.can_read(k)
    }


def sign(claims: Claims, private: RSAPrivateKey, kid: str) -> str:
    return jwt.encode(claims, private, algorithm="RS256", headers={"kid": kid, "typ": None})


def new_refresh_token() -> str:
    """Return a random token with the length and the five parts of Cognito's JWE."""
    header = b'{"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}'
    return ".".join(map(base64url, (header, *map(os.urandom, (256, 12, 512, 16)))))


def base64url(data: bytes) -> str:
    """Return base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
