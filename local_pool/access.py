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


def read_access_token(pool: Pool, token: str) -> tuple[Claims, Person]:
    """Claims and person of a live access token of ours. Raises TokenRefused (401)."""
    try:
        key = pool.keys.find(jwt.get_unverified_header(token).get("kid"))
        if key is None:
            raise _refuse("Access token format is not valid")
        options: Any = {"verify_exp": False, "verify_iat": False, "verify_aud": False}  # our clock
        claims: Claims = jwt.decode(token, key.public, algorithms=["RS256"], options=options)
    except (jwt.PyJWTError, ValueError):
        raise _refuse("Access token format is not valid") from None
    if claims.get("token_use") != "access":
        raise _refuse("Value of client_id in token claims must be a String")
    if "username" not in claims:
        raise _refuse("Value of username in token claims must be a String")
    if claims.get("exp", 0) <= pool.clock():
        raise _refuse(GONE, "Access Token has expired")
    sign_in = pool.state.sign_ins.get(claims.get("origin_jti", ""))
    person = pool.person_of(sign_in) if pool.live(sign_in) else None
    if person is None:
        raise _refuse(GONE, "Access Token has been revoked")
    return claims, person


def _refuse(description: str, cause: str = "") -> TokenRefused:
    """userInfo tells the description, the cognito-idp API the cause."""
    return TokenRefused("invalid_token", description, status=401, cause=cause)


def user_info(pool: Pool, token: str) -> Claims:
    """What the access token's scopes let an app read; booleans are strings here."""
    claims, person = read_access_token(pool, token)
    scopes = tuple(str(claims.get("scope", "")).split())
    if "openid" not in scopes:
        raise _refuse("Access token does not contain the 'openid' scope")
    return {"sub": person.sub, **released_attributes(person, scopes), "username": person.username}


def unverified_claims(token: str) -> Claims:
    """The claims of a token that was just minted here, to be shown."""
    claims: Claims = jwt.decode(token, options={"verify_signature": False})
    return claims
