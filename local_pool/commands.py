"""Commands for a running pool, as text: ``disable ada``, ``fail token 503 --times 3``.

The command line, ``POST /_local/faults`` and the console's buttons use them. Each command is a
function: the words after its name are the parameters, ``--options`` the keyword arguments.
"""

import inspect
import shlex
from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial
from typing import Any

from . import client_secrets, seeding, sessions, settings_commands, users, verification
from .errors import PoolError
from .pool import Pool
from .records import PoolUser
from .settings_commands import duration, find_client


def run(pool: Pool, words: str) -> str:
    """Run one command and return a message with its effect. Raises PoolError if it fails."""
    try:
        name, *rest = shlex.split(words) or [""]
    except ValueError as error:
        raise PoolError(f"{words!r} cannot be parsed: {error}.") from error
    perform = COMMANDS.get(name)
    if perform is None:
        raise PoolError(f"There is no command {name!r}. Commands: {', '.join(COMMANDS)}.")
    positional, options = _split(rest)
    try:
        inspect.signature(perform).bind(pool, *positional, **options)
    except TypeError:
        usage = inspect.getdoc(getattr(perform, "func", perform))
        raise PoolError(f"{name} does not accept these arguments. Usage: {usage}") from None
    message = perform(pool, *positional, **options)
    pool.journal.line(f"command   {message}")
    return message


def _split(words: list[str]) -> tuple[list[str], dict[str, str]]:
    """Return the positional words and the options; an option without a value gets "1"."""
    positional: list[str] = []
    options: dict[str, str] = {}
    while words:
        word, *words = words
        if not word.startswith("--"):
            positional.append(word)
            continue
        name = word[2:].replace("-", "_")
        options[name] = words.pop(0) if words and not words[0].startswith("--") else "1"
    return positional, options


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise PoolError(f"{text!r} is not a number.") from None


FAIL_OPTIONS: dict[str, tuple[str, Callable[[str], object]]] = {
    "times": ("times", lambda text: int(_number(text))),
    "for": ("lasting", duration),
    "grant": ("grant", str),
    "seconds": ("seconds", duration),
    "share": ("share", _number),
}


def fail(pool: Pool, endpoint: str, kind: str, **options: str) -> str:
    """fail ENDPOINT KIND [--times N] [--for TIME] [--grant GRANT] [--seconds TIME] [--share 0.1]"""
    details: dict[str, Any] = {}
    for option, text in options.items():
        if option not in FAIL_OPTIONS:
            raise PoolError(f"There is no option --{option}. Usage: {fail.__doc__}")
        name, parse = FAIL_OPTIONS[option]
        details[name] = parse(text)
    return str(pool.faults.add(endpoint, kind, **details))


def heal(pool: Pool) -> str:
    """heal: clear every fault, reset the clock and the settings"""
    pool.faults.clear()
    pool.clock.offset = 0
    pool.config = pool.declared
    pool.provider_errors.clear()
    return "all faults are cleared; clock and settings are as declared"


def rotate_keys(pool: Pool, *, drop_old: str = "") -> str:
    """rotate-keys [--drop-old]"""
    pool.keys.rotate(keep_old=not drop_old)
    return f"two new signing keys; the old ones {'are gone' if drop_old else 'stay in the key set'}"


def rotate_secret(pool: Pool, client: str = "web", *, drop_old: str = "", old_for: str = "") -> str:
    """rotate-secret [CLIENT] [--drop-old | --old-for TIME]: the new one is in Secrets Manager"""
    found = find_client(pool, client)
    seconds = 0.0 if drop_old else duration(old_for) if old_for else None
    client_secrets.rotate(pool, found, old_seconds=seconds)
    old = "is gone" if drop_old else f"is valid {f'for {old_for}' if old_for else 'for now'}"
    return f"{found.client_id} has a new secret in Secrets Manager; the old one {old}"


def drop_old_secret(pool: Pool, client: str = "web") -> str:
    """drop-old-secret [CLIENT]: only the newest secret stays valid"""
    found = find_client(pool, client)
    client_secrets.drop_old(pool, found)
    return f"only the newest secret of {found.client_id} is valid"


def clock(pool: Pool, change: str) -> str:
    """clock +1h | clock -90s | clock 0 (reset)"""
    seconds = duration(change)
    pool.clock.offset = pool.clock.offset + seconds if seconds else 0
    return f"the pool's clock is {pool.clock.offset:+.0f} s off"


def expire_tokens(pool: Pool) -> str:
    """expire-tokens: expire all refresh tokens issued so far (userInfo fails as well)"""
    with pool.change() as state:
        issued = {token.origin_jti for token in state.refresh_tokens.values()}
        for jti in issued & state.sign_ins.keys():
            state.sign_ins[jti] = replace(state.sign_ins[jti], expires_at=pool.clock())
    return f"the refresh tokens of {len(issued)} sign-ins have expired"


def invite(pool: Pool, username: str, email: str) -> str:
    """invite NAME EMAIL: the temporary password is in the mailbox"""
    verification.invite(pool, username, {"email": email, "email_verified": "true"})
    return f"{username} is invited; the temporary password is in the mailbox"


def group(pool: Pool, username: str, name: str, *, member: bool) -> str:
    """join|leave NAME GROUP: join creates a group that does not exist"""
    user = users.get(pool, username)
    is_new = member and name not in pool.groups
    if is_new:
        users.create_group(pool, name)
    users.set_group(pool, user, name, member)
    return f"{username} is {'now' if member else 'no longer'} in {name}{', a new group' * is_new}"


def _user_command(action: Callable[[Pool, PoolUser], None], result: str) -> Callable[..., str]:
    def perform(pool: Pool, username: str) -> str:
        """disable|enable|delete|sign-out NAME"""
        action(pool, users.get(pool, username))
        return f"{username} {result}"

    return perform


def evict(pool: Pool, username: str) -> str:
    """evict NAME: end the user's least recently used session, as a sign-in above the limit does"""
    active = sessions.active_sessions(pool, users.get(pool, username))
    session_id = next((key for key in reversed(active) if key.startswith("tkn")), None)
    if session_id is None:
        raise PoolError(f"{username} has no session.")
    with pool.change() as state:
        sessions.end(pool, state, session_id, linked=False)
    return f"{username} has lost the session {session_id}"


def reset(pool: Pool) -> str:
    """reset: delete all state, heal, and load the users of pool.toml again"""
    with pool.change() as state:
        for table in fields(state):
            getattr(state, table.name).clear()
    seeding.seed(pool)
    heal(pool)
    return "the pool is as pool.toml declares it"


COMMANDS: dict[str, Callable[..., str]] = {
    "cognito-down": partial(fail, endpoint="*", kind="503"),
    "cognito-slow": partial(fail, endpoint="*", kind="slow"),
    "cognito-throttled": partial(fail, endpoint="*", kind="429"),
    "keys-broken": partial(fail, endpoint="jwks", kind="garbage"),
    "keys-empty": partial(fail, endpoint="jwks", kind="no-keys"),
    "keys-slow": partial(fail, endpoint="jwks", kind="slow"),
    "fail": fail,
    "heal": heal,
    "rotate-keys": rotate_keys,
    "rotate-secret": rotate_secret,
    "drop-old-secret": drop_old_secret,
    "clock": clock,
    "expire-tokens": expire_tokens,
    **settings_commands.COMMANDS,
    "invite": invite,
    "disable": _user_command(users.disable, "is disabled"),
    "enable": _user_command(users.enable, "is enabled"),
    "delete": _user_command(users.delete, "is deleted"),
    "sign-out": _user_command(users.sign_out_everywhere, "is signed out everywhere"),
    "evict": evict,
    "join": partial(group, member=True),
    "leave": partial(group, member=False),
    "reset": reset,
}
