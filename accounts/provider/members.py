"""The members of the setting COGNITO: their names and types, and how messages spell them.

Nothing else reads the setting. Problems have the names of this project's environment variables.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from os import PathLike
from typing import Any, NamedTuple

from django.conf import settings

from ..cognito.errors import ConfigurationError
from ..cognito.safe_urls import normalize_origin, url_problem
from .limits import LIMITS_BY_VARIABLE

CHECK_TAG = "configuration"  # system checks that decide whether a server may start
SETTING_HINT = "Set variables in the environment or in .env; .env.example explains each one."


def _is_string(value: Any) -> bool:
    return issubclass(type(value), str)  # a lazy object passes for the class of its value


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

MEMBERS = {
    "POOL_ID": _TEXT,
    "CLIENT_ID": _TEXT,
    "CLIENT_SECRET": _TEXT,
    "CLIENT_DOMAIN": _TEXT,
    "CLIENT_REGION": _TEXT,
    "ISSUER": _Type("", _is_string_or_list, "must be a list of strings, or a string with commas"),
    "JWKS_URL": _TEXT,
    "REPLICA_REGIONS": _LIST,
    "JWKS_SNAPSHOT": _Type(
        "", lambda value: issubclass(type(value), str | PathLike), "must be a path"
    ),
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
WITHOUT_PREFIX = {"PUBLIC_URL", "TOKEN_ENCRYPTION_KEYS"}


def read_members(*names: str) -> dict[str, Any]:
    """Return these members, with defaults. Raises ConfigurationError that names every wrong one.

    None counts as missing, because `os.environ.get()` returns it.
    """
    values = getattr(settings, "COGNITO", None)
    if not isinstance(values, Mapping):
        raise ConfigurationError({"COGNITO": "is missing: it must be a dictionary in the settings"})
    members: dict[str, Any] = {}
    problems = {f"COGNITO[{name!r}]": _unknown(name) for name in values if name not in MEMBERS}
    for name in names:
        default, accepts, rule = MEMBERS[name]
        members[name] = default if values.get(name) is None else values[name]
        if not accepts(members[name]):
            problems[name if name in WITHOUT_PREFIX else f"COGNITO_{name}"] = rule
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
    member = name if name in WITHOUT_PREFIX else name.removeprefix("COGNITO_")
    if member in MEMBERS:
        name = f'COGNITO["{member}"]'
    elif name in LIMITS_BY_VARIABLE:
        name = f'COGNITO["LIMITS"]["{LIMITS_BY_VARIABLE[name]}"]'
    return f"{name} {rest}".rstrip()


def setting_hint() -> str:
    """Return where the values of this site are to be set."""
    is_ours = getattr(settings, "COGNITO_FROM_ENVIRONMENT", False)
    return SETTING_HINT if is_ours else "Correct COGNITO in the settings of your project."


def _unknown(name: object) -> str:
    similar = difflib.get_close_matches(str(name).upper(), MEMBERS, 1)
    return f"is not a setting; did you mean {similar[0]}?" if similar else "is not a setting"
