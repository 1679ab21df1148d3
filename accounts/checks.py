"""System checks: everything about the configuration that can be wrong without a network.

`accounts.E001` a value for the pool or app client is missing or malformed.
`accounts.E002` the keys that encrypt tokens are malformed.
`accounts.E003` a trusted pool, or the rights that groups give, is malformed.
"""

from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.checks import register as register_check

from .cognito.errors import ConfigurationError
from .provider import read_cipher, read_config, read_group_mappings

_HINT = "Set it in the environment or in .env; .env.example explains each variable."


def register() -> None:
    """Register all checks under the tag that decides whether a server may start."""
    register_check(check_pool, "configuration")
    register_check(check_encryption_keys, "configuration")
    register_check(check_groups, "configuration")


def check_pool(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        read_config()
    except ConfigurationError as error:
        return _messages(error, "accounts.E001")
    return []


def check_encryption_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        read_cipher()
    except ConfigurationError as error:
        return _messages(error, "accounts.E002")
    return []


def check_groups(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if check_pool(app_configs):
        return []  # without a pool there is no issuer to give rights by; E001 says so
    try:
        read_group_mappings()
    except ConfigurationError as error:
        return _messages(error, "accounts.E003")
    return []


def _messages(error: ConfigurationError, check_id: str) -> list[CheckMessage]:
    return [
        Error(f"{name} {problem}.", hint=_HINT, id=check_id)
        for name, problem in error.problems.items()
    ]
