"""What an access token opens at the pool itself: userInfo, and the API calls of its owner.

Unlike a verifier's, these checks see revocation: the sign-in behind the token must be live.
"""

from typing import Any

import jwt

from .errors import TokenRefused
from .pool import Pool
from .records import Person
from .tokens import Claims, released_attributes

GONE = "Access token is expired or user has globally signed out, disabled, or been deleted"
MALFORMED = "Access token format is not valid"


def read_access_token(pool: Pool, token: str) -> tuple[Claims, Person]:
    """Claims and person of a live access token of ours. Raises TokenRefused (401)."""
    try:
        key = pool.keys.find(jwt.get_unverified_header(token).get("kid"))
        if key is None:
            raise _refuse(MALFORMED)
        options: Any = {"verify_exp": False, "verify_iat": False, "verify_aud": False}  # our clock
        claims: Claims = jwt.decode(token, key.public, algorithms=["RS256"], options=options)
    except (jwt.PyJWTError, ValueError):
        raise _refuse(MALFORMED) from None
    for name, held in (("client_id", claims.get("token_use") == "access"), ("username", True)):
        if name not in claims or not held:
            raise _refuse(f"Value of {name} in token claims must be a String")
    if claims.get("exp", 0) <= pool.clock():
        raise _refuse(GONE, "Access Token has expired")
    sign_in = pool.state.sign_ins.get(claims.get("origin_jti", ""))
    person = pool.person_of(sign_in)
    over = sign_in is None or sign_in.revoked_at is not None or sign_in.expires_at <= pool.clock()
    if person is None or over:
        raise _refuse(GONE, "Access Token has been revoked")
    return claims, person


def _refuse(description: str, cause: str = "") -> TokenRefused:
    """userInfo tells the description, the cognito-idp API the cause."""
    refusal = TokenRefused("invalid_token", description, cause=cause)
    refusal.status = 401
    return refusal


def user_info(pool: Pool, token: str) -> Claims:
    """What the access token's scopes let an app read; booleans are strings here."""
    claims, person = read_access_token(pool, token)
    scopes = tuple(str(claims.get("scope", "")).split())
    if "openid" not in scopes:
        raise _refuse("Access token does not contain the 'openid' scope")
    return {"sub": person.sub, **released_attributes(person, scopes), "username": person.username}
