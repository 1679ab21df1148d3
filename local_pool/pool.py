"""The user pool itself: its state behind one lock, its clock, its keys. No framework.

The verbs live beside it, as functions that take a pool: people.py (accounts and sessions),
verification.py (codes by mail), authorization.py (what an app may ask for), grants.py (tokens).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Event, Lock

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from .config import PoolConfig
from .declarations import Seed
from .errors import ConfigError
from .faults import Faults, tamper
from .journal import Journal
from .keys import KeyRing, SigningKey
from .records import BrowserSession, Person, SignIn, State
from .store import Store
from .tokens import Claims, sign


class Clock:
    """Calling it gives seconds since the epoch. ``offset`` above 0 runs ahead, below 0 behind."""

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
        self.failures: dict[str, tuple[int, float]] = {}  # wrong passwords: how many, the last
        self._lock = Lock()
        self._store = store
        self._swept = 0.0
        self.state = self._restored()

    def _restored(self) -> State:
        saved = self._store.read("state.json")
        try:
            return State.from_json(saved) if saved else State()
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"{self._store.folder}/state.json cannot be read, perhaps another version of the"
                " pool wrote it. Start afresh: python -m local_pool reset"
            ) from error

    @contextmanager
    def change(self) -> Iterator[State]:
        """Alter the state: alone, and on disk before this returns. Never within another change."""
        with self._lock:
            yield self.state
            now = self.clock()
            if abs(now - self._swept) > 60:
                self.state.prune(now)
                self._swept = now
            self._store.write("state.json", self.state.to_json())

    def configure(self, **changes: object) -> None:
        """Change settings of the running pool (lifetimes, rotation), until ``heal`` or its end."""
        self.config = replace(self.config, **changes)  # type: ignore[arg-type]

    def changed(self) -> dict[str, object]:
        """Settings that are not as declared now."""
        declared = vars(self.declared)
        return {k: value for k, value in vars(self.config).items() if value != declared[k]}

    def declared_people(self) -> list[Seed]:
        """Those of pool.toml who were not deleted since."""
        return [seed for seed in self.config.people if seed.username.lower() in self.state.people]

    def person_of(self, record: BrowserSession | SignIn | None) -> Person | None:
        """The enabled person a session or sign-in belongs to; usernames are used again."""
        person = self.state.people.get(record.username.lower()) if record else None
        if record is None or person is None or person.sub != record.sub:
            return None
        return person if person.enabled else None

    def mint(self, claims: Claims) -> str:
        """Sign an access or ID token with its key, or spoil it if a fault asks for that."""
        own, other = self.keys.access, self.keys.id
        kind: str = claims["token_use"]
        if kind == "id":
            own, other = other, own
        fault = self.faults.take(f"{kind}-token")
        if fault is None:
            return sign(claims, own.private, own.kid)
        private = other.private if fault.kind == "wrong-key" else own.private
        kid = SigningKey.foreign_kid() if fault.kind == "unknown-key" else own.kid
        return sign(tamper(fault.kind, claims, self.clock()), private, kid)
