"""Endpoints that accept an access token of this pool: userInfo and the user's own API calls.

Unlike a JWT verifier, these checks also detect revocation: the sign-in must not have ended.
"""

from typing import Any

import jwt

from . import cimd
from .declarations import Client
from .errors import TokenError
from .pool import NO_USER, Pool
from .records import PoolUser
from .tokens import Claims, released_attributes

GONE = "Access token is expired or user has globally signed out, disabled, or been deleted"
MALFORMED = "Access token format is not valid"


def decode(pool: Pool, token: str) -> Claims:
    """Return the claims of a token of this pool that has not expired, or raise TokenError (401)."""
    try:
        key = pool.keys.find(jwt.get_unverified_header(token).get("kid"))
        if key is None:
            raise _refuse(MALFORMED)
        options: Any = {
            "verify_exp": False,
            "verify_iat": False,
            "verify_aud": False,
        }  # checked below, by the pool's clock
        claims: Claims = jwt.decode(token, key.public, algorithms=["RS256"], options=options)
    except (jwt.PyJWTError, ValueError):
        raise _refuse(MALFORMED) from None
    if claims.get("exp", 0) <= pool.clock():
        raise _refuse(GONE, "Access Token has expired")
    return claims


def read_access_token(pool: Pool, token: str) -> tuple[Claims, PoolUser]:
    """Return the claims and the user of a valid access token, or raise TokenError (401)."""
    claims = decode(pool, token)
    is_access_token = claims.get("token_use") == "access"
    for name, is_valid in (("client_id", is_access_token), ("username", True)):
        if name not in claims or not is_valid:
            raise _refuse(f"Value of {name} in token claims must be a String")
    sign_in = pool.state.sign_ins.get(claims.get("origin_jti", ""))
    user = pool.find_owner(sign_in)
    has_ended = (
        sign_in is None or sign_in.revoked_at is not None or sign_in.expires_at <= pool.clock()
    )
    if sign_in is not None and pool.is_orphan(sign_in):
        raise _refuse(GONE, NO_USER)
    if user is None or has_ended:
        raise _refuse(GONE, "Access Token has been revoked")
    return claims, user


def _refuse(description: str, cause: str = "") -> TokenError:
    """Return a 401 error: userInfo sends the description, the cognito-idp API the cause."""
    refusal = TokenError("invalid_token", description, cause=cause)
    refusal.status = 401
    return refusal


def user_info(pool: Pool, token: str) -> Claims:
    """Return the attributes that the access token's scopes release, with booleans as strings."""
    claims, user = read_access_token(pool, token)
    scopes = tuple(str(claims.get("scope", "")).split())
    if "openid" not in scopes:
        raise _refuse("Access token does not contain the 'openid' scope")
    client = cimd.find_client(pool, claims["client_id"]) or Client(claims["client_id"])
    released = released_attributes(user, scopes, client)
    return {"sub": user.sub, **released, "username": user.username}
