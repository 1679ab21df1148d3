"""The environment that `manage.py dev` gives to the app and to the local pool.

Both get the same values, so that changing a `POOL_*` variable changes both sides. Only the run
commands and tests may import `local_pool`.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local_pool.config import PoolConfig, load_config

from . import ports


@dataclass(frozen=True)
class Development:
    """`variables` is the children's whole environment; `pool` the local pool's configuration,
    None when real Cognito values are set; `ports` are what the children listen on, each by the
    name of its variable."""

    variables: dict[str, str]
    ports: dict[str, int]
    pool: PoolConfig | None


def plan(environ: Mapping[str, str]) -> Development:
    """Work out ports and variables from `environ`, into which `.env` has been read already.

    With a COGNITO_POOL_ID that pool's values are kept, else the local pool's take their place.
    Raises PortProblem, and the local pool's ConfigError for a malformed POOL_* variable.
    """
    local = not environ.get("COGNITO_POOL_ID", "").strip()
    names = ["PORT", "POOL_PORT"] if local else ["PORT"]
    chosen = {name: ports.chosen(environ, name) for name in names}
    variables = {
        **environ,
        "DJANGO_SETTINGS_MODULE": "sso_project.settings",
        "DEBUG": environ.get("DEBUG", "").strip() or "1",
        "PUBLIC_URL": f"http://localhost:{chosen['PORT']}",
        **{name: str(port) for name, port in chosen.items()},
    }
    if not local:
        return Development(variables, chosen, None)
    pool = load_config(variables)
    overridden = {name: "" for name in variables if name.startswith("COGNITO_")}
    return Development(variables | overridden | pool.app_environment(), chosen, pool)


def secret_key(local_dir: Path) -> str:
    """This checkout's SECRET_KEY for development: made once, readable by its owner alone."""
    file = local_dir / "secret_key"
    local_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text(encoding="ascii")
    key = secrets.token_urlsafe(50)
    with os.fdopen(descriptor, "w", encoding="ascii") as new:
        new.write(key)
    return key
