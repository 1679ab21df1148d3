"""The ``Session`` of a sign-in through the API: what one step leaves for the next.

A session can be used once, for ``auth_session_seconds``. Its value is also the ``SECRET_BLOCK`` of
SRP, because some clients return only that.
"""

import base64
import os

from .declarations import Client
from .errors import UserError
from .pool import Pool
from .records import AuthSession, PoolUser, digest


def start(
    pool: Pool,
    client: Client,
    challenge: str,
    user: PoolUser | str,
    amr: tuple[str, ...] = (),
    data: dict[str, str] | None = None,
) -> str:
    """Store a step, and return its session. A string stands for a user who does not exist."""
    secret = base64.b64encode(os.urandom(384)).decode()
    name, sub = (user, "") if isinstance(user, str) else (user.username, user.sub)
    expires_at = pool.clock() + pool.config_for(client).auth_session_seconds
    with pool.change() as state:
        state.auth_sessions[digest(secret)] = AuthSession(
            challenge, name, sub, client.client_id, expires_at, amr, data or {}
        )
    return secret


def read(pool: Pool, client: Client | None, challenge: str, secret: str) -> AuthSession:
    """Return the step of a session, which stays usable. Raises UserError if there is none."""
    session = pool.state.auth_sessions.get(digest(secret))
    if session is None or session.challenge != challenge or session.expires_at <= pool.clock():
        raise UserError("NotAuthorizedException", "Invalid session for the user.")
    if client is not None and session.client_id != client.client_id:
        raise UserError("NotAuthorizedException", "Invalid session for the user.")
    return session


def use_up(pool: Pool, secret: str) -> None:
    """Delete a session. Raises UserError if another request has used it in the meantime."""
    with pool.change() as state:
        if state.auth_sessions.pop(digest(secret), None) is None:
            raise UserError("NotAuthorizedException", "Invalid session for the user.")


def owner(pool: Pool, session: AuthSession) -> PoolUser | None:
    user = pool.state.people.get(session.username.lower())
    return user if user is not None and user.sub == session.sub else None
