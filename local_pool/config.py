"""The pool's configuration: ``pool.toml``, overridden by ``POOL_<NAME>`` variables or by a test.

pool.toml is the one place for defaults. Every value is checked here, and refused by name.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .declarations import LOOPBACK, STANDARD_SCOPES, Client, Seed
from .errors import ConfigError

POOL_TOML = Path(__file__).with_name("pool.toml")


@dataclass(frozen=True)
class PoolConfig:
    """Times in seconds. The members before ``people`` are the settings of pool.toml."""

    port: int
    id: str
    client_id: str
    client_secret: str
    public_client_id: str
    machine_client_id: str
    machine_client_secret: str
    callback_urls: tuple[str, ...]
    logout_urls: tuple[str, ...]
    scopes: tuple[str, ...]
    access_token_seconds: int
    id_token_seconds: int
    refresh_token_seconds: int
    session_seconds: int
    code_seconds: int
    rotate_refresh_tokens: bool
    refresh_grace_seconds: int
    prevent_user_existence_errors: bool
    groups: tuple[str, ...]
    people: tuple[Seed, ...] = ()
    resource_servers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)

    @property
    def region(self) -> str:
        return self.id.partition("_")[0]

    @property
    def domain(self) -> str:
        """Address of the hosted UI and the OAuth endpoints."""
        return f"http://localhost:{self.port}"

    @property
    def issuer(self) -> str:
        return f"{self.domain}/{self.id}"

    @property
    def custom_scopes(self) -> tuple[str, ...]:
        return tuple(
            f"{server}/{s}" for server, names in self.resource_servers.items() for s in names
        )

    def app_environment(self) -> dict[str, str]:
        """What an application needs to sign people in here, as its environment names it."""
        return {
            "COGNITO_POOL_ID": self.id,
            "COGNITO_CLIENT_ID": self.client_id,
            "COGNITO_CLIENT_SECRET": self.client_secret,
            "COGNITO_CLIENT_DOMAIN": self.domain,
            "COGNITO_CLIENT_REGION": self.region,
            "COGNITO_ISSUER": self.issuer,
            "COGNITO_PUBLIC_CLIENT_ID": self.public_client_id,
            "COGNITO_ACCEPTED_CLIENTS": self.machine_client_id,
        }


SETTINGS = {
    f.name: f.type
    for f in fields(PoolConfig)
    if f.name not in ("people", "clients", "resource_servers")
}


def load_config(
    environ: Mapping[str, str], overrides: Mapping[str, Any] | None = None, toml: Path = POOL_TOML
) -> PoolConfig:
    """Read pool.toml, then POOL_* of ``environ``, then ``overrides`` (from Python).

    Raises ConfigError naming what is missing, unknown or malformed.
    """
    given = dict(overrides or {})
    try:
        tables = tomllib.loads(toml.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{toml} cannot be read: {error}") from error
    values: dict[str, Any] = {}
    for name, kind in SETTINGS.items():
        variable = f"POOL_{name.upper()}"
        if name in given:
            values[name] = _typed(name, kind, given.pop(name))
        elif environ.get(variable, "") != "":
            values[name] = _parsed(variable, kind, environ[variable])
        elif name in tables:
            values[name] = _typed(name, kind, tables[name])
        else:
            raise ConfigError(f"{toml} lacks the setting {name}.")
    people = given.pop("people", None) or [
        _declared(Seed, "people", name, {"username": name} | row)
        for name, row in tables.get("people", {}).items()
    ]
    servers = given.pop("resource_servers", None) or tables.get("resource_servers", {})
    extra = given.pop("clients", None) or [
        _declared(Client, "clients", name, _with_defaults(values, {"client_id": name} | row))
        for name, row in tables.get("clients", {}).items()
    ]
    unknown = [*given, *(set(tables) - set(SETTINGS) - {"people", "resource_servers", "clients"})]
    if unknown:
        raise ConfigError(f"Unknown setting of the local pool: {', '.join(unknown)}.")
    config = PoolConfig(
        **values,
        people=tuple(people),
        resource_servers={name: tuple(scopes) for name, scopes in servers.items()},
    )
    public_url = environ.get("PUBLIC_URL", "http://localhost:8000").rstrip("/")
    config.clients.update({c.client_id: c for c in [*_clients(config, public_url), *extra]})
    _check(config)
    return config


def _clients(config: PoolConfig, public_url: str) -> list[Client]:
    """The three clients of every pool; the application's own addresses always stay."""
    own = (f"{public_url}/signin", f"{public_url}/docs/oauth2-redirect")
    addresses = {
        "scopes": config.scopes,
        "callback_urls": tuple(dict.fromkeys([own[0], *config.callback_urls])),
        "logout_urls": tuple(dict.fromkeys([f"{public_url}/signout", *config.logout_urls])),
    }
    web = Client(config.client_id, config.client_secret, name="web", **addresses)
    addresses["callback_urls"] = tuple(dict.fromkeys([*own, *config.callback_urls]))
    public = Client(config.public_client_id, name="public", **addresses)  # type: ignore[arg-type]
    machine = Client(
        config.machine_client_id,
        config.machine_client_secret,
        flows=("client_credentials",),
        scopes=config.custom_scopes,
        name="machine",
    )
    return [web, public, machine]


def _with_defaults(values: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    return {k: values[k] for k in ("scopes", "callback_urls", "logout_urls")} | row


def _declared(kind: type[Any], table: str, name: str, row: dict[str, Any]) -> Any:
    try:
        return kind(**{key: tuple(v) if isinstance(v, list) else v for key, v in row.items()})
    except TypeError as error:
        problem = str(error).partition("__init__() ")[2]
        raise ConfigError(f"[{table}] {name} in pool.toml: {problem}.") from error


def _typed(name: str, kind: Any, value: Any) -> Any:
    """A TOML or Python value of the wrong type is refused; lists become tuples."""
    if kind not in (int, bool, str):
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            raise ConfigError(f"{name} must be a list of strings.")
        return tuple(value)
    if type(value) is not kind:
        raise ConfigError(f"{name} must be {kind.__name__}, not {value!r}.")
    return value


def _parsed(variable: str, kind: Any, text: str) -> Any:
    if kind is bool:
        if text not in ("0", "1"):
            raise ConfigError(f"{variable} must be 1 or 0.")
        return text == "1"
    if kind is int:
        if not re.fullmatch(r"[0-9]{1,10}", text):
            raise ConfigError(f"{variable} must be a whole number.")
        return int(text)
    return text if kind is str else tuple(part.strip() for part in text.split(",") if part.strip())


def _check(config: PoolConfig) -> None:
    def demand(holds: object, sentence: str) -> None:
        if not holds:
            raise ConfigError(sentence)

    demand(0 < config.port < 65536, "POOL_PORT must be between 1 and 65535.")
    demand(
        re.fullmatch(r"[\w-]+_[0-9a-zA-Z]+", config.id) and len(config.id) <= 55,
        "POOL_ID must look like local-1_DevPool01: a region, an underscore, letters and digits.",
    )
    for name in SETTINGS:
        if name.endswith("_seconds") and name != "refresh_grace_seconds":
            demand(getattr(config, name) >= 1, f"POOL_{name.upper()} must be at least 1.")
    demand(
        0 <= config.refresh_grace_seconds <= 60,
        "POOL_REFRESH_GRACE_SECONDS must be 0 to 60, as at Cognito.",
    )
    for client in config.clients.values():
        demand(
            re.fullmatch(r"[\w+]{1,128}", client.client_id),
            f"The client id {client.client_id!r} may hold letters, digits, _ and + only.",
        )
        known = {*STANDARD_SCOPES, *config.custom_scopes}
        demand(set(client.scopes) <= known, f"Client {client.client_id} names an unknown scope.")
        for url in (*client.callback_urls, *client.logout_urls):
            demand(
                _acceptable(url),
                f"{url!r} cannot be registered: http:// only on localhost,"
                " else https:// or an app's own scheme, without a fragment.",
            )
    for seed in config.people:
        missing = set(seed.groups) - set(config.groups)
        demand(not missing, f"{seed.username} is in a group that is not declared: {missing}.")
    demand(len(config.clients) >= 3, "Two clients have the same id.")


def _acceptable(url: str) -> bool:
    parts = urlsplit(url)
    if not parts.scheme or "#" in url or len(url) > 1024:
        return False
    return parts.scheme != "http" or parts.hostname in LOOPBACK
