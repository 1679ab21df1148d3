"""The steps of a sign-in through the API: what a call sends, and what it gets.

A Step has tokens, or a challenge whose session leads to the next step.
"""

from dataclasses import dataclass, field
from typing import Any

from . import auth_sessions, grants, second_factors, users
from .declarations import Client
from .errors import INVALID, UserError
from .pool import Pool
from .records import PoolUser
from .sessions import DIRECT, Caller

SCOPES = ("aws.cognito.signin.user.admin",)


@dataclass(frozen=True)
class Request:
    """A call of an app client. ``sent`` are AuthParameters or ChallengeResponses.

    ``level`` is the level of authentication that the sign-in must reach.
    """

    client: Client
    sent: dict[str, str]
    session: str = ""
    caller: Caller = DIRECT
    is_admin: bool = False
    level: int = 1

    def __getitem__(self, name: str) -> str:
        """Return a required parameter, or raise UserError."""
        if not self.sent.get(name):
            raise UserError(INVALID, f"Missing required parameter {name}")
        return self.sent[name]


@dataclass(frozen=True)
class Step:
    """What a call returns: ``tokens``, or a challenge."""

    tokens: dict[str, Any] = field(default_factory=dict)
    challenge: str = ""
    session: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    choices: tuple[str, ...] = ()


def open_session(
    pool: Pool,
    request: Request,
    challenge: str,
    user: PoolUser | str,
    amr: tuple[str, ...] = (),
    **data: str,
) -> str:
    data["level"] = str(request.level)
    return auth_sessions.start(pool, request.client, challenge, user, amr, data)


def ask(
    pool: Pool, request: Request, challenge: str, user: PoolUser | str, amr: tuple[str, ...]
) -> Step:
    parameters = second_factors.prepare(pool, challenge, user)
    session = open_session(pool, request, challenge, user, amr)
    return Step({}, challenge, session, parameters)


def proceed(pool: Pool, request: Request, user: PoolUser, amr: tuple[str, ...]) -> Step:
    """Return tokens for an authenticated user, or the challenge that must come first."""
    if not user.enabled:
        raise UserError("NotAuthorizedException", "User is disabled.")
    if user.status == "UNCONFIRMED":
        raise UserError("UserNotConfirmedException", "User is not confirmed.")
    if user.status == "RESET_REQUIRED":
        raise UserError("PasswordResetRequiredException", users.RESET_REQUIRED)
    if user.status == "FORCE_CHANGE_PASSWORD":
        return ask(pool, request, "NEW_PASSWORD_REQUIRED", user, amr)
    challenge = second_factors.required(pool, user, amr, request.level)
    if challenge:
        return ask(pool, request, challenge, user, amr)
    return finish(pool, request, user, amr)


def finish(pool: Pool, call: Request, user: PoolUser, amr: tuple[str, ...]) -> Step:
    return Step(grants.sign_in_directly(pool, user, call.client, SCOPES, amr, call.caller))
