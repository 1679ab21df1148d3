"""What `manage.py check --deploy` says of this site besides Django's own checks.

`sso_project.E002` TRUSTED_PROXIES or TRUSTED_CALLERS holds something that is no network.
`sso_project.W001` HTTPS ends at a proxy that is not trusted, so every page redirects to itself.
`sso_project.W002` every host name is answered.
`sso_project.W003` SQLite is for one machine.
`sso_project.W004` static files were not collected, so every page would be a 500.
`sso_project.W005` a value is the example's, which everybody knows.
`sso_project.W006` everybody is a trusted proxy or caller.
`sso_project.W007` the Python has known faults that a request can trigger.
"""

from __future__ import annotations

import os
import sys
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004

from accounts.cognito.errors import ConfigurationError
from accounts.core.encryption import Cipher, Unreadable
from accounts.provider.settings import CHECK_TAG, read_cipher

_EXAMPLES = {
    "SECRET_KEY": "change-me-to-50-random-characters-and-keep-them-secret",
    "TOKEN_ENCRYPTION_KEYS": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
}
_NETWORKS = ("TRUSTED_PROXIES", "TRUSTED_CALLERS")
# The first releases that parse Content-Type in linear time (CPython gh-136063); later series start
# with it.
MIN_PYTHON = {(3, 11): 15, (3, 12): 13, (3, 13): 10, (3, 14): 1}


@register(CHECK_TAG)
def check_networks(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return [
        Error(
            f"{name} holds {value!r}, which is neither an address nor a network.",
            hint="List addresses like 10.0.0.10 or networks like 10.0.0.0/24, with commas between.",
            id="sso_project.E002",
        )
        for name in _NETWORKS
        for value in getattr(settings, name)
        if not _is_network(value)
    ]


def _is_network(value: str) -> bool:
    try:
        ip_network(value, strict=False)
    except ValueError:
        return False
    return True


def _everybody(value: str) -> bool:
    return _is_network(value) and ip_network(value, strict=False).prefixlen == 0


@register(Tags.security, deploy=True)
def check_proxy(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    # On Lambda there is no proxy: lambda_request.py says what CloudFront or AWS tells.
    on_lambda = "AWS_LAMBDA_FUNCTION_NAME" in os.environ
    if settings.HTTPS and not settings.TRUSTED_PROXIES and not on_lambda:
        found.append(
            Warning(
                "PUBLIC_URL is https, and no proxy is trusted: a proxy that ends HTTPS cannot say "
                "so, and every page would redirect to itself.",
                hint="Set TRUSTED_PROXIES to the addresses of the proxy.",
                id="sso_project.W001",
            )
        )
    if "*" in settings.ALLOWED_HOSTS:
        found.append(
            Warning(
                "ALLOWED_HOSTS holds *: any Host header is believed.",
                hint="Leave it out: the host of PUBLIC_URL is answered then.",
                id="sso_project.W002",
            )
        )
    found += [
        Warning(
            f"{name} holds {value}: everybody. Then anybody says who they are.",
            hint="List the proxy's own addresses.",
            id="sso_project.W006",
        )
        for name in _NETWORKS
        for value in getattr(settings, name)
        if _everybody(value)
    ]
    return found


@register(Tags.security, deploy=True)
def check_python(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    major, minor, patch = sys.version_info[:3]
    least = MIN_PYTHON.get((major, minor), 0)
    if patch >= least:
        return []
    return [
        Warning(
            f"Python {major}.{minor}.{patch} has known faults: a long Content-Type costs it a "
            "second of processor time.",
            hint=f"Install Python {major}.{minor}.{least} or later. Dockerfile has it.",
            id="sso_project.W007",
        )
    ]


@register(Tags.database, deploy=True)
def check_database(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if "sqlite" not in settings.DATABASES["default"]["ENGINE"]:
        return []
    return [
        Warning(
            "The database is a SQLite file: it cannot be shared by several machines, and one "
            "writer waits for another.",
            hint="Set DATABASE_URL to a PostgreSQL database, unless one machine is all there is.",
            id="sso_project.W003",
        )
    ]


@register(Tags.staticfiles, deploy=True)
def check_static_files(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG or (Path(settings.STATIC_ROOT) / "staticfiles.json").is_file():
        return []
    return [
        Warning(
            f"Static files were not collected into {settings.STATIC_ROOT}: every page needs their "
            "hashed names.",
            hint="Run manage.py collectstatic on each machine, or in the image as Dockerfile does.",
            id="sso_project.W004",
        )
    ]


@register(Tags.security, deploy=True)
def check_examples(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    known = {
        "SECRET_KEY": _EXAMPLES["SECRET_KEY"] == settings.SECRET_KEY,
        "TOKEN_ENCRYPTION_KEYS": _decrypts(_EXAMPLES["TOKEN_ENCRYPTION_KEYS"]),
    }
    return [
        Warning(
            f"{name} is the value of .env.example, which everybody knows.",
            hint="Make one of your own; README.md says how.",
            id="sso_project.W005",
        )
        for name in _EXAMPLES
        if known[name]
    ]


def _decrypts(key: str) -> bool:
    """Whether this site believes what was encrypted with `key`."""
    try:
        read_cipher().open(Cipher([key]).seal({}))
    except (ConfigurationError, Unreadable):
        return False
    return True
