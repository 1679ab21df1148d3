"""The pool's configuration: ``pool.toml``, overridden by ``POOL_<NAME>`` variables or by a test.

All defaults are in pool.toml. Every value is validated here, and an error names its setting.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .declarations import LOOPBACK, STANDARD_SCOPES, Client, Seed
from .errors import ConfigError

POOL_TOML = Path(__file__).with_name("pool.toml")
UPDATED_BASE = (
    "issuer-cognito-idp"  # where AWS has the host issuer-cognito-idp.REGION.amazonaws.com
)
ACR_VALUE = r"[\x21\x23-\x5b\x5d-\x7e]{1,64}"
CHOICES = {
    "issuer_type": ("original", "updated", "both"),
    "plan": ("lite", "essentials", "plus"),
}
TABLES = ("people", "resource_servers", "clients")


@dataclass(frozen=True)
class PoolConfig:
    """The settings of pool.toml, followed by its tables."""

    port: int
    id: str
    issuer_type: str
    plan: str
    replica_region: str
    failover: bool
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
    acr_values: tuple[str, ...]
    groups: tuple[str, ...]
    people: tuple[Seed, ...]
    resource_servers: dict[str, tuple[str, ...]]
    clients: dict[str, Client]

    @property
    def region(self) -> str:
        return self.id.partition("_")[0]

    @property
    def domain(self) -> str:
        """The base URL of the hosted UI and the OAuth endpoints."""
        return f"http://localhost:{self.port}"

    @property
    def issuer(self) -> str:
        """The ``iss`` of new tokens; while the type is "both", that of the original type.

        A replica issues tokens for its own Region, unless the pool has the updated issuer.
        """
        original, updated, replica = self.issuers
        return updated if self.issuer_type == "updated" else replica if self.failover else original

    @property
    def issuers(self) -> tuple[str, str, str]:
        """Every issuer of this pool: the original, the updated, and that of the replica."""
        bases = ("", f"{UPDATED_BASE}/", f"cognito-idp.{self.replica_region}/")
        original, updated, replica = (f"{self.domain}/{base}{self.id}" for base in bases)
        return original, updated, replica

    @property
    def custom_scopes(self) -> tuple[str, ...]:
        servers = self.resource_servers.items()
        return tuple(f"{server}/{name}" for server, names in servers for name in names)

    def app_environment(self) -> dict[str, str]:
        """Return the environment variables for an application that uses this pool."""
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


SETTINGS: dict[str, Any] = {f.name: f.type for f in fields(PoolConfig) if f.name not in TABLES}


def load_config(
    environ: Mapping[str, str], overrides: Mapping[str, Any] | None = None, toml: Path = POOL_TOML
) -> PoolConfig:
    """Read pool.toml, then POOL_* of ``environ``, then ``overrides`` (from Python).

    Raises ConfigError, which names the missing, unknown or malformed setting.
    """
    try:
        values: dict[str, Any] = tomllib.loads(toml.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{toml} cannot be read: {error}") from error
    for name, kind in SETTINGS.items():
        if text := environ.get(f"POOL_{name.upper()}"):
            values[name] = _parse(f"POOL_{name.upper()}", kind, text)
    values |= overrides or {}
    for name in SETTINGS:
        _require(name in values, f"{toml} has no setting {name}.")
        values[name] = _check_type(name, SETTINGS[name], values[name])
    unknown = ", ".join(values.keys() - {*SETTINGS, *TABLES})
    _require(not unknown, f"Unknown setting of the local pool: {unknown}.")
    defaults = {name: values[name] for name in ("scopes", "callback_urls", "logout_urls")}
    extra = _declared(Client, "clients", "client_id", values.get("clients", {}), defaults)
    values["people"] = _declared(Seed, "people", "username", values.get("people", {}), {})
    servers = values.get("resource_servers", {})
    values["resource_servers"] = {name: tuple(scopes) for name, scopes in servers.items()}
    values["clients"] = {}
    config = PoolConfig(**values)
    public_url = environ.get("PUBLIC_URL", "http://localhost:8000").rstrip("/")
    own = _own_clients(config, public_url)
    config.clients.update({client.client_id: client for client in (*own, *extra)})
    _check(config)
    return config


def _own_clients(config: PoolConfig, public_url: str) -> list[Client]:
    """Return the web, public and machine clients, with the application's own URLs registered."""
    sign_in, docs = f"{public_url}/signin", f"{public_url}/docs/oauth2-redirect"
    logout_urls = tuple(dict.fromkeys([f"{public_url}/signout", *config.logout_urls]))

    def own(client_id: str, secret: str | None, name: str, *callback_urls: str) -> Client:
        urls = tuple(dict.fromkeys([*callback_urls, *config.callback_urls]))
        return Client(client_id, secret, ("code",), config.scopes, urls, logout_urls, name)

    flows, secret = ("client_credentials",), config.machine_client_secret
    return [
        own(config.client_id, config.client_secret, "web", sign_in),
        own(config.public_client_id, None, "public", sign_in, docs),
        Client(config.machine_client_id, secret, flows, config.custom_scopes, name="machine"),
    ]


def _declared(kind: type[Any], table: str, key: str, value: Any, defaults: Any) -> tuple[Any, ...]:
    """Return clients or users: ``value`` if Python declares them, else built from a table."""
    if not isinstance(value, dict):
        return tuple(value)
    items = []
    for name, entry in value.items():
        members = (defaults | {key: name} | entry).items()
        try:
            items.append(kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in members}))
        except TypeError as error:
            problem = str(error).partition("__init__() ")[2]
            raise ConfigError(f"[{table}] {name} in pool.toml: {problem}.") from error
    return tuple(items)


def _check_type(name: str, kind: Any, value: Any) -> Any:
    """Return the TOML or Python value with lists as tuples; raise ConfigError for a wrong type."""
    if kind in (int, bool, str):
        _require(type(value) is kind, f"{name} must be {kind.__name__}, not {value!r}.")
        return value
    strings = isinstance(value, list | tuple) and all(isinstance(part, str) for part in value)
    _require(strings, f"{name} must be a list of strings.")
    return tuple(value)


def _parse(variable: str, kind: Any, text: str) -> Any:
    if kind is bool:
        _require(text in ("0", "1"), f"{variable} must be 1 or 0.")
        return text == "1"
    if kind is int:
        _require(re.fullmatch(r"[0-9]{1,10}", text), f"{variable} must be a whole number.")
        return int(text)
    return text if kind is str else [part.strip() for part in text.split(",") if part.strip()]


def _require(condition: object, message: str) -> None:
    if not condition:
        raise ConfigError(message)


def _check(config: PoolConfig) -> None:
    _require(0 < config.port < 65536, "POOL_PORT must be between 1 and 65535.")
    _require(
        re.fullmatch(r"[\w-]+_[0-9a-zA-Z]+", config.id) and len(config.id) <= 55,
        "POOL_ID must look like local-1_DevPool01: a region, an underscore, letters and digits.",
    )
    for name, allowed in CHOICES.items():
        choices = f"POOL_{name.upper()} must be one of {', '.join(allowed)}."
        _require(getattr(config, name) in allowed, choices)
    _require(
        len(set(config.acr_values)) == len(config.acr_values) == 4
        and all(re.fullmatch(ACR_VALUE, v) for v in config.acr_values),
        "POOL_ACR_VALUES must be four different names, one for each level, without spaces.",
    )
    region = re.fullmatch(r"[a-z0-9-]{5,32}", config.replica_region)
    _require(
        region and config.replica_region != config.region,
        "POOL_REPLICA_REGION must be another Region than that of POOL_ID.",
    )
    for name in SETTINGS:
        if name.endswith("_seconds") and name != "refresh_grace_seconds":
            _require(getattr(config, name) >= 1, f"POOL_{name.upper()} must be at least 1.")
    grace = "POOL_REFRESH_GRACE_SECONDS must be 0 to 60, as at Cognito."
    _require(0 <= config.refresh_grace_seconds <= 60, grace)
    for client in config.clients.values():
        message = f"The client ID {client.client_id!r} may contain letters, digits, _ and + only."
        _require(re.fullmatch(r"[\w+]{1,128}", client.client_id), message)
        scopes = {*STANDARD_SCOPES, *config.custom_scopes}
        _require(set(client.scopes) <= scopes, f"Client {client.client_id} has an unknown scope.")
        for url in (*client.callback_urls, *client.logout_urls):
            _require(
                _can_register(url),
                f"{url!r} cannot be registered: http:// only on localhost,"
                " else https:// or an app's own scheme, without a fragment.",
            )
    for seed in config.people:
        missing = set(seed.groups) - set(config.groups)
        _require(not missing, f"{seed.username} is in a group that is not declared: {missing}.")
    _require(len(config.clients) >= 3, "Two clients have the same ID.")


def _can_register(url: str) -> bool:
    parts = urlsplit(url)
    if not parts.scheme or "#" in url or len(url) > 1024:
        return False
    return parts.scheme != "http" or parts.hostname in LOOPBACK
