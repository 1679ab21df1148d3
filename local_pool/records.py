"""What the pool remembers, as immutable records: to change one is to replace it.

A record is therefore written as JSON once in its life (``line``), and saving thousands of them is
joining strings. Secrets are kept as SHA-256 digests (they are random and long), passwords hashed.
"""

import hashlib
import json
from dataclasses import dataclass, field, fields
from functools import cached_property
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, ClassVar


def digest(secret: str) -> str:
    """SHA-256 in hex: what is stored of codes, refresh tokens and session cookies."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True)
class Record:
    @cached_property
    def line(self) -> str:
        return json.dumps({f.name: getattr(self, f.name) for f in fields(self)}, ensure_ascii=False)


@dataclass(frozen=True)
class Person(Record):
    username: str
    sub: str
    password: str
    attributes: dict[str, str]
    created: float
    modified: float
    groups: tuple[str, ...] = ()
    status: str = "CONFIRMED"  # or UNCONFIRMED, FORCE_CHANGE_PASSWORD, RESET_REQUIRED
    enabled: bool = True

    @property
    def verified_email(self) -> str | None:
        """In lower case: it works in place of the username."""
        verified = self.attributes.get("email_verified") == "true"
        return self.attributes.get("email", "").lower() if verified else None


@dataclass(frozen=True)
class BrowserSession(Record):
    """The ``cognito`` cookie: shared by all app clients, an hour from the password, not sliding."""

    username: str
    sub: str
    auth_time: float
    expires_at: float


@dataclass(frozen=True)
class AuthorizationCode(Record):
    username: str
    sub: str
    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    auth_time: float
    expires_at: float
    reference: str
    nonce: str = ""
    challenge: str = ""
    resource: str = ""
    used: bool = False  # kept until it expires, to tell a second try from a forged code


@dataclass(frozen=True)
class SignIn(Record):
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
class RefreshToken(Record):
    origin_jti: str
    superseded_at: float | None = None


@dataclass(frozen=True)
class Challenge(Record):
    """A six-digit code sent by mail, or a pending new password; its key is purpose:username."""

    username: str
    code: str
    expires_at: float
    tries_left: int = 5


@dataclass(frozen=True)
class Mail(Record):
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

    TYPES: ClassVar[dict[str, type[Record]]] = {
        "people": Person,
        "sessions": BrowserSession,
        "codes": AuthorizationCode,
        "sign_ins": SignIn,
        "refresh_tokens": RefreshToken,
        "challenges": Challenge,
        "mails": Mail,
    }

    def to_json(self) -> str:
        """One record a line, so that a person can read the file and a diff shows what changed."""
        tables = []
        for f in fields(self):
            rows = [
                f"  {quoted(key)}: {quoted(row) if isinstance(row, str) else row.line}"
                for key, row in getattr(self, f.name).items()
            ]
            tables.append(f' "{f.name}": {{\n' + ",\n".join(rows) + "\n }")
        return "{\n" + ",\n".join(tables) + "\n}\n"

    @classmethod
    def from_json(cls, text: str) -> "State":
        tables: dict[str, dict[str, Any]] = json.loads(text)
        state = cls(seeded=tables.get("seeded", {}))
        for name, kind in cls.TYPES.items():
            rows = {key: kind(**_tuples(row)) for key, row in tables.get(name, {}).items()}
            setattr(state, name, rows)
        return state

    def prune(self, now: float) -> None:
        """Forget what can no longer be used; a forgotten sign-in counts as revoked."""
        for table in (self.sessions, self.codes, self.sign_ins, self.challenges):
            for key in [key for key, row in table.items() if row.expires_at <= now]:
                del table[key]
        gone = [k for k, row in self.refresh_tokens.items() if row.origin_jti not in self.sign_ins]
        for key in gone:
            del self.refresh_tokens[key]
        for key in list(self.mails)[:-100]:
            del self.mails[key]


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in row.items()}
