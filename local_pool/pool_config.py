"""The settings of a pool, and the URLs that derive from them."""

from dataclasses import dataclass, fields
from typing import Any

from .declarations import Client, OidcProvider, Seed

UPDATED_BASE = (
    "issuer-cognito-idp"  # where AWS has the host issuer-cognito-idp.REGION.amazonaws.com
)
TABLES = ("people", "resource_servers", "sso_minutes", "oidc_providers", "clients")


@dataclass(frozen=True)
class PoolConfig:
    """The settings of pool.toml, followed by its tables."""

    port: int
    id: str
    tls: bool
    domain_host: str
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
    auth_session_seconds: int
    rotate_refresh_tokens: bool
    refresh_grace_seconds: int
    session_tracking: bool
    max_sessions_per_user: int
    location: str
    identity_providers: tuple[str, ...]
    metadata_hosts: tuple[str, ...]
    prevent_user_existence_errors: bool
    acr_values: tuple[str, ...]
    explicit_auth_flows: tuple[str, ...]
    first_auth_factors: tuple[str, ...]
    passkey_verification: str
    mfa: str
    username_attributes: tuple[str, ...]
    password_min_length: int
    password_characters: tuple[str, ...]
    custom_attributes: tuple[str, ...]
    client_registration: str
    pre_token_trigger: str
    groups: tuple[str, ...]
    people: tuple[Seed, ...]
    resource_servers: dict[str, tuple[str, ...]]
    sso_minutes: dict[str, int]
    oidc_providers: dict[str, OidcProvider]
    clients: dict[str, Client]

    @property
    def email_is_username(self) -> bool:
        """True if users have no name of their own; their stored username is then the ``sub``."""
        return "email" in self.username_attributes

    @property
    def region(self) -> str:
        return self.id.partition("_")[0]

    @property
    def domain(self) -> str:
        """The base URL of the hosted UI and the OAuth endpoints."""
        return self._base(self.domain_host)

    @property
    def api_url(self) -> str:
        """The base URL of the API and of the issuers."""
        return self._base("localhost")

    def _base(self, host: str) -> str:
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

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
        original, updated, replica = (f"{self.api_url}/{base}{self.id}" for base in bases)
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
            "COGNITO_ISSUER": ",".join(dict.fromkeys((self.issuer, *self.issuers))),
            "COGNITO_PUBLIC_CLIENT_ID": self.public_client_id,
            "COGNITO_ACCEPTED_CLIENTS": self.machine_client_id,
        }


SETTINGS: dict[str, Any] = {f.name: f.type for f in fields(PoolConfig) if f.name not in TABLES}
