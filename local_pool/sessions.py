"""Session tracking: listing, ending and limiting the sessions of a user.

A browser session has an ID that starts with ``sso``, a sign-in with a refresh token one that starts
with ``tkn``. The functions with a ``state`` are called inside ``Pool.change``.
https://docs.aws.amazon.com/cognito/latest/developerguide/managing-user-sessions.html
"""

import re
import secrets
import string
from dataclasses import dataclass, replace

from .config_checks import MAX_SSO_MINUTES
from .declarations import Client
from .errors import UserError
from .pool import Pool
from .records import PoolUser, SignIn, TrackedSession
from .state import State

DEFAULT_SSO_MINUTES = 60
SYSTEMS = ("iPhone", "iPad", "Android", "Windows", "Mac OS X", "Linux")
BROWSERS = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
Sessions = dict[str, TrackedSession]


@dataclass(frozen=True)
class Caller:
    """The sender of a request: the browser, or the app's server at the token endpoint."""

    user_agent: str = ""
    ip_address: str = ""

    @property
    def device(self) -> str:
        """A description such as "Firefox on Linux", the name of a program, or "unknown"."""
        browser = next((name for mark, name in BROWSERS if mark in self.user_agent), "")
        system = next((name for name in SYSTEMS if name in self.user_agent), "")
        if browser and system:
            return f"{browser} on {system}"
        return browser or system or re.split("[/ ]", self.user_agent)[0][:100] or "unknown"


DIRECT = Caller()


def is_enabled(pool: Pool) -> bool:
    return pool.config.session_tracking and pool.config.plan != "lite"


def sso_seconds(pool: Pool, client: Client) -> int:
    """Return how long after the password this client accepts the browser's session."""
    if not is_enabled(pool):
        return pool.config.session_seconds
    return 60 * pool.config.sso_minutes.get(client.client_id, DEFAULT_SSO_MINUTES)


def max_sso_seconds(pool: Pool) -> int:
    """Return how long a browser session can be in use, by any client."""
    return 60 * MAX_SSO_MINUTES if is_enabled(pool) else pool.config.session_seconds


def new_id(kind: str) -> str:
    letters = string.ascii_lowercase + string.digits
    return kind + "".join(secrets.choice(letters) for _ in range(25))


def track_browser(
    pool: Pool, state: State, key: str, user: PoolUser, client_id: str, caller: Caller
) -> str:
    """Track a browser session after a fresh authentication. Return its ID, or "" if that is off."""
    if not is_enabled(pool):
        return ""
    session_id, now = new_id("sso"), pool.clock()
    state.tracked_sessions[session_id] = TrackedSession(
        key, user.sub, client_id, now, now, caller.device, caller.ip_address
    )
    return session_id


def track_sign_in(pool: Pool, state: State, sign_in: SignIn, caller: Caller) -> None:
    """Track a sign-in that gets a refresh token. If it exceeds the limit, evict others."""
    if not is_enabled(pool):
        return
    active = _active(pool, state, sign_in.sub)
    tokens = [item for item in active.items() if item[0].startswith("tkn")]
    tokens.sort(key=lambda item: item[1].last_active)
    for session_id, _ in tokens[: len(tokens) - pool.config.max_sessions_per_user + 1]:
        end(pool, state, session_id, linked=False)
    now, origin = pool.clock(), sign_in.sso_session_id
    session = (sign_in.origin_jti, sign_in.sub, sign_in.client_id, now, now)
    state.tracked_sessions[new_id("tkn")] = TrackedSession(
        *session, caller.device, caller.ip_address, origin
    )
    _touch_browser(pool, state, origin)


def touch(pool: Pool, state: State, sign_in: SignIn, caller: Caller) -> None:
    """Store the time and the sender of a refresh."""
    changes = {"last_active": pool.clock(), "device": caller.device}
    for key, session in state.tracked_sessions.items():
        if session.key == sign_in.origin_jti:
            changed = replace(session, **changes, ip_address=caller.ip_address)  # type: ignore[arg-type]
            state.tracked_sessions[key] = changed
            _touch_browser(pool, state, session.origin)
            return


def _touch_browser(pool: Pool, state: State, session_id: str) -> None:
    if session_id in state.tracked_sessions:
        session = state.tracked_sessions[session_id]
        state.tracked_sessions[session_id] = replace(session, last_active=pool.clock())


def active_sessions(pool: Pool, user: PoolUser) -> Sessions:
    """Return the user's sessions by ID, the latest first. Raises UserError if tracking is off."""
    if not is_enabled(pool):
        raise UserError("InvalidParameterException", "Session tracking is not enabled.")
    active = _active(pool, pool.state, user.sub).items()
    return dict(sorted(active, key=lambda item: item[1].last_active, reverse=True))


def _active(pool: Pool, state: State, sub: str) -> Sessions:
    now = pool.clock()
    tracked = [item for item in state.tracked_sessions.items() if item[1].sub == sub]

    def is_active(session: TrackedSession) -> bool:
        sign_in, browser = state.sign_ins.get(session.key), state.sessions.get(session.key)
        expires_at = browser.expires_at if browser else sign_in.expires_at if sign_in else now
        return expires_at > now and (sign_in is None or sign_in.revoked_at is None)

    return {session_id: session for session_id, session in tracked if is_active(session)}


def revoke(pool: Pool, user: PoolUser, session_id: str, *, linked: bool) -> None:
    """End one session of this user, and with ``linked`` those that belong to it."""
    if session_id not in active_sessions(pool, user):
        raise UserError("ResourceNotFoundException", "Session does not exist.")
    with pool.change() as state:
        end(pool, state, session_id, linked=linked)


def end(pool: Pool, state: State, session_id: str, *, linked: bool) -> None:
    """End a session: ``linked`` to a sign-in is its browser session, to that its sign-ins."""
    session = state.tracked_sessions.pop(session_id, None)
    if session is None:
        return
    state.sessions.pop(session.key, None)
    if session.key in state.sign_ins:
        sign_in = state.sign_ins[session.key]
        state.sign_ins[session.key] = replace(sign_in, revoked_at=pool.clock())
    if linked and session.origin:
        end(pool, state, session.origin, linked=False)
    elif linked:
        for key in [k for k, t in state.tracked_sessions.items() if t.origin == session_id]:
            end(pool, state, key, linked=False)
