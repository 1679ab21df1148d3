"""The stored state of the pool: its records by key, written as JSON."""

import json
from dataclasses import dataclass, field
from typing import Any, get_args, get_type_hints

from .declarations import Client, Group, OidcProvider, ResourceServer
from .records import (
    AuthorizationCode,
    AuthSession,
    BrowserSession,
    Challenge,
    CimdPolicy,
    ClientSecret,
    ImportJob,
    Mail,
    MetadataDocument,
    Passkey,
    PoolUser,
    RefreshToken,
    SignIn,
    TrackedSession,
    UpstreamSignIn,
)


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
    passkeys: dict[str, Passkey] = field(default_factory=dict)  # by credential ID
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
    oidc_providers: dict[str, OidcProvider] = field(default_factory=dict)
    upstream_sign_ins: dict[str, UpstreamSignIn] = field(default_factory=dict)  # by digest of state
    cimd_policies: dict[str, CimdPolicy] = field(default_factory=dict)  # by ID
    metadata_documents: dict[str, MetadataDocument] = field(default_factory=dict)  # by URL
    import_jobs: dict[str, ImportJob] = field(default_factory=dict)  # by ID
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
        expiring = (
            *(self.sessions, self.codes, self.sign_ins, self.challenges, self.auth_sessions),
            self.upstream_sign_ins,
        )
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
