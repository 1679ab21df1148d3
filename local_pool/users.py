"""The users of the pool: their accounts, their browser sessions, and administration.

A UserError has the exception name and the message of Cognito's API. The hosted UI shows the
message, the JSON API sends both.
"""

import secrets
import uuid
from dataclasses import replace

from . import attributes, passwords, sessions, srp
from .declarations import Client, Group
from .errors import INVALID, UserError
from .pool import NO_USER, Pool
from .records import BrowserSession, PoolUser, digest

WRONG_PASSWORD = "Incorrect username or password."  # noqa: S105 (a message)
RESET_REQUIRED = "Password reset required for the user"


def find(pool: Pool, name: str) -> PoolUser | None:
    """Return the user with this username, verified email address or ``sub``, or None.

    The case does not matter.
    """
    key = name.strip().lower()
    user = pool.state.people.get(key)
    if user is None and ("@" in key or key.count("-") == 4):
        all_users = list(pool.state.people.values())
        user = next((u for u in all_users if key in (u.sub, _sign_in_address(pool, u))), None)
    return user


def _sign_in_address(pool: Pool, user: PoolUser) -> str | None:
    is_username = pool.config.email_is_username
    return user.attributes.get("email", "").lower() if is_username else user.verified_email


def get(pool: Pool, name: str) -> PoolUser:
    user = find(pool, name)
    if user is None:
        raise UserError("UserNotFoundException", NO_USER)
    return user


def authenticate(pool: Pool, client: Client, username: str, password: str) -> PoolUser:
    """Return the user with this password, even if unconfirmed, invited or disabled.

    After five wrong passwords, a username is locked for 1, 2, 4 … seconds, up to 15 minutes.
    """
    check_attempts(pool, username)
    hides_existence = pool.config_for(client).prevent_user_existence_errors
    user = find(pool, username) if hides_existence else get(pool, username)
    if user is None or not passwords.matches(password, user.password):
        raise wrong_password(pool, username)
    pool.failures.pop(_attempts_key(username), None)
    if not user.srp and not pool.config.failover:  # stored by an older version
        user = update(pool, user, srp=srp_record(pool, user.username, password))
    return user


def _attempts_key(username: str) -> str:
    return username.strip().lower()


def check_attempts(pool: Pool, username: str) -> None:
    """Raise UserError while a username is locked."""
    failed, last = pool.failures.get(_attempts_key(username), (0, 0.0))
    if failed >= 5 and pool.clock() - last < min(2 ** (failed - 5), 900):
        raise UserError("NotAuthorizedException", "Password attempts exceeded")


def wrong_password(pool: Pool, username: str) -> UserError:
    """Count a wrong password, and return the error to raise."""
    key, now = _attempts_key(username), pool.clock()
    failed, last = pool.failures.get(key, (0, 0.0))
    pool.failures[key] = (1 if now - last > 900 else failed + 1, now)
    return UserError("NotAuthorizedException", WRONG_PASSWORD)


def srp_record(pool: Pool, username: str, password: str) -> str:
    """Return the salt and the private key of SRP, in hex."""
    salt = srp.new_salt()
    return f"{salt:x}${srp.private_key(srp_name(pool, username), password, salt):x}"


def srp_name(pool: Pool, username: str) -> str:
    return pool.config.id.partition("_")[2] + username


def start_session(
    pool: Pool, user: PoolUser, amr: tuple[str, ...], client: Client, caller: sessions.Caller
) -> tuple[str, BrowserSession]:
    """Start a browser session, and return the value of its ``cognito`` cookie and the session."""
    secret, now = secrets.token_hex(32), pool.clock()
    key, expires_at = digest(secret), now + sessions.max_sso_seconds(pool)
    with pool.change() as state:
        session_id = sessions.track_browser(pool, state, key, user, client.client_id, caller)
        session = BrowserSession(user.username, user.sub, now, expires_at, amr, session_id)
        state.sessions[key] = session
    return secret, session


def get_session(pool: Pool, cookie: str) -> BrowserSession | None:
    """Return the session of a cookie, or None if it has ended or its user is not enabled."""
    session = pool.state.sessions.get(digest(cookie))
    if session is None or session.expires_at <= pool.clock() or pool.find_owner(session) is None:
        return None
    return session


def end_session(pool: Pool, cookie: str) -> None:
    with pool.change() as state:
        state.sessions.pop(digest(cookie), None)


def check_name(pool: Pool, username: str) -> str:
    """Return a new user's name without outer spaces, or raise UserError."""
    name = username.strip()
    if not name or len(name) > 128 or any(c.isspace() for c in name):
        raise UserError(INVALID, "Username is missing or malformed.")
    if pool.config.email_is_username and not attributes.FORMATS["email"][0].fullmatch(name):
        raise UserError(INVALID, "Username should be an email.")
    return name


def create(
    pool: Pool, username: str, password: str, initial: dict[str, str], status: str
) -> PoolUser:
    """Create a user, or raise UserError with Cognito's exception."""
    pool.require_primary()
    name = check_name(pool, username)
    passwords.check_policy(pool.config, password)
    hashed, now, new_sub = passwords.hash_password(password), pool.clock(), str(uuid.uuid4())
    if pool.config.email_is_username:
        if find(pool, name):
            message = "An account with the given email already exists."
            raise UserError("UsernameExistsException", message)
        name, initial = new_sub, initial | {"email": name}
    key = srp_record(pool, name, password)
    user = PoolUser(name, new_sub, hashed, initial, now, now, status=status, srp=key)
    with pool.change() as state:
        if name.lower() in state.people:
            raise UserError("UsernameExistsException", "User already exists")
        state.people[name.lower()] = user
    return user


def update(pool: Pool, user: PoolUser, **changes: object) -> PoolUser:
    """Change members of a user; the last write of a member wins."""
    pool.require_primary()
    with pool.change() as state:
        current = state.people.get(user.username.lower())
        if current is None or current.sub != user.sub:
            raise UserError("UserNotFoundException", NO_USER)
        updated = replace(current, modified=pool.clock(), **changes)  # type: ignore[arg-type]
        state.people[user.username.lower()] = updated
    return updated


def change_attributes(
    pool: Pool, user: PoolUser, changes: dict[str, str], client: Client | None = None
) -> PoolUser:
    """Change attributes with Cognito's side effects; an empty value deletes an attribute.

    The caller is a user of this app client, or an administrator.
    """
    changed = attributes.apply(user, attributes.check(pool, changes, client))
    if changed.get("email_verified") == "true" or pool.config.email_is_username:
        require_free_alias(pool, user, changed.get("email", ""))
    return update(pool, user, attributes=changed)


def set_password(pool: Pool, user: PoolUser, password: str, status: str = "CONFIRMED") -> PoolUser:
    passwords.check_policy(pool.config, password)
    pool.failures.pop(user.username.lower(), None)
    hashed, key = passwords.hash_password(password), srp_record(pool, user.username, password)
    return update(pool, user, password=hashed, srp=key, status=status)


def require_free_alias(pool: Pool, user: PoolUser, email: str) -> None:
    """Raise UserError if another user has verified this email address."""
    other = find(pool, email) if "@" in email else None
    if other is not None and other.sub != user.sub:
        message = "An account with the given email already exists."
        raise UserError("AliasExistsException", message)


def release_alias(pool: Pool, user: PoolUser, email: str) -> None:
    """Make this email address unverified for another user, who can no longer sign in with it."""
    other = find(pool, email) if "@" in email else None
    if other is not None and other.sub != user.sub:
        update(pool, other, attributes=other.attributes | {"email_verified": "false"})


def enable(pool: Pool, user: PoolUser) -> None:
    update(pool, user, enabled=True)


def disable(pool: Pool, user: PoolUser) -> None:
    """Disable a user and end the sign-ins and browser sessions; enabling does not restore them."""
    update(pool, user, enabled=False)
    _end_sessions(pool, user)


def delete(pool: Pool, user: PoolUser) -> None:
    pool.require_primary()
    _end_sessions(pool, user)
    with pool.change() as state:
        state.people.pop(user.username.lower(), None)
        for key in [key for key, passkey in state.passkeys.items() if passkey.sub == user.sub]:
            del state.passkeys[key]


def _end_sessions(pool: Pool, user: PoolUser) -> None:
    sign_out_everywhere(pool, user)
    with pool.change() as state:
        for key in [key for key, session in state.sessions.items() if session.sub == user.sub]:
            del state.sessions[key]


def sign_out_everywhere(pool: Pool, user: PoolUser) -> None:
    """Revoke all refresh tokens of a user. As at Cognito, the browser session stays."""
    with pool.change() as state:
        for jti, sign_in in state.sign_ins.items():
            if sign_in.sub == user.sub and sign_in.revoked_at is None:
                state.sign_ins[jti] = replace(sign_in, revoked_at=pool.clock())


def provider_group(pool: Pool, provider: str) -> str:
    """Return the group of all users of a provider, which Cognito creates by itself."""
    name = f"{pool.config.id}_{provider}"
    if name not in pool.groups:
        create_group(pool, name, f"Autogenerated group for users who sign in using {provider}")
    return name


def create_group(pool: Pool, name: str, description: str = "") -> None:
    now = pool.clock()
    pool.put("groups", name, Group(name, description, created=now, modified=now))


def set_group(pool: Pool, user: PoolUser, group: str, member: bool) -> None:
    """Add a user to a group, or remove the user from it."""
    if group not in pool.groups:
        raise UserError("ResourceNotFoundException", "Group not found.")
    groups = tuple(name for name in user.groups if name != group)
    update(pool, user, groups=(*groups, group) if member else groups)
