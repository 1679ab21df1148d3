"""What the pool remembers, as immutable records: to change one is to replace it.

Secrets are kept as SHA-256 digests (they are random and long), passwords hashed.
"""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, get_args, get_type_hints


def digest(secret: str) -> str:
    """SHA-256 in hex: what is stored of codes, refresh tokens and session cookies."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True)
class Person:
    username: str
    sub: str
    password: str
    attributes: dict[str, str]
    created: float
    modified: float
    groups: tuple[str, ...] = ()
    status: str = "CONFIRMED"  # or UNCONFIRMED, FORCE_CHANGE_PASSWORD
    enabled: bool = True

    @property
    def verified_email(self) -> str | None:
        """In lower case: it works in place of the username."""
        verified = self.attributes.get("email_verified") == "true"
        return self.attributes.get("email", "").lower() if verified else None


@dataclass(frozen=True)
class BrowserSession:
    """The ``cognito`` cookie: shared by all app clients, an hour from the password, not sliding."""

    username: str
    sub: str
    auth_time: float
    expires_at: float


@dataclass(frozen=True)
class SignIn:
    """One sign-in of one person at one client; every token carries its ``origin_jti``."""

    origin_jti: str
    username: str
    sub: str
    client_id: str
    scopes: tuple[str, ...]
    auth_time: float
    expires_at: float  # fixed when it begins: no refresh and no rotation moves it
    reference: str
    event_id: str
    resource: str = ""
    revoked_at: float | None = None


@dataclass(frozen=True)
class AuthorizationCode:
    origin_jti: str
    redirect_uri: str
    expires_at: float
    nonce: str = ""
    challenge: str = ""
    used: bool = False  # kept until it expires, to tell a second try from a forged code


@dataclass(frozen=True)
class RefreshToken:
    origin_jti: str
    superseded_at: float | None = None


@dataclass(frozen=True)
class ClientSecret:
    """A secret that an app client was given besides the one of pool.toml."""

    client_id: str
    digest: str
    created: float


@dataclass(frozen=True)
class Challenge:
    """A six-digit code sent by mail, or a pending new password; its key is purpose:username."""

    code: str
    expires_at: float
    tries_left: int = 5


@dataclass(frozen=True)
class Mail:
    to: str
    subject: str
    body: str
    at: float
    code: str = ""


@dataclass
class State:
    """Tables by key. Only ``Pool.change`` may alter them."""

    people: dict[str, Person] = field(default_factory=dict)  # by lower-case username
    seeded: dict[str, str] = field(default_factory=dict)  # username -> digest of its definition
    sessions: dict[str, BrowserSession] = field(default_factory=dict)  # by digest of the cookie
    codes: dict[str, AuthorizationCode] = field(default_factory=dict)  # by digest
    sign_ins: dict[str, SignIn] = field(default_factory=dict)  # by origin_jti
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict)  # by digest
    challenges: dict[str, Challenge] = field(default_factory=dict)
    mails: dict[str, Mail] = field(default_factory=dict)
    client_secrets: dict[str, ClientSecret] = field(default_factory=dict)  # by id
    deleted_secrets: dict[str, str] = field(default_factory=dict)  # client id -> pool.toml's digest

    def to_json(self) -> str:
        """A member a line, so that a person can read the file and a diff shows what changed."""
        return json.dumps(vars(self), default=vars, ensure_ascii=False, separators=(",\n", ": "))

    @classmethod
    def from_json(cls, text: str) -> "State":
        tables: dict[str, dict[str, Any]] = json.loads(text)
        for name, hint in get_type_hints(cls).items():
            kind = get_args(hint)[1]
            if name.endswith("_secrets"):
                tables.setdefault(name, {})  # no table of the first versions
            if kind is not str:
                tables[name] = {key: kind(**_tuples(row)) for key, row in tables[name].items()}
        return cls(**tables)

    def prune(self, now: float) -> None:
        """Forget what can no longer be used; a forgotten sign-in counts as revoked."""
        for table in (self.sessions, self.codes, self.sign_ins, self.challenges):
            for key in [key for key, row in table.items() if row.expires_at <= now]:
                del table[key]
        for key in [k for k, t in self.refresh_tokens.items() if t.origin_jti not in self.sign_ins]:
            del self.refresh_tokens[key]
        for key in list(self.mails)[:-100]:
            del self.mails[key]


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in row.items()}
