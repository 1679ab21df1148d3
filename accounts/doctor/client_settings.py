"""Checks of settings that only the app client's description shows, such as token lifetimes.

The description is the output of `describe-user-pool-client`
(https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UserPoolClientType.html).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..cognito.config import CognitoConfig
from ..cognito.safe_urls import is_loopback
from ..provider import Limits, aws
from ..provider.secret_source import SecretKind, SecretSource
from . import client_settings_findings as findings
from .finding import Finding

MIN_GRACE_SECONDS = 10  # this site repeats a refresh whose response was lost within this time
_LISTS = (
    "AllowedOAuthFlows",
    "CallbackURLs",
    "LogoutURLs",
    "ReadAttributes",
    "SupportedIdentityProviders",
)
_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
_DEFAULT_UNITS = {"AccessToken": "hours", "IdToken": "hours", "RefreshToken": "days"}
_DEFAULTS = {"AccessToken": 3600, "IdToken": 3600, "RefreshToken": 30 * 86_400}


class InvalidDescription(ValueError):
    """The text is not the output of `describe-user-pool-client` for this app client."""


def fetch(config: CognitoConfig) -> Mapping[str, Any]:
    """Return the description from AWS or from the local pool. Raise AwsError on failure."""
    response = aws.call(
        "cognito-idp",
        "describe_user_pool_client",
        region=config.region,
        issuer=config.issuer,
        UserPoolId=config.pool_id,
        ClientId=config.client_id,
    )
    return dict(response["UserPoolClient"])


def read(text: str, config: CognitoConfig) -> Mapping[str, Any]:
    """Return the description in `text`. Raise InvalidDescription if it cannot be used."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidDescription("it is not JSON") from error
    description = value.get("UserPoolClient", value) if isinstance(value, dict) else None
    if not isinstance(description, dict) or not isinstance(description.get("ClientId"), str):
        raise InvalidDescription("it contains no UserPoolClient with a ClientId")
    description = {name: member for name, member in description.items() if member is not None}
    if description["ClientId"] != config.client_id:
        raise InvalidDescription(
            f"it describes app client {description['ClientId']}, but this site uses"
            f" {config.client_id}"
        )
    for name in _LISTS:
        members = description.get(name, [])
        if not isinstance(members, list) or not all(isinstance(item, str) for item in members):
            raise InvalidDescription(f"its {name} is not a list of strings")
    try:
        for kind in _DEFAULTS:
            lifetime(description, kind)
        _grace_seconds(description)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise InvalidDescription(
            "its token lifetimes or rotation settings are malformed"
        ) from error
    return description


def lifetime(description: Mapping[str, Any], kind: str) -> int:
    """Return the lifetime in seconds of an `AccessToken`, `IdToken` or `RefreshToken`.

    If the description has no lifetime, or 0, it is Cognito's default.
    """
    value = int(description.get(f"{kind}Validity") or 0)
    unit = (description.get("TokenValidityUnits") or {}).get(kind, _DEFAULT_UNITS[kind])
    return value * _SECONDS[unit] or _DEFAULTS[kind]


def _grace_seconds(description: Mapping[str, Any]) -> int | None:
    """Return how long a rotated refresh token stays valid, or None without rotation."""
    rotation = description.get("RefreshTokenRotation") or {}
    if rotation.get("Feature") != "ENABLED":
        return None
    return int(rotation.get("RetryGracePeriodSeconds") or 0)


def client_problems(
    description: Mapping[str, Any], config: CognitoConfig, limits: Limits
) -> Iterator[Finding]:
    """Yield the settings of the app client that differ from what this site requires."""
    source, arn = SecretSource(config), str(description.get("ClientSecretArn") or "")
    # A file may be a copy that an operator of the cluster keeps current. An ARN may lack its end.
    if arn and source.kind is not SecretKind.FILE and not arn.startswith(config.client_secret):
        yield findings.secret_not_followed(config, source, arn)
    access, refresh = lifetime(description, "AccessToken"), lifetime(description, "RefreshToken")
    if access > limits.access_token:
        yield findings.access_token_too_long(config, access, limits.access_token)
    if refresh < limits.session_absolute:
        yield findings.refresh_token_too_short(config, refresh, limits.session_absolute)
    if description.get("EnableTokenRevocation") is False:
        yield findings.revocation_off(config)
    grace = _grace_seconds(description)
    if grace is not None and grace < MIN_GRACE_SECONDS:
        yield findings.rotation_without_grace(config, grace, MIN_GRACE_SECONDS)
    if description.get("PreventUserExistenceErrors", "LEGACY") == "LEGACY":
        yield findings.user_existence_shown(config)
    if "implicit" in description.get("AllowedOAuthFlows", ()):
        yield findings.implicit_flow_on(config)
    if not description.get("SupportedIdentityProviders"):
        yield findings.no_identity_provider(config)
    readable = description.get("ReadAttributes")  # without this list, all attributes are readable
    missing = [name for name in ("email", "email_verified") if readable and name not in readable]
    if "email" in config.scopes and missing:
        yield findings.email_not_readable(config, missing)


def production_problems(description: Mapping[str, Any], config: CognitoConfig) -> Iterator[Finding]:
    """Yield the registered URLs that are for development and not for a live site."""
    local_urls = {
        name: urls
        for name in ("CallbackURLs", "LogoutURLs")
        if (urls := [url for url in description.get(name, ()) if is_loopback(url)])
    }
    if local_urls:
        yield findings.local_addresses_registered(config, local_urls)
