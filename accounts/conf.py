"""The value of the setting COGNITO from environment variables and a `.env` file.

Settings modules import this, so it requires no configured Django. Wrong values are no error here:
the system checks report them, with the name of the variable.
"""

import json
import os
from pathlib import Path
from typing import Any

from .management import env_file as env_files

TEXTS = (
    *("POOL_ID", "CLIENT_ID", "CLIENT_SECRET", "CLIENT_DOMAIN", "CLIENT_REGION", "ISSUER"),
    *("JWKS_URL", "JWKS_SNAPSHOT", "PUBLIC_CLIENT_ID", "PUBLIC_URL"),
)
LISTS = (
    *("REPLICA_REGIONS", "SCOPES", "ACCEPTED_CLIENTS", "RESOURCES", "UNLISTED_CLIENT_SCOPES"),
    *("ACTORS", "SPA_REDIRECT_URIS", "TOKEN_ENCRYPTION_KEYS", "IDENTITY_PROVIDERS", "ACR_VALUES"),
)
OBJECTS = ("CLIENT_RIGHTS", "TRUSTED_POOLS", "GROUPS", "ADMIN_STEP_UP")
FLAGS = ("CREATE_PEOPLE", "GROUPS_ABSENT_MEANS_NONE", "SHOW_TRIGGER_MESSAGES")
WITHOUT_PREFIX = ("PUBLIC_URL", "TOKEN_ENCRYPTION_KEYS")

_FLAG_VALUES = {"1": True, "true": True, "0": False, "false": False}


def from_environment(env_file: str | Path = "", /, **members: Any) -> dict[str, Any]:
    """Return the members of `COGNITO` that the environment has, updated by `members`.

    The variable of a member is `COGNITO_` and its name, without the prefix for `PUBLIC_URL` and
    `TOKEN_ENCRYPTION_KEYS`. An empty variable counts as missing. Lists are comma-separated, objects
    are JSON, and flags are 1 or 0. `LIMITS` and `SHARED_CACHE` are not read: pass them as
    `members`.

    The environment takes precedence over the file, which does not have to exist.
    """
    variables = {**(env_files.read(Path(env_file)) if env_file else {}), **os.environ}
    values: dict[str, Any] = {}
    for name in (*TEXTS, *LISTS, *OBJECTS, *FLAGS):
        raw = variables.get(name if name in WITHOUT_PREFIX else f"COGNITO_{name}", "").strip()
        if raw:
            values[name] = _parse(name, raw)
    return values | members


def _parse(name: str, raw: str) -> Any:
    """Return the value of a member, or `raw` if it is malformed, which a system check reports."""
    if name in LISTS:
        return [item.strip() for item in raw.split(",") if item.strip()]
    if name in FLAGS:
        return _FLAG_VALUES.get(raw.lower(), raw)
    if name in OBJECTS:
        try:
            return json.loads(raw)
        except ValueError:
            return raw
    return raw
