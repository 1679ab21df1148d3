"""What pool.toml or a test declares: app clients, users, groups and resource servers."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

STANDARD_SCOPES = ("openid", "email", "phone", "profile", "aws.cognito.signin.user.admin")
AUTH_FLOWS = (
    "ALLOW_USER_PASSWORD_AUTH",
    "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "ALLOW_USER_SRP_AUTH",
    "ALLOW_USER_AUTH",
    "ALLOW_REFRESH_TOKEN_AUTH",
)
CUSTOM_AUTH = "ALLOW_CUSTOM_AUTH"  # a client may have it, although there are no custom challenges
EXCHANGE_FLOWS = ("ALLOW_TOKEN_EXCHANGE_IMPERSONATION", "ALLOW_TOKEN_EXCHANGE_DELEGATION")
SOCIAL = ("Facebook", "Google", "LoginWithAmazon", "SignInWithApple")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def split_url(text: str) -> SplitResult:
    """Return the parts of a URL, which are all empty if it is malformed, as ``https://[`` is."""
    try:
        return urlsplit(text)
    except ValueError:
        return SplitResult("", "", "", "", "")


@dataclass(frozen=True)
class Client:
    """An app client. With ``secret`` None it is public, and PKCE is its only protection."""

    client_id: str
    secret: str | None = None
    flows: tuple[str, ...] = ("code",)
    scopes: tuple[str, ...] = STANDARD_SCOPES
    callback_urls: tuple[str, ...] = ()
    logout_urls: tuple[str, ...] = ()
    name: str = ""
    auth_flows: tuple[str, ...] = AUTH_FLOWS  # ExplicitAuthFlows
    settings: dict[str, Any] = field(default_factory=dict)  # of this client alone (PoolConfig)
    created: float = 0
    modified: float = 0
    kind: str = "REGULAR"  # or DCR, for a client that registered itself
    providers: tuple[str, ...] | None = None  # of the hosted UI; None stands for all
    default_redirect_uri: str = ""
    read_attributes: tuple[str, ...] = ()  # if empty, all
    write_attributes: tuple[str, ...] = ()
    sent: dict[str, Any] = field(default_factory=dict)  # what the API has set, as it was sent

    def can_read(self, name: str) -> bool:
        return not self.read_attributes or name in self.read_attributes

    def can_write(self, name: str) -> bool:
        return not self.write_attributes or name in self.write_attributes


@dataclass(frozen=True)
class Group:
    """A group of users. Its members are stored with the users."""

    name: str
    description: str = ""
    role_arn: str = ""
    precedence: int | None = None
    created: float = 0
    modified: float = 0


@dataclass(frozen=True)
class ResourceServer:
    """An API whose scopes are ``identifier/scope``; ``scopes`` are their descriptions by name."""

    identifier: str
    name: str
    scopes: dict[str, str]


@dataclass(frozen=True)
class OidcProvider:
    """An upstream OpenID Connect provider. ``mapping`` is from attribute to claim."""

    name: str
    issuer: str
    client_id: str
    client_secret: str = ""
    scopes: str = "openid email profile"
    mapping: dict[str, str] = field(default_factory=lambda: {"email": "email", "name": "name"})
    identifiers: tuple[str, ...] = ()  # values of idp_identifier
    created: float = 0
    modified: float = 0


@dataclass(frozen=True)
class Seed:
    """A declared user. With ``temporary``, the first sign-in requires a new password.

    With ``provider``, the user signs in at that identity provider: ``Google_117`` is its user 117.
    """

    username: str
    password: str = "Cognito-demo-1"  # noqa: S105 (the published demo password)
    email: str = ""
    name: str = ""
    groups: tuple[str, ...] = ()
    email_verified: bool = True
    temporary: bool = False
    provider: str = ""
    attributes: dict[str, str] = field(default_factory=dict)

    def all_attributes(self) -> dict[str, str]:
        default = self.username if "@" in self.username else f"{self.username}@example.com"
        basic = {"email": self.email or default, "name": self.name}
        verified = {"email_verified": "true" if self.email_verified else "false"}
        identities = {"identities": json.dumps([self._identity()])} if self.provider else {}
        all_of_them = basic | verified | identities | self.attributes
        return {k: v for k, v in all_of_them.items() if v}

    def _identity(self) -> dict[str, Any]:
        subject = self.username.removeprefix(f"{self.provider}_")
        return identity(self.provider, subject, created=0, is_primary=True)


def identity(provider: str, subject: str, *, created: float, is_primary: bool) -> dict[str, Any]:
    """Return an entry of the attribute ``identities``."""
    return {
        "dateCreated": str(int(created * 1000)),
        "userId": subject,
        "providerName": provider,
        "providerType": provider_type(provider),
        "issuer": None,
        "primary": "true" if is_primary else "false",
    }


def provider_type(name: str) -> str:
    return name if name in SOCIAL else "OIDC"
