"""What we must know of a user pool and an app client, checked once and then frozen.

Everything else is derived: issuer and key set live on the pool's API host, the endpoints on the
hosted UI's domain (https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html).
Values come from the caller; problems are reported under the environment names that people set.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .errors import ConfigurationError
from .safe_urls import address_problem, is_loopback

DEFAULT_SCOPES = ("openid", "email", "profile")

# Patterns of the service model (botocore, cognito-idp 2016-04-18); \w there is ASCII.
_POOL_ID = re.compile(r"(?P<region>[A-Za-z0-9_-]{1,53})_[0-9A-Za-z]+")
_CLIENT_ID = re.compile(r"[A-Za-z0-9_+]{1,128}")
_PREFIX = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_SECRET = re.compile(r"[\x21-\x7e]+")  # compared as sent, so only what survives a header
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 section 3.3
_NOT_A_SCOPE = "holds something that is not a scope"


@dataclass(frozen=True, kw_only=True)
class TrustedPool:
    """A further user pool whose tokens are accepted: enough to verify, not to sign anybody in.

    ``scopes`` are the scopes that count here in its tokens.

    Raises:
        ConfigurationError: every wrong value at once, under COGNITO_TRUSTED_POOLS.
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
            problems["COGNITO_ACCEPTED_CLIENTS"] = "names no app client"
        if not _are_scopes(self.scopes):
            problems["COGNITO_SCOPES"] = _NOT_A_SCOPE
        if problems:
            # All of it comes from one variable: say which member is wrong in the sentence.
            members = (
                f"{name.removeprefix('COGNITO_').removeprefix('CLIENT_').lower()} {problem}"
                for name, problem in problems.items()
            )
            sentence = f"(pool {self.pool_id!r}): {', '.join(members)}"
            raise ConfigurationError({"COGNITO_TRUSTED_POOLS": sentence})
        _set(self, accepted_clients=_each_once(*self.accepted_clients))


@dataclass(frozen=True, kw_only=True)
class CognitoConfig:
    """The pool and the app client that people sign in through.

    ``domain`` is what the console calls the domain: a prefix, a host, or an https URL (http on this
    machine). ``region`` is read from the pool id when empty; ``issuer`` and ``jwks_url`` are
    derived, and given only for a local or custom endpoint. ``accepted_clients`` are further app
    clients whose access tokens we accept; ``client_id`` is always among them afterwards.
    ``public_client`` says that the app client has no secret.

    Raises:
        ConfigurationError: every wrong value at once, under its environment name.
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
            **_domain_problem(self.domain, _domain_address(self.domain, self.region)),
        }
        _set(
            self,
            domain=_domain_address(self.domain, self.region),
            accepted_clients=_each_once(self.client_id, *self.accepted_clients),
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
        object.__setattr__(config, name, value)  # frozen from here on, not while it is being built


def _each_once(*names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _complete_pool(config: TrustedPool | CognitoConfig) -> dict[str, str]:
    """Fill in what derives from the pool id; return the problems found."""
    problems: dict[str, str] = {}
    matched = _POOL_ID.fullmatch(config.pool_id)
    if not matched:
        problems["COGNITO_POOL_ID"] = _missing_or_malformed(
            config.pool_id, "the id of the user pool, such as us-east-1_AbCdEfGhI"
        )
    region = matched["region"] if matched else ""
    if matched and config.region not in {"", region}:
        problems["COGNITO_CLIENT_REGION"] = f"does not agree with the pool id, which says {region}"
    issuer = config.issuer or f"https://cognito-idp.{region}.amazonaws.com/{config.pool_id}"
    jwks_url = config.jwks_url or f"{issuer}/.well-known/jwks.json"
    if config.issuer and (problem := address_problem(issuer)):
        problems["COGNITO_ISSUER"] = problem
    elif config.issuer.endswith("/"):
        problems["COGNITO_ISSUER"] = "must not end with a slash: tokens name the issuer without one"
    if config.jwks_url and (problem := address_problem(jwks_url)):
        problems["COGNITO_JWKS_URL"] = problem
    if not all(_CLIENT_ID.fullmatch(client) for client in config.accepted_clients):
        problems["COGNITO_ACCEPTED_CLIENTS"] = (
            "holds something that is not an app client id (COGNITO_PUBLIC_CLIENT_ID is one of them)"
        )
    _set(config, region=region, issuer=issuer, jwks_url=jwks_url)
    return problems


def _client_id_problem(client_id: str) -> dict[str, str]:
    if _CLIENT_ID.fullmatch(client_id):
        return {}
    return {"COGNITO_CLIENT_ID": _missing_or_malformed(client_id, "the app client's id")}


def _secret_problem(client_secret: str, *, public: bool) -> dict[str, str]:
    if public and client_secret:
        problem = "is set for an app client that is said to be public"
    elif not public and not client_secret:
        problem = "is missing: the app client's secret"
    elif client_secret and not _SECRET.fullmatch(client_secret):
        problem = "holds spaces or characters that no client secret has"
    else:
        return {}
    return {"COGNITO_CLIENT_SECRET": problem}


def _are_scopes(scopes: tuple[str, ...]) -> bool:
    return all(_SCOPE.fullmatch(scope) for scope in scopes)


def _scopes_problem(scopes: tuple[str, ...]) -> dict[str, str]:
    if not _are_scopes(scopes):
        problem = _NOT_A_SCOPE
    elif "openid" not in scopes:
        problem = "must hold openid: without it there is no ID token"
    elif "offline_access" in scopes:
        problem = (
            "must not hold offline_access: Cognito refuses it, and sends refresh tokens anyway"
        )
    else:
        return {}
    return {"COGNITO_SCOPES": problem}


def _domain_address(domain: str, region: str) -> str:
    if _PREFIX.fullmatch(domain):
        return f"https://{domain}.auth.{region}.amazoncognito.com"
    if domain and "://" not in domain:
        domain = f"https://{domain}"
    return domain.rstrip("/")


def _domain_problem(domain: str, address: str) -> dict[str, str]:
    problem = address_problem(address)
    if not domain:
        problem = "is missing: the hosted UI's domain, a prefix, a host or an https address"
    elif not problem and not ("." in address or "://" in domain or is_loopback(address)):
        # A prefix in capitals would pass for the name of a host, which nobody ever answers.
        problem = "is no prefix (small letters, digits and hyphens), no host and no address"
    return {"COGNITO_CLIENT_DOMAIN": problem} if problem else {}


def _missing_or_malformed(value: str, what: str) -> str:
    return f"is not {what}" if value else f"is missing: {what}"
