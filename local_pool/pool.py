"""The user pool: its state behind one lock, its clock and its keys, without a web framework.

The operations are functions that take a pool: users.py (accounts and sessions), verification.py
(codes by email), authorization.py (authorize requests), grants.py (tokens).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import cycle
from threading import Event, Lock
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from .declarations import Client, Group, OidcProvider, ResourceServer, Seed
from .errors import ConfigError, UserError
from .faults import Faults, tamper
from .journal import Journal
from .keys import KeyRing, SigningKey
from .pool_config import PoolConfig
from .records import BrowserSession, PoolUser, SignIn
from .state import State
from .store import Store
from .tokens import Claims, sign

T = TypeVar("T")
NO_USER = "User does not exist."
REGISTRATION_SCOPE = "aws.cognito/dcr/register"  # to register clients


class Clock:
    """A clock that returns seconds since the epoch. A positive ``offset`` runs ahead."""

    def __init__(self, base: Callable[[], float] = time.time) -> None:
        self._base = base
        self.offset = 0.0

    def __call__(self) -> float:
        return self._base() + self.offset

    def advance(self, seconds: float) -> None:
        self.offset += seconds


class Pool:
    def __init__(
        self,
        config: PoolConfig,
        store: Store,
        *,
        clock: Clock | None = None,
        faults: Faults | None = None,
        journal: Journal | None = None,
        generate_key: Callable[[int], RSAPrivateKey] | None = None,
    ) -> None:
        self.config = self.declared = config
        self.clock = clock or Clock()
        self.faults = faults or Faults()
        self.journal = journal or Journal()
        self.stopping = Event()
        self.keys = KeyRing(store, generate_key)
        self.provider_errors: list[str] = []  # for the next sign-ins at an identity provider
        self.failures: dict[
            str, tuple[int, float]
        ] = {}  # by username: number and time of wrong passwords
        self._issuer_types = cycle(("original", "updated"))
        self._lock = Lock()
        self._store = store
        self._swept = 0.0
        self.state = self._load_state()

    @property
    def clients(self) -> dict[str, Client]:
        return self._merge("clients", self.config.clients)

    @property
    def groups(self) -> dict[str, Group]:
        return self._merge("groups", {name: Group(name) for name in self.config.groups})

    @property
    def resource_servers(self) -> dict[str, ResourceServer]:
        servers = self.config.resource_servers.items()
        return self._merge(
            "resource_servers",
            {key: ResourceServer(key, key, dict.fromkeys(names, "")) for key, names in servers},
        )

    @property
    def oidc_providers(self) -> dict[str, OidcProvider]:
        return self._merge("oidc_providers", self.config.oidc_providers)

    @property
    def provider_names(self) -> tuple[str, ...]:
        return (*self.config.identity_providers, *self.oidc_providers)

    def groups_of(self, user: PoolUser) -> list[Group]:
        groups = self.groups
        return [groups[name] for name in user.groups if name in groups]

    def providers_of(self, client: Client) -> list[str]:
        """Return the identity providers of an app client. COGNITO is the pool itself."""
        existing = ["COGNITO", *self.provider_names]
        return [p for p in existing if client.providers is None or p in client.providers]

    @property
    def custom_scopes(self) -> tuple[str, ...]:
        servers = self.resource_servers.values()
        own = () if self.config.client_registration == "off" else (REGISTRATION_SCOPE,)
        return (*(f"{server.identifier}/{k}" for server in servers for k in server.scopes), *own)

    def _merge(self, table: str, declared: dict[str, T]) -> dict[str, T]:
        """Return what pool.toml declares and what the API has created, changed and not deleted."""
        merged = declared | getattr(self.state, table)
        return {k: v for k, v in merged.items() if f"{table}/{k}" not in self.state.deleted}

    def put(self, table: str, key: str, record: object) -> None:
        """Store a client, a group, a resource server or a provider."""
        with self.change() as state:
            getattr(state, table)[key] = record
            state.deleted.pop(f"{table}/{key}", None)

    def remove(self, table: str, key: str) -> None:
        with self.change() as state:
            getattr(state, table).pop(key, None)
            state.deleted[f"{table}/{key}"] = ""

    def config_for(self, client: Client) -> PoolConfig:
        """Return the settings that apply to this app client."""
        return replace(self.config, **client.settings) if client.settings else self.config

    def _load_state(self) -> State:
        saved = self._store.read("state.json")
        try:
            return State.from_json(saved) if saved else State()
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"{self._store.folder}/state.json cannot be read. Another version of the pool may"
                f" have written it. Reset the pool with: python -m {__package__} reset"
            ) from error

    @contextmanager
    def change(self) -> Iterator[State]:
        """Change the state under the lock, and write it to disk at the end. Do not nest."""
        with self._lock:
            yield self.state
            now = self.clock()
            if abs(now - self._swept) > 60:
                self.state.prune(now)
                self._swept = now
            self._store.write("state.json", self.state.to_json())

    def next_tokens_config(self, client: Client) -> PoolConfig:
        """Return the settings for the next tokens, with one of the two types of the issuer."""
        config = self.config_for(client)
        if config.issuer_type != "both":
            return config
        return replace(config, issuer_type=next(self._issuer_types))

    def require_primary(self) -> None:
        """Raise UserError while the replica responds: it refuses to write users and settings.

        https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-multi-region.html
        """
        if self.config.failover:
            message = "This operation is not enabled in a secondary Region."
            raise UserError("OperationNotEnabledException", message)

    def configure(self, **changes: object) -> None:
        """Change settings of the running pool (lifetimes, rotation) until ``heal`` or a restart."""
        self.config = replace(self.config, **changes)  # type: ignore[arg-type]

    def changed(self) -> dict[str, object]:
        """Return the settings that differ from their declaration."""
        declared = vars(self.declared)
        return {k: value for k, value in vars(self.config).items() if value != declared[k]}

    def declared_people(self) -> list[Seed]:
        """Return the declared users that have not been deleted."""
        users = list(self.state.people.values())
        names = {user.username for user in users} | {user.attributes.get("email") for user in users}
        return [seed for seed in self.config.people if seed.username in names]

    def find_owner(self, record: BrowserSession | SignIn | None) -> PoolUser | None:
        """Return the enabled user of a session or sign-in, or None. A username can be reused."""
        user = self.state.people.get(record.username.lower()) if record else None
        if record is None or user is None or self.is_orphan(record):
            return None
        return user if user.enabled else None

    def is_orphan(self, record: BrowserSession | SignIn) -> bool:
        """Return True if the user of a session or sign-in was deleted."""
        user = self.state.people.get(record.username.lower())
        return user is None or user.sub != record.sub

    def mint(self, claims: Claims) -> str:
        """Sign an access or ID token with its key, or return a bad token if there is a fault."""
        right, wrong = self.keys.access, self.keys.id
        kind: str = claims["token_use"]
        if kind == "id":
            right, wrong = wrong, right
        fault = self.faults.take(f"{kind}-token")
        if fault is None:
            return sign(claims, right.private, right.kid)
        private = wrong.private if fault.kind == "wrong-key" else right.private
        kid = SigningKey.unknown_kid() if fault.kind == "unknown-key" else right.kid
        return sign(tamper(fault.kind, claims, self.clock()), private, kid)
