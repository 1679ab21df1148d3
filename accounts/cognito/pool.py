"""A user pool: its ID, its issuers with their key sets, and what its tokens can do here.

Cognito has two types of issuers for one pool, original and updated. A pool can change its type
while users are signed in, and keeps its ID, its keys and the subjects of its users. A replica of
the pool in another Region may issue tokens under the name of that Region
(https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urlsplit

from .errors import ConfigurationError
from .group_mapping import NO_GROUPS, GroupMapping
from .safe_urls import url_problem
from .token_checks import UNBOUND_ONLY, AccessRules

# Patterns of the service model (botocore, cognito-idp 2016-04-18); \w there is ASCII.
_POOL_ID = re.compile(r"(?P<region>[A-Za-z0-9_-]{1,53})_[0-9A-Za-z]+")
_REGION = re.compile(r"[a-z]{2,}(-[a-z0-9]+)+")
_CLIENT_ID = re.compile(r"[A-Za-z0-9_+]{1,128}")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 section 3.3
_HOSTS = ("cognito-idp", "issuer-cognito-idp")  # the original issuer and the updated one
# The partitions of AWS with another domain (botocore, partitions.json), by the start of a Region.
_DOMAINS = {"cn-": "amazonaws.com.cn", "eusc-": "amazonaws.eu"}
INVALID_SCOPE = "contains a value that is not a scope"


@dataclass(frozen=True, kw_only=True)
class Pool:
    """One user pool.

    A token is of this pool only if its issuer is one of ``issuers``. An empty ``custom_issuers``
    means the issuers of AWS: both types, in the pool's Region and in ``replica_regions``. If one of
    these is given, it becomes the first, which messages and metadata name. Any other value is a
    local or custom endpoint, and then AWS's issuers are not accepted: the pool ID of an emulator
    may be that of a stranger's pool at AWS. For the same reason, ``jwks_url`` replaces the key sets
    of all issuers. An empty ``region`` is read from the pool ID.

    ``client_ids`` are the accepted app clients, and ``rules`` decide about tokens beyond them.
    ``groups`` are the rights that its groups give here. ``scopes`` are the scopes that count here,
    or None if all do, as in our own pool.

    Raises:
        ConfigurationError: names every wrong value, each under its environment variable.
    """

    pool_id: str
    client_ids: tuple[str, ...]
    region: str = ""
    custom_issuers: tuple[str, ...] = ()
    jwks_url: str = ""
    replica_regions: tuple[str, ...] = ()
    rules: AccessRules = UNBOUND_ONLY
    groups: GroupMapping = field(default=NO_GROUPS, hash=False)
    scopes: tuple[str, ...] | None = None
    key_set_urls: Mapping[str, str] = field(init=False, repr=False, hash=False)  # by issuer

    def __post_init__(self) -> None:
        match = _POOL_ID.fullmatch(self.pool_id)
        region = match["region"] if match else ""
        problems = _problems(self, region)
        if problems:
            raise ConfigurationError(problems)
        issuers = _issuers(self.pool_id, (region, *self.replica_regions), self.custom_issuers)
        urls = {issuer: self.jwks_url or f"{issuer}/.well-known/jwks.json" for issuer in issuers}
        set_frozen(
            self,
            region=region,
            client_ids=tuple(dict.fromkeys(self.client_ids)),
            key_set_urls=MappingProxyType(urls),
        )

    @property
    def issuers(self) -> tuple[str, ...]:
        """All issuers of this pool. The first is the preferred one."""
        return tuple(self.key_set_urls)

    @property
    def issuer(self) -> str:
        """The preferred issuer, for messages, metadata and discovery."""
        return self.issuers[0]

    @property
    def original_issuer(self) -> str:
        """AWS's original issuer, whichever of AWS's issuers is preferred, or a custom issuer."""
        known = aws_issuers(self.pool_id, (self.region, *self.replica_regions))
        return known[0] if self.issuer in known else self.issuer


def set_frozen(instance: object, **values: object) -> None:
    for name, value in values.items():
        object.__setattr__(instance, name, value)  # a frozen dataclass has no other way to set it


def aws_issuers(pool_id: str, regions: Sequence[str]) -> tuple[str, ...]:
    """Return the issuers that AWS gives this pool in these Regions."""
    return tuple(
        f"https://{host}.{region}.{_domain(region)}/{pool_id}"
        for region in dict.fromkeys(regions)
        for host in _HOSTS
    )


def _domain(region: str) -> str:
    """Return the domain of the partition of AWS to which the Region belongs."""
    return next((_DOMAINS[name] for name in _DOMAINS if region.startswith(name)), "amazonaws.com")


def region_of_issuer(issuer: str, pool_id: str) -> str:
    """Return the Region if this is an issuer of the pool at AWS, in any Region, or else ""."""
    match = re.match(r"https://[^./]+\.([a-z0-9-]+)\.", issuer)
    return match[1] if match and issuer in aws_issuers(pool_id, [match[1]]) else ""


def _is_at_aws(issuer: str) -> bool:
    name, _, rest = (urlsplit(issuer).hostname or "").partition(".")
    return name in _HOSTS and ".amazonaws." in rest


def _issuers(pool_id: str, regions: Sequence[str], custom: Sequence[str]) -> tuple[str, ...]:
    known = aws_issuers(pool_id, regions)
    if not set(custom) <= set(known):
        return tuple(dict.fromkeys(custom))
    return tuple(dict.fromkeys((*custom, *known)))


def are_scopes(scopes: Sequence[str]) -> bool:
    """Return True if each value is a scope of RFC 6749 section 3.3."""
    return all(_SCOPE.fullmatch(scope) for scope in scopes)


def is_client_id(client_id: str) -> bool:
    """Return True for the ID of an app client, or the URL of a client ID metadata document."""
    is_url = client_id.startswith("https://") and not url_problem(client_id)
    return bool(_CLIENT_ID.fullmatch(client_id)) or is_url


def missing_or_malformed(value: str, description: str) -> str:
    return f"is not {description}" if value else f"is missing: {description}"


def _problems(pool: Pool, region: str) -> dict[str, str]:
    """Return the problems of a pool by environment variable."""
    problems: dict[str, str] = {}
    if not region:
        problems["COGNITO_POOL_ID"] = missing_or_malformed(
            pool.pool_id, "the ID of the user pool, such as us-east-1_AbCdEfGhI"
        )
    elif not _REGION.fullmatch(region) and _REGION.fullmatch(region.lower()):
        problems["COGNITO_POOL_ID"] = f"must have its Region in lowercase letters: {region.lower()}"
    elif pool.region not in {"", region}:
        problems["COGNITO_CLIENT_REGION"] = f"differs from the region of the pool ID, {region}"
    known = aws_issuers(pool.pool_id, (region, *pool.replica_regions))
    for issuer in pool.custom_issuers:
        if problem := url_problem(issuer):
            problems["COGNITO_ISSUER"] = problem
        elif issuer.endswith("/"):
            problems["COGNITO_ISSUER"] = (
                "must not end with a slash: tokens have the issuer without it"
            )
        elif issuer not in known and _is_at_aws(issuer):
            problems["COGNITO_ISSUER"] = (
                "is AWS's issuer of another pool or Region (for a replica, set"
                " COGNITO_REPLICA_REGIONS)"
            )
    if pool.jwks_url and (problem := url_problem(pool.jwks_url)):
        problems["COGNITO_JWKS_URL"] = problem
    if not all(_REGION.fullmatch(name) for name in pool.replica_regions):
        problems["COGNITO_REPLICA_REGIONS"] = "must be Regions of AWS, such as eu-west-1"
    if not all(map(is_client_id, pool.client_ids)):
        problems["COGNITO_ACCEPTED_CLIENTS"] = (
            "contains a value that is not an app client ID (see also COGNITO_PUBLIC_CLIENT_ID)"
        )
    if not are_scopes(pool.scopes or ()):
        problems["COGNITO_SCOPES"] = INVALID_SCOPE
    return problems
