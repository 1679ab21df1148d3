"""The pool's configuration: ``pool.toml``, overridden by ``POOL_<NAME>`` variables or by a test.

All defaults are in pool.toml. config_checks.py validates the values.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .config_checks import check, require
from .declarations import Client, OidcProvider, Seed
from .errors import ConfigError
from .pool_config import SETTINGS, TABLES, PoolConfig

POOL_TOML = Path(__file__).with_name("pool.toml")


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
        require(name in values, f"{toml} has no setting {name}.")
        values[name] = _check_type(name, SETTINGS[name], values[name])
    unknown = ", ".join(values.keys() - {*SETTINGS, *TABLES})
    require(not unknown, f"Unknown setting of the local pool: {unknown}.")
    defaults = {name: values[name] for name in ("scopes", "callback_urls", "logout_urls")}
    defaults["auth_flows"] = values["explicit_auth_flows"]
    extra = _declared(Client, "clients", "client_id", values.get("clients", {}), defaults)
    values["people"] = _declared(Seed, "people", "username", values.get("people", {}), {})
    servers = values.get("resource_servers", {})
    values["resource_servers"] = {name: tuple(scopes) for name, scopes in servers.items()}
    values["sso_minutes"] = dict(values.get("sso_minutes", {}))
    providers = values.get("oidc_providers", {})
    providers = _declared(OidcProvider, "oidc_providers", "name", providers, {})
    values["oidc_providers"] = {provider.name: provider for provider in providers}
    values["clients"] = {}
    config = PoolConfig(**values)
    if config.email_is_username:
        config = replace(config, people=tuple(map(_named_by_email, config.people)))
    public_url = environ.get("PUBLIC_URL", "http://localhost:8000").rstrip("/")
    own = _own_clients(config, public_url)
    config.clients.update({client.client_id: client for client in (*own, *extra)})
    check(config)
    return config


def _own_clients(config: PoolConfig, public_url: str) -> list[Client]:
    """Return the web, public and machine clients, with the application's own URLs registered."""
    sign_in, docs = f"{public_url}/signin", f"{public_url}/docs/oauth2-redirect"
    logout_urls = tuple(dict.fromkeys([f"{public_url}/signout", *config.logout_urls]))

    def own(client_id: str, secret: str | None, name: str, *callback_urls: str) -> Client:
        urls = tuple(dict.fromkeys([*callback_urls, *config.callback_urls]))
        scopes, auth_flows = config.scopes, config.explicit_auth_flows
        return Client(client_id, secret, ("code",), scopes, urls, logout_urls, name, auth_flows)

    flows, secret = ("client_credentials",), config.machine_client_secret
    return [
        own(config.client_id, config.client_secret, "web", sign_in),
        own(config.public_client_id, None, "public", sign_in, docs),
        Client(
            config.machine_client_id,
            secret,
            flows,
            config.custom_scopes,
            name="machine",
            auth_flows=(),
        ),
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


def _named_by_email(seed: Seed) -> Seed:
    name = seed.username if seed.provider else seed.all_attributes()["email"]
    return replace(seed, username=name)


def _check_type(name: str, kind: Any, value: Any) -> Any:
    """Return the TOML or Python value with lists as tuples; raise ConfigError for a wrong type."""
    if kind in (int, bool, str):
        require(type(value) is kind, f"{name} must be {kind.__name__}, not {value!r}.")
        return value
    strings = isinstance(value, list | tuple) and all(isinstance(part, str) for part in value)
    require(strings, f"{name} must be a list of strings.")
    return tuple(value)


def _parse(variable: str, kind: Any, text: str) -> Any:
    if kind is bool:
        require(text in ("0", "1"), f"{variable} must be 1 or 0.")
        return text == "1"
    if kind is int:
        require(re.fullmatch(r"[0-9]{1,10}", text), f"{variable} must be a whole number.")
        return int(text)
    return text if kind is str else [part.strip() for part in text.split(",") if part.strip()]
