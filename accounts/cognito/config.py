"""The configuration of a user pool and an app client, checked once and then frozen.

Everything else is derived from it: the issuers and key sets are on the pool's API host, and the
endpoints are on the hosted UI's domain
(https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html). The caller
passes the values. Problems are reported under the names of the environment variables.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .errors import ConfigurationError
from .group_mapping import NO_GROUPS, GroupMapping
from .pool import (
    INVALID_SCOPE,
    Pool,
    are_scopes,
    is_client_id,
    missing_or_malformed,
    set_frozen,
)
from .safe_urls import is_loopback, normalize_origin, url_problem
from .token_checks import UNBOUND_ONLY, AccessRules

DEFAULT_SCOPES = ("openid", "email", "profile")

_PREFIX = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_SECRET = re.compile(r"[\x21-\x7e]+")  # the characters that a header can transport unchanged


@dataclass(frozen=True, kw_only=True)
class CognitoConfig:
    """The user pool and the app client through which users sign in.

    ``domain`` is the domain in the AWS console: a prefix, a host, or an https URL (http on this
    machine). ``region``, ``custom_issuers``, ``jwks_url``, ``replica_regions``, ``rules`` and
    ``groups`` are those of `Pool`. ``accepted_clients`` are further app clients whose access tokens
    are accepted; ``client_id`` is added to them. ``public_client`` is True if the app client has no
    secret.
    ``client_secret`` is the secret, or the file or ARN that has it: `ClientSecret` has the value.

    Raises:
        ConfigurationError: names every wrong value, each under its environment variable.
    """

    pool_id: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    domain: str
    region: str = ""
    custom_issuers: tuple[str, ...] = ()
    jwks_url: str = ""
    replica_regions: tuple[str, ...] = ()
    accepted_clients: tuple[str, ...] = ()
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    rules: AccessRules = UNBOUND_ONLY
    groups: GroupMapping = field(default=NO_GROUPS, hash=False)
    public_client: bool = False
    pool: Pool = field(init=False)

    def __post_init__(self) -> None:
        problems = {
            **self._add_pool(),
            **_client_id_problem(self.client_id),
            **_secret_problem(self.client_secret, public=self.public_client),
            **_scopes_problem(self.scopes),
            **_domain_problem(self.domain, _domain_url(self.domain, self.region)),
        }
        set_frozen(self, domain=_domain_url(self.domain, self.region))
        if problems:
            raise ConfigurationError(problems)

    def _add_pool(self) -> dict[str, str]:
        """Set `pool` and the values that derive from it, and return the problems by variable."""
        own_client = [self.client_id] if is_client_id(self.client_id) else []
        try:
            pool = Pool(
                pool_id=self.pool_id,
                client_ids=(*own_client, *self.accepted_clients),
                region=self.region,
                custom_issuers=self.custom_issuers,
                jwks_url=self.jwks_url,
                replica_regions=self.replica_regions,
                rules=self.rules,
                groups=self.groups,
            )
        except ConfigurationError as error:
            return error.problems
        set_frozen(
            self,
            pool=pool,
            region=pool.region,
            accepted_clients=pool.client_ids,
        )
        return {}

    @property
    def issuer(self) -> str:
        """The preferred issuer of the pool."""
        return self.pool.issuer

    @property
    def key_set_url(self) -> str:
        """The URL of the key set of the preferred issuer."""
        return self.pool.key_set_urls[self.issuer]

    @property
    def api_url(self) -> str:
        """The URL of the cognito-idp API: in AWS that of the Region, else the issuer's origin."""
        parts = urlsplit(self.pool.original_issuer)
        return f"{parts.scheme}://{parts.netloc}/"

    @property
    def authorize_endpoint(self) -> str:
        return f"{self.domain}/oauth2/authorize"

    @property
    def signup_endpoint(self) -> str:
        return f"{self.domain}/signup"

    @property
    def token_endpoint(self) -> str:
        return f"{self.domain}/oauth2/token"

    @property
    def revoke_endpoint(self) -> str:
        return f"{self.domain}/oauth2/revoke"

    @property
    def userinfo_endpoint(self) -> str:
        return f"{self.domain}/oauth2/userInfo"

    @property
    def logout_endpoint(self) -> str:
        return f"{self.domain}/logout"


def _client_id_problem(client_id: str) -> dict[str, str]:
    if not client_id.startswith("https:") and is_client_id(client_id):
        return {}
    return {"COGNITO_CLIENT_ID": missing_or_malformed(client_id, "the app client's ID")}


def _secret_problem(client_secret: str, *, public: bool) -> dict[str, str]:
    if public and client_secret:
        problem = "is set, but the app client is declared as public"
    elif not public and not client_secret:
        problem = "is missing: the app client's secret"
    elif client_secret.startswith("{"):
        return {}  # the JSON object of Secrets Manager, which secret_source reads
    elif client_secret and not _SECRET.fullmatch(client_secret):
        problem = "contains spaces or characters that a client secret cannot have"
    else:
        return {}
    return {"COGNITO_CLIENT_SECRET": problem}


def _scopes_problem(scopes: tuple[str, ...]) -> dict[str, str]:
    if not are_scopes(scopes):
        problem = INVALID_SCOPE
    elif "openid" not in scopes:
        problem = "must contain openid: without it, Cognito issues no ID token"
    elif "offline_access" in scopes:
        problem = (
            "must not contain offline_access: Cognito refuses it, and issues refresh tokens anyway"
        )
    else:
        return {}
    return {"COGNITO_SCOPES": problem}


def _domain_url(domain: str, region: str) -> str:
    if _PREFIX.fullmatch(domain):
        return f"https://{domain}.auth.{region}.amazoncognito.com"
    if domain and "://" not in domain:
        domain = f"https://{domain}"
    return normalize_origin(domain)


def _domain_problem(domain: str, url: str) -> dict[str, str]:
    problem = url_problem(url)
    if not domain:
        problem = "is missing: the hosted UI's domain, as a prefix, a host or an https URL"
    elif not problem and not ("." in url or "://" in domain or is_loopback(url)):
        # A prefix with capital letters would count as a host name, which does not exist.
        problem = "is not a prefix (lowercase letters, digits and hyphens), a host or a URL"
    elif not problem and urlsplit(url).path:
        problem = "must have no path: the endpoints are derived from the domain"
    return {"COGNITO_CLIENT_DOMAIN": problem} if problem else {}
