"""The stored state of the pool, as immutable records.

Secrets are stored as SHA-256 digests, which is enough for long random values. Passwords are hashed.
"""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, get_args, get_type_hints

from .declarations import Client, Group, ResourceServer


def digest(secret: str) -> str:
    """Return the SHA-256 in hex that is stored for a code, refresh token, secret or cookie."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True)
class PoolUser:
    username: str
    sub: str
    password: str
    attributes: dict[str, str]
    created: float
    modified: float
    groups: tuple[str, ...] = ()
    status: str = "CONFIRMED"  # a UserStatus of the API
    enabled: bool = True
    srp: str = ""  # salt and private key of SRP, see srp.py
    totp: str = ""  # the secret of an authenticator app
    totp_step: int = 0  # the time step of the last code, which cannot be used twice
    mfa: tuple[str, ...] = ()  # UserMFASettingList
    preferred_mfa: str = ""

    @property
    def identities(self) -> list[dict[str, Any]]:
        """The identities at identity providers, as in the ID token."""
        try:
            entries = json.loads(self.attributes.get("identities", "[]"))
        except ValueError:  # an administrator can write any text
            return []
        is_list = isinstance(entries, list) and all(isinstance(e, dict) for e in entries)
        return entries if is_list else []

    @property
    def verified_email(self) -> str | None:
        """The email address in lower case, which works as a username, or None if not verified."""
        verified = self.attributes.get("email_verified") == "true"
        return self.attributes.get("email", "").lower() if verified else None


@dataclass(frozen=True)
class BrowserSession:
    """The session of the ``cognito`` cookie, shared by all app clients. Use does not extend it."""

    username: str
    sub: str
    auth_time: float
    expires_at: float
    amr: tuple[str, ...] = ("pwd",)  # the methods of authentication (RFC 8176)
    session_id: str = ""  # of its tracked session


@dataclass(frozen=True)
class SignIn:
    """One sign-in of one user at one client; every token contains its ``origin_jti``."""

    origin_jti: str
    username: str
    sub: str
    client_id: str
    scopes: tuple[str, ...]
    auth_time: float
    expires_at: float  # a refresh or a rotation does not extend it
    reference: str
    event_id: str
    resource: str = ""
    amr: tuple[str, ...] = ("pwd",)
    sso_session_id: str = ""  # the tracked session of the browser
    by_api: bool = False  # signed in with InitiateAuth, without the hosted UI
    revoked_at: float | None = None


@dataclass(frozen=True)
class TrackedSession:
    """What the sessions API knows about a browser session or a sign-in, whose key is ``key``."""

    key: str
    sub: str
    client_id: str
    created: float
    last_active: float
    device: str
    ip_address: str
    origin: str = ""  # of a sign-in: the ID of its browser session


@dataclass(frozen=True)
class AuthorizationCode:
    origin_jti: str
    redirect_uri: str
    expires_at: float
    nonce: str = ""
    challenge: str = ""
    used: bool = False  # stored until it expires, to distinguish reuse from a forged code


@dataclass(frozen=True)
class RefreshToken:
    origin_jti: str
    superseded_at: float | None = None


@dataclass(frozen=True)
class ClientSecret:
    """A secret of an app client in addition to the one in pool.toml.

    ``value`` is readable, because it is the key of SECRET_HASH. ``is_shown`` is True if
    Secrets Manager returns it. ``expires_at`` None means never.
    """

    client_id: str
    digest: str
    created: float
    value: str = ""
    expires_at: float | None = None
    is_shown: bool = False


@dataclass(frozen=True)
class Challenge:
    """A six-digit code sent by email, or a pending new password; its key is purpose:username."""

    code: str
    expires_at: float
    tries_left: int = 5


@dataclass(frozen=True)
class AuthSession:
    """A sign-in through the API between two steps; its key is the digest of ``Session``."""

    challenge: str
    username: str
    sub: str  # "" for a user who does not exist
    client_id: str
    expires_at: float
    amr: tuple[str, ...] = ()
    data: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Mail:
    to: str
    subject: str
    body: str
    at: float
    code: str = ""


@dataclass
class State:
    """All records by key. Change them only inside ``Pool.change``."""

    people: dict[str, PoolUser] = field(default_factory=dict)  # by lower-case username
    seeded: dict[str, str] = field(default_factory=dict)  # username -> digest of its definition
    sessions: dict[str, BrowserSession] = field(default_factory=dict)  # by digest of the cookie
    codes: dict[str, AuthorizationCode] = field(default_factory=dict)  # by digest
    sign_ins: dict[str, SignIn] = field(default_factory=dict)  # by origin_jti
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict)  # by digest
    challenges: dict[str, Challenge] = field(default_factory=dict)
    auth_sessions: dict[str, AuthSession] = field(default_factory=dict)
    mails: dict[str, Mail] = field(default_factory=dict)
    tracked_sessions: dict[str, TrackedSession] = field(default_factory=dict)  # by session ID
    client_secrets: dict[str, ClientSecret] = field(default_factory=dict)  # by id
    deleted_secrets: dict[str, str] = field(default_factory=dict)  # client id -> pool.toml's digest
    published_secrets: dict[str, str] = field(
        default_factory=dict
    )  # client id -> ID of the version

    clients: dict[str, Client] = field(default_factory=dict)  # created or changed by the API
    groups: dict[str, Group] = field(default_factory=dict)
    resource_servers: dict[str, ResourceServer] = field(default_factory=dict)
    domains: dict[str, str] = field(default_factory=dict)  # name -> ""
    deleted: dict[str, str] = field(default_factory=dict)  # "table/key" of declared records -> ""

    def to_json(self) -> str:
        """Return JSON with one member per line, so that the file is readable."""
        return json.dumps(vars(self), default=vars, ensure_ascii=False, separators=(",\n", ": "))

    @classmethod
    def from_json(cls, text: str) -> "State":
        tables: dict[str, dict[str, Any]] = json.loads(text)
        for name, hint in get_type_hints(cls).items():
            kind = get_args(hint)[1]
            tables.setdefault(name, {})  # files of older versions do not have each table
            if kind is not str:
                tables[name] = {key: kind(**_tuples(data)) for key, data in tables[name].items()}
        return cls(**tables)

    def prune(self, now: float) -> None:
        """Delete expired records; a deleted sign-in counts as revoked."""
        expiring = (self.sessions, self.codes, self.sign_ins, self.challenges, self.auth_sessions)
        for table in expiring:
            for key in [key for key, record in table.items() if record.expires_at <= now]:
                del table[key]
        for key in [k for k, t in self.refresh_tokens.items() if t.origin_jti not in self.sign_ins]:
            del self.refresh_tokens[key]
        live = self.sessions.keys() | self.sign_ins.keys()
        for key in [key for key, t in self.tracked_sessions.items() if t.key not in live]:
            del self.tracked_sessions[key]
        for key in list(self.mails)[:-100]:
            del self.mails[key]


def _tuples(data: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in data.items()}
