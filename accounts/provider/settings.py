"""The values of the setting COGNITO, validated.

Each function returns the values of some members, or raises ConfigurationError for missing and
wrong ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from ..cognito.client_secret import ClientSecret
from ..cognito.config import DEFAULT_SCOPES, CognitoConfig
from ..cognito.errors import CognitoUnavailable, ConfigurationError
from ..cognito.group_mapping import NO_GROUPS, GroupMapping, parse_rules
from ..cognito.jwks import parse_key_set
from ..cognito.pool import Pool
from ..cognito.safe_urls import url_problem
from ..cognito.token_checks import UNBOUND_ONLY, AccessRules
from ..core.app_label import registered_path
from ..core.encryption import Cipher
from .access_rules import parse_access_rules
from .client_rights import ClientRights, parse_client_rights
from .limits import Limits, parse_limits
from .members import read_members
from .secret_source import open_client_secret
from .sign_in_options import SignInOptions, parse_sign_in_options
from .trusted_pools import parse_trusted_pool

SIGN_OUT_SECONDS = 2.0  # the timeout of each call to Cognito during a sign-out


def read_config() -> CognitoConfig:
    """Return the pool's configuration. Raises ConfigurationError that names every wrong value."""
    values = read_members(
        *("POOL_ID", "CLIENT_ID", "CLIENT_SECRET", "CLIENT_DOMAIN", "CLIENT_REGION", "ISSUER"),
        *("JWKS_URL", "REPLICA_REGIONS", "ACCEPTED_CLIENTS", "PUBLIC_CLIENT_ID", "SCOPES"),
    )
    clients = (*values["ACCEPTED_CLIENTS"], values["PUBLIC_CLIENT_ID"])
    issuers = values["ISSUER"]
    if isinstance(issuers, str):
        issuers = [issuer.strip() for issuer in issuers.split(",")]
    rules, groups, problems = UNBOUND_ONLY, NO_GROUPS, {}
    try:
        rules = read_access_rules()
    except ConfigurationError as error:
        problems = error.problems
    try:
        groups = read_groups()
    except ConfigurationError as error:
        problems |= error.problems
    try:
        config = CognitoConfig(
            pool_id=values["POOL_ID"],
            client_id=values["CLIENT_ID"],
            client_secret=values["CLIENT_SECRET"],
            domain=values["CLIENT_DOMAIN"],
            region=values["CLIENT_REGION"],
            custom_issuers=tuple(filter(None, issuers)),
            jwks_url=values["JWKS_URL"],
            replica_regions=tuple(values["REPLICA_REGIONS"]),
            accepted_clients=tuple(filter(None, clients)),
            scopes=tuple(values["SCOPES"]) or DEFAULT_SCOPES,
            rules=rules,
            groups=groups,
        )
    except ConfigurationError as error:
        raise ConfigurationError(problems | error.problems) from error
    if problems:
        raise ConfigurationError(problems)
    return config


def read_pools() -> dict[str, Pool]:
    """Return the accepted pools by ID, our own first. Raises ConfigurationError."""
    own = read_config().pool
    entries = read_members("TRUSTED_POOLS")["TRUSTED_POOLS"]
    if own.pool_id in entries:
        problem = f"lists {own.pool_id}, which is the pool of COGNITO_POOL_ID"
        raise ConfigurationError({"COGNITO_TRUSTED_POOLS": problem})
    trusted = {name: parse_trusted_pool(name, members, own) for name, members in entries.items()}
    return {own.pool_id: own, **trusted}


def read_client_secret() -> ClientSecret:
    """Return the client secret from COGNITO_CLIENT_SECRET, or from the file or ARN that it names.

    Only this reader may need the network, for the first call. Raises ConfigurationError.
    """
    return open_client_secret(read_config())


class SiteOptions(NamedTuple):
    """The options of this site that do not depend on the pool."""

    public_url: str
    public_client_id: str
    create_users: bool
    shared_cache: str
    frozen_between_requests: bool
    show_trigger_messages: bool


def read_site_options() -> SiteOptions:
    """Return the options of this site. Raises ConfigurationError."""
    names = ("PUBLIC_URL", "PUBLIC_CLIENT_ID", "CREATE_PEOPLE", "SHARED_CACHE")
    switches = ("FROZEN_BETWEEN_REQUESTS", "SHOW_TRIGGER_MESSAGES")
    options = SiteOptions(*read_members(*names, *switches).values())
    if options.shared_cache and options.shared_cache not in settings.CACHES:
        raise ConfigurationError({"COGNITO_SHARED_CACHE": "is not an alias in CACHES"})
    return options


def read_limits() -> Limits:
    """Return the limits. Raises ConfigurationError."""
    return parse_limits(read_members("LIMITS")["LIMITS"])


def read_client_rights() -> dict[str, ClientRights]:
    """Return COGNITO_CLIENT_RIGHTS. Raises ConfigurationError."""
    values = read_members("CLIENT_RIGHTS", "CLIENT_ID")
    try:
        return parse_client_rights(values["CLIENT_RIGHTS"], own_client=values["CLIENT_ID"])
    except ValueError as error:
        raise ConfigurationError({"COGNITO_CLIENT_RIGHTS": str(error)}) from error


def read_access_rules() -> AccessRules:
    """Return the rules of COGNITO_RESOURCES and its neighbors. Raises ConfigurationError."""
    values = read_members("RESOURCES", "UNLISTED_CLIENT_SCOPES", "ACTORS", "PUBLIC_URL")
    return parse_access_rules(
        resources=(values["PUBLIC_URL"], *values["RESOURCES"]),
        unlisted_scopes=values["UNLISTED_CLIENT_SCOPES"],
        actors=values["ACTORS"],
    )


def read_groups() -> GroupMapping:
    """Return COGNITO_GROUPS, the mapping of our own pool. Raises ConfigurationError."""
    values = read_members("GROUPS", "GROUPS_ABSENT_MEANS_NONE")
    try:
        return GroupMapping(parse_rules(values["GROUPS"]), values["GROUPS_ABSENT_MEANS_NONE"])
    except ValueError as error:
        raise ConfigurationError({"COGNITO_GROUPS": str(error)}) from error


def read_sign_in_options() -> SignInOptions:
    """Return COGNITO_IDENTITY_PROVIDERS and its neighbors. Raises ConfigurationError."""
    values = read_members("IDENTITY_PROVIDERS", "ACR_VALUES", "ADMIN_STEP_UP")
    return parse_sign_in_options(
        providers=values["IDENTITY_PROVIDERS"],
        acr_values=values["ACR_VALUES"],
        admin_step_up=values["ADMIN_STEP_UP"],
    )


def read_spa_redirect_uris() -> tuple[str, ...]:
    """Return COGNITO_SPA_REDIRECT_URIS. Raises ConfigurationError.

    The callback URL of this site is refused. Otherwise the API would exchange codes of this site's
    own sign-ins, without checking their state, nonce and verifier.
    """
    values = read_members("SPA_REDIRECT_URIS", "PUBLIC_URL")
    for redirect_uri in values["SPA_REDIRECT_URIS"]:
        callback_url = values["PUBLIC_URL"] + registered_path("callback")
        problem = url_problem(redirect_uri)
        if problem is None and redirect_uri.rstrip("/") == callback_url:
            problem = "is this site's own callback, whose codes the API must not exchange"
        if problem is not None:
            raise ConfigurationError({"COGNITO_SPA_REDIRECT_URIS": f"({redirect_uri}) {problem}"})
    return tuple(values["SPA_REDIRECT_URIS"])


def read_cipher() -> Cipher:
    """Return the cipher with TOKEN_ENCRYPTION_KEYS. Raises ConfigurationError."""
    keys = read_members("TOKEN_ENCRYPTION_KEYS")["TOKEN_ENCRYPTION_KEYS"]
    if not keys:
        raise ConfigurationError({"TOKEN_ENCRYPTION_KEYS": "is missing"})
    try:
        return Cipher(keys)
    except ValueError as error:
        raise ConfigurationError(
            {
                "TOKEN_ENCRYPTION_KEYS": "must be keys of 32 bytes in url-safe base64, as "
                "cryptography.fernet.Fernet.generate_key() makes them, separated by commas"
            }
        ) from error


def read_snapshot() -> bytes | None:
    """Return the key set in the file COGNITO_JWKS_SNAPSHOT, or None if it is not set.

    Raises ConfigurationError.
    """
    path = read_members("JWKS_SNAPSHOT")["JWKS_SNAPSHOT"]
    if not path:
        return None
    try:
        document = Path(path).read_bytes()
        parse_key_set(document)
    except (OSError, ValueError, CognitoUnavailable) as error:
        problem = f"({path}) is not a file with the pool's key set, a copy of its jwks.json"
        raise ConfigurationError({"COGNITO_JWKS_SNAPSHOT": problem}) from error
    return document
