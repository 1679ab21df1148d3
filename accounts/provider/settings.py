"""The only reader of `settings.COGNITO`.

These functions return validated values, or raise ConfigurationError for missing and wrong ones. Its
problems have the names of this project's environment variables.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings

from ..cognito.client_secret import ClientSecret
from ..cognito.config import DEFAULT_SCOPES, CognitoConfig
from ..cognito.errors import CognitoUnavailable, ConfigurationError
from ..cognito.group_mapping import NO_GROUPS, GroupMapping, parse_rules
from ..cognito.jwks import parse_key_set
from ..cognito.pool import Pool
from ..cognito.safe_urls import normalize_origin, url_problem
from ..cognito.token_checks import UNBOUND_ONLY, AccessRules
from ..core.app_label import registered_path
from ..core.encryption import Cipher
from .access_rules import parse_access_rules
from .client_rights import ClientRights, parse_client_rights
from .limits import LIMITS_BY_VARIABLE, Limits, parse_limits
from .secret_source import open_client_secret
from .sign_in_options import SignInOptions, parse_sign_in_options
from .trusted_pools import parse_trusted_pool

SIGN_OUT_SECONDS = 2.0  # the timeout of each call to Cognito during a sign-out
CHECK_TAG = "configuration"  # system checks that decide whether a server may start
SETTING_HINT = "Set variables in the environment or in .env; .env.example explains each one."


def _is_string(value: Any) -> bool:
    return isinstance(value, str)


def _is_list_of_strings(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)


def _is_string_or_list(value: Any) -> bool:
    return _is_string(value) or _is_list_of_strings(value)


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)


class _Type(NamedTuple):
    """The default of a member, and the rule that its value must satisfy."""

    default: Any
    accepts: Callable[[Any], bool]
    rule: str


_TEXT = _Type("", _is_string, "must be a string")
_LIST = _Type((), _is_list_of_strings, "must be a list of strings")
_OBJECT = _Type({}, _is_object, "must be a dictionary with strings as keys")
_ON = _Type(True, lambda value: isinstance(value, bool), "must be True or False")

_MEMBERS = {
    "POOL_ID": _TEXT,
    "CLIENT_ID": _TEXT,
    "CLIENT_SECRET": _TEXT,
    "CLIENT_DOMAIN": _TEXT,
    "CLIENT_REGION": _TEXT,
    "ISSUER": _Type("", _is_string_or_list, "must be a list of strings, or a string with commas"),
    "JWKS_URL": _TEXT,
    "REPLICA_REGIONS": _LIST,
    "JWKS_SNAPSHOT": _Type("", lambda value: isinstance(value, str | PathLike), "must be a path"),
    "FROZEN_BETWEEN_REQUESTS": _ON._replace(default=False),
    "SCOPES": _LIST,
    "ACCEPTED_CLIENTS": _LIST,
    "PUBLIC_CLIENT_ID": _TEXT,
    "CLIENT_RIGHTS": _OBJECT,
    "RESOURCES": _LIST,
    "UNLISTED_CLIENT_SCOPES": _LIST,
    "ACTORS": _LIST,
    "IDENTITY_PROVIDERS": _LIST,
    "ACR_VALUES": _LIST,
    "ADMIN_STEP_UP": _OBJECT,
    "TRUSTED_POOLS": _OBJECT,
    "SPA_REDIRECT_URIS": _LIST,
    "CREATE_PEOPLE": _ON,
    "SHOW_TRIGGER_MESSAGES": _ON._replace(default=False),
    "GROUPS": _OBJECT,
    "GROUPS_ABSENT_MEANS_NONE": _ON,
    "LIMITS": _OBJECT,
    "SHARED_CACHE": _TEXT,
    "PUBLIC_URL": _Type(
        None,
        _is_string,
        "must be the URL of this site as a string, such as https://app.example.com",
    ),
    "TOKEN_ENCRYPTION_KEYS": _LIST,
}
_WITHOUT_PREFIX = {"PUBLIC_URL", "TOKEN_ENCRYPTION_KEYS"}


def _read(*names: str) -> dict[str, Any]:
    """Return these members, with defaults. Raises ConfigurationError that names every wrong one.

    None counts as missing, because `os.environ.get()` returns it.
    """
    values = getattr(settings, "COGNITO", None)
    if not isinstance(values, Mapping):
        raise ConfigurationError({"COGNITO": "is missing: it must be a dictionary in the settings"})
    members: dict[str, Any] = {}
    problems = {f"COGNITO[{name!r}]": _unknown(name) for name in values if name not in _MEMBERS}
    for name in names:
        default, accepts, rule = _MEMBERS[name]
        members[name] = default if values.get(name) is None else values[name]
        if not accepts(members[name]):
            problems[name if name in _WITHOUT_PREFIX else f"COGNITO_{name}"] = rule
    if "PUBLIC_URL" in names and "PUBLIC_URL" not in problems:
        members["PUBLIC_URL"] = normalize_origin(members["PUBLIC_URL"])
        if problem := url_problem(members["PUBLIC_URL"]):
            problems["PUBLIC_URL"] = problem
    if problems:
        raise ConfigurationError(problems)
    return members


def setting_name(variable: str) -> str:
    """Return how the settings of this site spell a value: by its variable, or as a member."""
    if getattr(settings, "COGNITO_FROM_ENVIRONMENT", False):
        return variable
    name, _, rest = variable.partition(" ")
    member = name if name in _WITHOUT_PREFIX else name.removeprefix("COGNITO_")
    if member in _MEMBERS:
        name = f'COGNITO["{member}"]'
    elif name in LIMITS_BY_VARIABLE:
        name = f'COGNITO["LIMITS"]["{LIMITS_BY_VARIABLE[name]}"]'
    return f"{name} {rest}".rstrip()


def setting_hint() -> str:
    """Return where the values of this site are to be set."""
    is_ours = getattr(settings, "COGNITO_FROM_ENVIRONMENT", False)
    return SETTING_HINT if is_ours else "Correct COGNITO in the settings of your project."


def _unknown(name: object) -> str:
    similar = difflib.get_close_matches(str(name).upper(), _MEMBERS, 1)
    return f"is not a setting; did you mean {similar[0]}?" if similar else "is not a setting"


def read_config() -> CognitoConfig:
    """Return the pool's configuration. Raises ConfigurationError that names every wrong value."""
    values = _read(
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
    entries = _read("TRUSTED_POOLS")["TRUSTED_POOLS"]
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
    return SiteOptions(*_read(*names, *switches).values())


def read_limits() -> Limits:
    """Return the limits. Raises ConfigurationError."""
    return parse_limits(_read("LIMITS")["LIMITS"])


def read_client_rights() -> dict[str, ClientRights]:
    """Return COGNITO_CLIENT_RIGHTS. Raises ConfigurationError."""
    values = _read("CLIENT_RIGHTS", "CLIENT_ID")
    try:
        return parse_client_rights(values["CLIENT_RIGHTS"], own_client=values["CLIENT_ID"])
    except ValueError as error:
        raise ConfigurationError({"COGNITO_CLIENT_RIGHTS": str(error)}) from error


def read_access_rules() -> AccessRules:
    """Return the rules of COGNITO_RESOURCES and its neighbors. Raises ConfigurationError."""
    values = _read("RESOURCES", "UNLISTED_CLIENT_SCOPES", "ACTORS", "PUBLIC_URL")
    return parse_access_rules(
        resources=(values["PUBLIC_URL"], *values["RESOURCES"]),
        unlisted_scopes=values["UNLISTED_CLIENT_SCOPES"],
        actors=values["ACTORS"],
    )


def read_groups() -> GroupMapping:
    """Return COGNITO_GROUPS, the mapping of our own pool. Raises ConfigurationError."""
    values = _read("GROUPS", "GROUPS_ABSENT_MEANS_NONE")
    try:
        return GroupMapping(parse_rules(values["GROUPS"]), values["GROUPS_ABSENT_MEANS_NONE"])
    except ValueError as error:
        raise ConfigurationError({"COGNITO_GROUPS": str(error)}) from error


def read_sign_in_options() -> SignInOptions:
    """Return COGNITO_IDENTITY_PROVIDERS and its neighbors. Raises ConfigurationError."""
    values = _read("IDENTITY_PROVIDERS", "ACR_VALUES", "ADMIN_STEP_UP")
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
    values = _read("SPA_REDIRECT_URIS", "PUBLIC_URL")
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
    keys = _read("TOKEN_ENCRYPTION_KEYS")["TOKEN_ENCRYPTION_KEYS"]
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
    path = _read("JWKS_SNAPSHOT")["JWKS_SNAPSHOT"]
    if not path:
        return None
    try:
        document = Path(path).read_bytes()
        parse_key_set(document)
    except (OSError, ValueError, CognitoUnavailable) as error:
        problem = f"({path}) is not a file with the pool's key set, a copy of its jwks.json"
        raise ConfigurationError({"COGNITO_JWKS_SNAPSHOT": problem}) from error
    return document
