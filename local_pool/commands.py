"""Commands for a running pool, as text: ``disable ada``, ``fail token 503 --times 3``.

The command line, ``POST /_local/faults`` and the console's buttons use them. Each command is a
function: the words after its name are the parameters, ``--options`` the keyword arguments.
"""

import inspect
import re
import shlex
from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial
from typing import Any

from . import users, verification
from .config import CHOICES
from .errors import PoolError
from .pool import Pool
from .records import PoolUser

UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def duration(text: str) -> float:
    """Return the seconds of ``90``, ``60s``, ``+5m``, ``-1.5h`` or ``30d``."""
    match = re.fullmatch(r"([+-]?\d+(?:\.\d+)?)(ms|s|m|h|d)?", text)
    if match is None:
        raise PoolError(f"{text!r} is not a duration; write 90, 60s, 5m, 1h or 30d.")
    return float(match[1]) * UNITS[match[2] or "s"]


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
    return "all faults are cleared; clock and settings are as declared"


def rotate_keys(pool: Pool, *, drop_old: str = "") -> str:
    """rotate-keys [--drop-old]"""
    pool.keys.rotate(keep_old=not drop_old)
    return f"two new signing keys; the old ones {'are gone' if drop_old else 'stay in the key set'}"


def clock(pool: Pool, change: str) -> str:
    """clock +1h | clock -90s | clock 0 (reset)"""
    seconds = duration(change)
    pool.clock.offset = pool.clock.offset + seconds if seconds else 0
    return f"the pool's clock is {pool.clock.offset:+.0f} s off"


def lifetime(pool: Pool, kind: str, length: str) -> str:
    """lifetime access|id|refresh|code|session TIME (1 s or more), from now on"""
    name = f"{kind}_seconds" if kind in ("code", "session") else f"{kind}_token_seconds"
    value = int(duration(length))
    if not hasattr(pool.config, name) or value < 1:
        raise PoolError(f"Usage: {lifetime.__doc__}")
    pool.configure(**{name: value})
    return f"{name} is {value}"


def rotation(pool: Pool, state: str, grace: str = "0") -> str:
    """rotation on|off [GRACE, 0 to 60 s]"""
    if state not in ("on", "off") or not 0 <= duration(grace) <= 60:
        raise PoolError(f"Usage: {rotation.__doc__}")
    pool.configure(rotate_refresh_tokens=state == "on", refresh_grace_seconds=int(duration(grace)))
    return f"refresh tokens rotate: {state}, grace {grace}"


def issuer(pool: Pool, issuer_type: str) -> str:
    """issuer original|updated|both: the spelling of `iss` in new tokens; with both, in turn"""
    if issuer_type not in CHOICES["issuer_type"]:
        raise PoolError(f"Usage: {issuer.__doc__}")
    pool.configure(issuer_type=issuer_type)
    return f"new tokens have the issuer {pool.config.issuer}" + (
        f" or {pool.config.issuers[1]}" if issuer_type == "both" else ""
    )


def failover(pool: Pool, state: str) -> str:
    """failover on|off: the replica responds, with tokens of its Region, and refuses writes"""
    if state not in ("on", "off"):
        raise PoolError(f"Usage: {failover.__doc__}")
    pool.configure(failover=state == "on")
    region = pool.config.replica_region if state == "on" else pool.config.region
    return f"the Region {region} responds; new tokens have the issuer {pool.config.issuer}"


def plan(pool: Pool, name: str) -> str:
    """plan lite|essentials|plus: lite has the classic hosted UI"""
    if name not in CHOICES["plan"]:
        raise PoolError(f"Usage: {plan.__doc__}")
    pool.configure(plan=name)
    return f"the feature plan is {name}"


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
    """join|leave NAME GROUP"""
    users.set_group(pool, users.get(pool, username), name, member)
    return f"{username} is {'now' if member else 'no longer'} in {name}"


def _user_command(action: Callable[[Pool, PoolUser], None], result: str) -> Callable[..., str]:
    def perform(pool: Pool, username: str) -> str:
        """disable|enable|delete|sign-out NAME"""
        action(pool, users.get(pool, username))
        return f"{username} {result}"

    return perform


def reset(pool: Pool) -> str:
    """reset: delete all state, heal, and load the users of pool.toml again"""
    with pool.change() as state:
        for table in fields(state):
            getattr(state, table.name).clear()
    users.seed(pool)
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
    "clock": clock,
    "expire-tokens": expire_tokens,
    "lifetime": lifetime,
    "rotation": rotation,
    "issuer": issuer,
    "failover": failover,
    "plan": plan,
    "invite": invite,
    "disable": _user_command(users.disable, "is disabled"),
    "enable": _user_command(users.enable, "is enabled"),
    "delete": _user_command(users.delete, "is deleted"),
    "sign-out": _user_command(users.sign_out_everywhere, "is signed out everywhere"),
    "join": partial(group, member=True),
    "leave": partial(group, member=False),
    "reset": reset,
}
