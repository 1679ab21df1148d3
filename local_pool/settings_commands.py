"""Commands that change settings of the running pool, until ``heal`` or a restart."""

import re
from collections.abc import Callable

from .config_checks import CHOICES, FIRST_FACTORS, MAX_SSO_MINUTES
from .declarations import Client
from .errors import PoolError
from .pool import Pool

UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def duration(text: str) -> float:
    """Return the seconds of ``90``, ``60s``, ``+5m``, ``-1.5h`` or ``30d``."""
    match = re.fullmatch(r"([+-]?\d+(?:\.\d+)?)(ms|s|m|h|d)?", text)
    if match is None:
        raise PoolError(f"{text!r} is not a duration; write 90, 60s, 5m, 1h or 30d.")
    return float(match[1]) * UNITS[match[2] or "s"]


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


def tracking(pool: Pool, state: str, maximum: str = "") -> str:
    """sessions on|off [MAX, 1 to 100]: session tracking, and the limit of sessions per user"""
    number = int(maximum) if maximum.isdecimal() else pool.config.max_sessions_per_user
    if state not in ("on", "off") or not 1 <= number <= 100:
        raise PoolError(f"Usage: {tracking.__doc__}")
    pool.configure(session_tracking=state == "on", max_sessions_per_user=number)
    return f"session tracking is {state}, with {number} sessions per user"


def sso(pool: Pool, client: str, length: str) -> str:
    """sso CLIENT TIME (0 to 90d): how long a client accepts the browser's session"""
    found, minutes = find_client(pool, client), duration(length) / 60
    if not 0 <= minutes <= MAX_SSO_MINUTES:
        raise PoolError(f"Usage: {sso.__doc__}")
    pool.configure(sso_minutes=pool.config.sso_minutes | {found.client_id: int(minutes)})
    return f"{found.client_id} accepts the browser's session for {int(minutes)} minutes"


def provider_error(pool: Pool, text: str) -> str:
    """provider-error TEXT: the next sign-in at an identity provider returns to the app with TEXT"""
    pool.provider_errors.append(text)
    return f"the next sign-in at an identity provider fails: {text}"


def providers(pool: Pool, *names: str) -> str:
    """providers [NAME …]: the identity providers that the sign-in page has a button for"""
    pool.configure(identity_providers=names)
    return f"the identity providers are {', '.join(names) or 'none'}"


def first_factors(pool: Pool, *names: str) -> str:
    """first-factors PASSWORD [EMAIL_OTP] [WEB_AUTHN]: what a sign-in can start with"""
    if not {"PASSWORD"} <= {*names} <= FIRST_FACTORS:
        raise PoolError(f"Usage: {first_factors.__doc__}")
    pool.configure(first_auth_factors=names)
    return f"a sign-in starts with {', '.join(names)}"


def mfa(pool: Pool, state: str) -> str:
    """mfa off|optional|on: a second factor"""
    if state not in CHOICES["mfa"]:
        raise PoolError(f"Usage: {mfa.__doc__}")
    pool.configure(mfa=state)
    return f"MFA is {state}"


def trigger(pool: Pool, state: str) -> str:
    """trigger on|off: whether pre_token_trigger of pool.toml is called"""
    # A command must not name the file: who can reach the pool could run it.
    declared = pool.declared.pre_token_trigger
    if state not in ("on", "off") or not declared:
        raise PoolError(f"Usage: {trigger.__doc__}. It is {declared or 'not set'}.")
    pool.configure(pre_token_trigger=declared if state == "on" else "")
    return f"the pre-token-generation trigger {declared} is {state}"


def register(pool: Pool, mode: str) -> str:
    """register off|authenticated|open: dynamic client registration at /oauth2/register"""
    if mode not in CHOICES["client_registration"]:
        raise PoolError(f"Usage: {register.__doc__}")
    pool.configure(client_registration=mode)
    return f"client registration is {mode}"


def find_client(pool: Pool, name: str) -> Client:
    """Return the app client with this ID or name."""
    clients = pool.clients.values()
    client = next((c for c in clients if name in (c.client_id, c.name)), None)
    if client is None:
        raise PoolError(f"There is no app client {name}.")
    return client


COMMANDS: dict[str, Callable[..., str]] = {
    "lifetime": lifetime,
    "rotation": rotation,
    "issuer": issuer,
    "failover": failover,
    "plan": plan,
    "mfa": mfa,
    "first-factors": first_factors,
    "trigger": trigger,
    "register": register,
    "providers": providers,
    "provider-error": provider_error,
    "sessions": tracking,
    "sso": sso,
}
