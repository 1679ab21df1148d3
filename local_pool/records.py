"""The records of the stored state, which are immutable.

Secrets are stored as SHA-256 digests, which is enough for long random values. Passwords are hashed.
"""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any


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
class Passkey:
    """A passkey of a user; its key is the credential ID.

    ``data`` are the attested credential data of WebAuthn in hex.
    """

    sub: str
    data: str
    name: str
    created: float
    attachment: str = "platform"
    transports: tuple[str, ...] = ()


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
class UpstreamSignIn:
    """A sign-in that an upstream provider has to answer."""

    provider: str
    query: dict[str, str]  # of the authorize request
    nonce: str
    expires_at: float


@dataclass(frozen=True)
class CimdPolicy:
    """Which URLs of client-ID metadata documents stand for an app client."""

    policy_id: str
    client_id: str
    name: str
    patterns: tuple[str, ...]
    cache_seconds: int
    created: float
    modified: float


@dataclass(frozen=True)
class MetadataDocument:
    """A fetched client-ID metadata document."""

    policy_id: str
    metadata: dict[str, Any]
    cached_at: float
    expires_at: float


@dataclass(frozen=True)
class ImportJob:
    """A job that imports users, perhaps with password hashes, from a CSV file."""

    name: str
    role_arn: str
    algorithm: str
    created: float
    status: str = "Created"
    csv: str = ""
    started: float | None = None
    completed: float | None = None
    imported: int = 0
    skipped: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Mail:
    to: str
    subject: str
    body: str
    at: float
    code: str = ""
