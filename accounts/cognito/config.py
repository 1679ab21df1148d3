"""The configuration of a user pool and an app client, checked once and then frozen.

Everything else is derived from it: the issuer and the key set are on the pool's API host, and the
endpoints are on the hosted UI's domain
(https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html). The caller
passes the values. Problems are reported under the names of the environment variables.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from .errors import ConfigurationError
from .safe_urls import is_loopback, url_problem

DEFAULT_SCOPES = ("openid", "email", "profile")

# Patterns of the service model (botocore, cognito-idp 2016-04-18); \w there is ASCII.
_POOL_ID = re.compile(r"(?P<region>[A-Za-z0-9_-]{1,53})_[0-9A-Za-z]+")
_CLIENT_ID = re.compile(r"[A-Za-z0-9_+]{1,128}")
_PREFIX = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_SECRET = re.compile(r"[\x21-\x7e]+")  # the characters that a header can transport unchanged
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 section 3.3
_INVALID_SCOPE = "contains a value that is not a scope"


@dataclass(frozen=True, kw_only=True)
class TrustedPool:
    """A further user pool whose tokens are accepted. Users cannot sign in through it.

    ``scopes`` are the scopes of its tokens that count on this site.

    Raises:
        ConfigurationError: names every wrong value, under COGNITO_TRUSTED_POOLS.
    """

    pool_id: str
    accepted_clients: tuple[str, ...]
    region: str = ""
    issuer: str = ""
    jwks_url: str = ""
    scopes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        problems = _complete_pool(self)
        if not self.accepted_clients:
            problems["COGNITO_ACCEPTED_CLIENTS"] = "does not name an app client"
        if not are_scopes(self.scopes):
            problems["COGNITO_SCOPES"] = _INVALID_SCOPE
        if problems:
            # All values are members of one variable, so the sentence names the wrong members.
            members = (
                f"{name.removeprefix('COGNITO_').removeprefix('CLIENT_').lower()} {problem}"
                for name, problem in problems.items()
            )
            sentence = f"(pool {self.pool_id!r}): {', '.join(members)}"
            raise ConfigurationError({"COGNITO_TRUSTED_POOLS": sentence})
        _set(self, accepted_clients=_unique(*self.accepted_clients))


@dataclass(frozen=True, kw_only=True)
class CognitoConfig:
    """The user pool and the app client through which users sign in.

    ``domain`` is the domain in the AWS console: a prefix, a host, or an https URL (http on this
    machine). An empty ``region`` is read from the pool ID. ``issuer`` and ``jwks_url`` are derived
    if they are empty; set them only for a local or custom endpoint. ``accepted_clients`` are
    further app clients whose access tokens are accepted; ``client_id`` is added to them.
    ``public_client`` is True if the app client has no secret.

    Raises:
        ConfigurationError: names every wrong value, each under its environment variable.
    """

    pool_id: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    domain: str
    region: str = ""
    issuer: str = ""
    jwks_url: str = ""
    accepted_clients: tuple[str, ...] = ()
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    public_client: bool = False

    def __post_init__(self) -> None:
        problems = {
            **_complete_pool(self),
            **_client_id_problem(self.client_id),
            **_secret_problem(self.client_secret, public=self.public_client),
            **_scopes_problem(self.scopes),
            **_domain_problem(self.domain, _domain_url(self.domain, self.region)),
        }
        _set(
            self,
            domain=_domain_url(self.domain, self.region),
            accepted_clients=_unique(self.client_id, *self.accepted_clients),
        )
        if problems:
            raise ConfigurationError(problems)

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


def _set(config: TrustedPool | CognitoConfig, **values: object) -> None:
    for name, value in values.items():
        object.__setattr__(config, name, value)  # a frozen dataclass has no other way to set it


def _unique(*names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _complete_pool(config: TrustedPool | CognitoConfig) -> dict[str, str]:
    """Set the values that derive from the pool ID, and return the problems by variable."""
    problems: dict[str, str] = {}
    match = _POOL_ID.fullmatch(config.pool_id)
    if not match:
        problems["COGNITO_POOL_ID"] = _missing_or_malformed(
            config.pool_id, "the ID of the user pool, such as us-east-1_AbCdEfGhI"
        )
    region = match["region"] if match else ""
    if match and config.region not in {"", region}:
        problems["COGNITO_CLIENT_REGION"] = f"differs from the region of the pool ID, {region}"
    issuer = config.issuer or f"https://cognito-idp.{region}.amazonaws.com/{config.pool_id}"
    jwks_url = config.jwks_url or f"{issuer}/.well-known/jwks.json"
    if config.issuer and (problem := url_problem(issuer)):
        problems["COGNITO_ISSUER"] = problem
    elif config.issuer.endswith("/"):
        problems["COGNITO_ISSUER"] = "must not end with a slash: tokens have the issuer without it"
    if config.jwks_url and (problem := url_problem(jwks_url)):
        problems["COGNITO_JWKS_URL"] = problem
    if not all(map(_is_client_id, config.accepted_clients)):
        problems["COGNITO_ACCEPTED_CLIENTS"] = (
            "contains a value that is not an app client ID (see also COGNITO_PUBLIC_CLIENT_ID)"
        )
    _set(config, region=region, issuer=issuer, jwks_url=jwks_url)
    return problems


def _is_client_id(client_id: str) -> bool:
    """Return True for the ID of an app client, or the URL of a client ID metadata document."""
    is_url = client_id.startswith("https://") and url_problem(client_id) is None
    return is_url or bool(_CLIENT_ID.fullmatch(client_id))


def _client_id_problem(client_id: str) -> dict[str, str]:
    if _CLIENT_ID.fullmatch(client_id):
        return {}
    return {"COGNITO_CLIENT_ID": _missing_or_malformed(client_id, "the app client's ID")}


def _secret_problem(client_secret: str, *, public: bool) -> dict[str, str]:
    if public and client_secret:
        problem = "is set, but the app client is declared as public"
    elif not public and not client_secret:
        problem = "is missing: the app client's secret"
    elif client_secret and not _SECRET.fullmatch(client_secret):
        problem = "contains spaces or characters that a client secret cannot have"
    else:
        return {}
    return {"COGNITO_CLIENT_SECRET": problem}


def are_scopes(scopes: Sequence[str]) -> bool:
    """Return True if each of these is a scope (RFC 6749 section 3.3)."""
    return all(_SCOPE.fullmatch(scope) for scope in scopes)


def _scopes_problem(scopes: tuple[str, ...]) -> dict[str, str]:
    if not are_scopes(scopes):
        problem = _INVALID_SCOPE
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
    return domain.rstrip("/")


def _domain_problem(domain: str, url: str) -> dict[str, str]:
    problem = url_problem(url)
    if not domain:
        problem = "is missing: the hosted UI's domain, as a prefix, a host or an https URL"
    elif not problem and not ("." in url or "://" in domain or is_loopback(url)):
        # A prefix with capital letters would count as a host name, which does not exist.
        problem = "is not a prefix (lowercase letters, digits and hyphens), a host or a URL"
    return {"COGNITO_CLIENT_DOMAIN": problem} if problem else {}


def _missing_or_malformed(value: str, description: str) -> str:
    return f"is not {description}" if value else f"is missing: {description}"
