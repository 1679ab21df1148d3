"""The environment of the app and the local pool under `manage.py dev`.

Both get the same values, so that a `POOL_*` variable changes both.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local_pool.config import load_config
from local_pool.pool_config import PoolConfig

from . import ports

# They describe a pool, and the local pool does not need them.
_OF_ANOTHER_POOL = ("COGNITO_JWKS_URL", "COGNITO_JWKS_SNAPSHOT", "COGNITO_REPLICA_REGIONS")


@dataclass(frozen=True)
class Development:
    """The configuration of the child processes.

    `variables` is their whole environment. `ports` are the ports they listen on, by the name of
    the variable. `pool` is None if a real user pool is configured. `replaced` are the variables of
    the caller that have another value here, because they describe another pool.
    """

    variables: dict[str, str]
    ports: dict[str, int]
    pool: PoolConfig | None
    replaced: tuple[str, ...] = ()


def plan(environ: Mapping[str, str]) -> Development:
    """Return ports and variables for `environ`, which already includes the values of `.env`.

    If COGNITO_POOL_ID is not set, the variables that describe a pool are those of the local pool.
    All other variables stay, so that everything else can be tried with the local pool.

    Raises:
        PortError: a port is not valid.
        ConfigError: a POOL_* variable is malformed.
    """
    is_local = not environ.get("COGNITO_POOL_ID", "").strip()
    names = ["PORT", "POOL_PORT"] if is_local else ["PORT"]
    port_numbers = {name: ports.read_port(environ, name) for name in names}
    variables = {
        **environ,
        "DJANGO_SETTINGS_MODULE": "sso_project.settings",
        "DEBUG": environ.get("DEBUG", "").strip() or "1",
        "PUBLIC_URL": f"http://localhost:{port_numbers['PORT']}",
        **{name: str(port) for name, port in port_numbers.items()},
    }
    if not is_local:
        return Development(variables, port_numbers, None)
    pool = load_config(variables)
    of_the_pool = dict.fromkeys(_OF_ANOTHER_POOL, "") | pool.app_environment()
    replaced = tuple(
        name for name in of_the_pool if environ.get(name, "").strip() not in ("", of_the_pool[name])
    )
    return Development(variables | of_the_pool, port_numbers, pool, replaced)


def load_secret_key(local_dir: Path) -> str:
    """Return the SECRET_KEY for development, and create it if there is none.

    It is stored in a file that only its owner can read.
    """
    file = local_dir / "secret_key"
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text(encoding="ascii")
    key = secrets.token_urlsafe(50)
    with os.fdopen(descriptor, "w", encoding="ascii") as new:
        new.write(key)
    return key
