"""System checks for deployment, in addition to Django's own (`manage.py check --deploy`).

`sso_project.E002` an item of TRUSTED_PROXIES or TRUSTED_CALLERS is not an address or `unix`.
`sso_project.W001` HTTPS ends at a proxy that is not trusted, so every page redirects to itself.
`sso_project.W002` every host name is allowed.
`sso_project.W003` the database is SQLite, which several machines cannot share.
`sso_project.W004` static files were not collected, so every page would be a 500.
`sso_project.W005` a secret is the public value of .env.example.
`sso_project.W006` every IP address is a trusted proxy or caller.
`sso_project.W007` this Python version has known faults that a request can trigger.
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
from accounts.core.encryption import Cipher, DecryptionError
from accounts.core.request_meta import UNIX_SOCKET
from accounts.provider.members import CHECK_TAG
from accounts.provider.settings import read_cipher

_EXAMPLES = {
    "SECRET_KEY": "change-me-to-50-random-characters-and-keep-them-secret",
    "TOKEN_ENCRYPTION_KEYS": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
}
_NETWORKS = ("TRUSTED_PROXIES", "TRUSTED_CALLERS")
# The first patch releases that parse Content-Type in linear time (CPython gh-136063). Later minor
# versions always do.
MIN_PYTHON = {(3, 11): 15, (3, 12): 13, (3, 13): 10, (3, 14): 1}


@register(CHECK_TAG)
def check_networks(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return [
        Error(
            f"{name} contains {value!r}, which is not an IP address or a network.",
            hint="List IP addresses like 10.0.0.10 or networks like 10.0.0.0/24, with commas, or "
            "unix for a Unix socket.",
            id="sso_project.E002",
        )
        for name in _NETWORKS
        for value in getattr(settings, name)
        if value != UNIX_SOCKET and not _is_network(value)
    ]


def _is_network(value: str) -> bool:
    try:
        ip_network(value, strict=False)
    except ValueError:
        return False
    return True


def _is_every_ip_address(value: str) -> bool:
    return _is_network(value) and ip_network(value, strict=False).prefixlen == 0


@register(Tags.security, deploy=True)
def check_proxy(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    # There is no proxy on Lambda: lambda_request.py sets the scheme.
    is_lambda = "AWS_LAMBDA_FUNCTION_NAME" in os.environ
    is_socket = settings.SERVER["BIND"].startswith("unix:")
    is_untrusted_socket = is_socket and UNIX_SOCKET not in settings.TRUSTED_PROXIES
    is_proxy_trusted = bool(settings.TRUSTED_PROXIES) and not is_untrusted_socket
    if settings.HTTPS and not is_proxy_trusted and not is_lambda:
        messages.append(
            Warning(
                "PUBLIC_URL is https, but no proxy is trusted. If a proxy ends HTTPS, the site "
                "ignores its X-Forwarded-Proto, and every page redirects to itself.",
                hint="Set TRUSTED_PROXIES to the IP addresses of the proxy"
                " (unix, if BIND is a Unix socket).",
                id="sso_project.W001",
            )
        )
    if "*" in settings.ALLOWED_HOSTS:
        messages.append(
            Warning(
                "ALLOWED_HOSTS contains *, so any Host header is accepted.",
                hint="Remove it. The default is the host of PUBLIC_URL.",
                id="sso_project.W002",
            )
        )
    messages += [
        Warning(
            f"{name} contains {value}, which is every IP address, so any client is trusted.",
            hint="List the IP addresses that you trust.",
            id="sso_project.W006",
        )
        for name in _NETWORKS
        for value in getattr(settings, name)
        if _is_every_ip_address(value)
    ]
    return messages


@register(Tags.security, deploy=True)
def check_python(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    major, minor, patch = sys.version_info[:3]
    min_patch = MIN_PYTHON.get((major, minor), 0)
    if patch >= min_patch:
        return []
    return [
        Warning(
            f"Python {major}.{minor}.{patch} has known faults: parsing a long Content-Type takes "
            "quadratic time.",
            hint=f"Install Python {major}.{minor}.{min_patch} or later, as the Dockerfile does.",
            id="sso_project.W007",
        )
    ]


@register(Tags.database, deploy=True)
def check_database(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if "sqlite" not in settings.DATABASES["default"]["ENGINE"]:
        return []
    return [
        Warning(
            "The database is a SQLite file. Several machines cannot share it, and only one request "
            "can write at a time.",
            hint="Set DATABASE_URL to a PostgreSQL database, unless the site runs on one machine.",
            id="sso_project.W003",
        )
    ]


@register(Tags.staticfiles, deploy=True)
def check_static_files(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG or (Path(settings.STATIC_ROOT) / "staticfiles.json").is_file():
        return []
    return [
        Warning(
            f"Static files were not collected into {settings.STATIC_ROOT}. Pages fail without "
            "their hashed names.",
            hint="Run manage.py collectstatic on each machine, or in the image as the Dockerfile "
            "does.",
            id="sso_project.W004",
        )
    ]


@register(Tags.security, deploy=True)
def check_examples(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    is_example = {
        "SECRET_KEY": _EXAMPLES["SECRET_KEY"] == settings.SECRET_KEY,
        "TOKEN_ENCRYPTION_KEYS": _decrypts_with(_EXAMPLES["TOKEN_ENCRYPTION_KEYS"]),
    }
    return [
        Warning(
            f"{name} is the value of .env.example, which is public.",
            hint="Generate your own value. README.md explains how.",
            id="sso_project.W005",
        )
        for name in _EXAMPLES
        if is_example[name]
    ]


def _decrypts_with(key: str) -> bool:
    """Return True if this site accepts data that is encrypted with `key`."""
    try:
        read_cipher().open(Cipher([key]).seal({}))
    except (ConfigurationError, DecryptionError):
        return False
    return True
