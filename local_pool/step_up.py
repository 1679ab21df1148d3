"""Step-up in the flow USER_AUTH: TARGET_ACR_VALUES, MAX_AGE and ACCESS_TOKEN.

Cognito does not document the errors. Here each one is an InvalidParameterException, but another
user's access token gets a NotAuthorizedException.
https://docs.aws.amazon.com/cognito/latest/developerguide/step-up-authentication.html
"""

from . import access, levels, second_factors
from .errors import INVALID, UserError
from .pool import Pool
from .records import PoolUser

PARAMETERS = ("TARGET_ACR_VALUES", "ACCESS_TOKEN", "MAX_AGE")


def read(pool: Pool, user: PoolUser | None, sent: dict[str, str]) -> tuple[int, tuple[str, ...]]:
    """Return the level to reach, and the methods of authentication that the access token proves."""
    names, token, max_age = (sent.get(name, "") for name in PARAMETERS)
    if not names:
        if token or max_age:
            raise UserError(INVALID, "MAX_AGE and ACCESS_TOKEN need TARGET_ACR_VALUES.")
        return 1, ()
    if max_age and not max_age.isdecimal():
        raise UserError(INVALID, "MAX_AGE must be a number of seconds.")
    highest = second_factors.highest_level(pool, user) if user else 4
    level = levels.required_level(pool.config, names, highest)
    if level is None:
        raise UserError(INVALID, "The user cannot reach a level of TARGET_ACR_VALUES.")
    if not token:
        return level, ()
    claims, owner = access.read_access_token(pool, token)
    if user is None or owner.sub != user.sub:
        raise UserError("NotAuthorizedException", "The access token belongs to another user.")
    if max_age and pool.clock() - claims["auth_time"] > int(max_age):
        return level, ()
    amr = tuple(claims.get("amr") or ())
    if levels.level_of(amr) >= level:
        raise UserError(INVALID, "The access token has reached the level already.")
    return level, amr
