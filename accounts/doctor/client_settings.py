"""What only the app client's own description tells: lifetimes, rotation, revocation, lists.

The description is what `describe-user-pool-client` prints
(https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UserPoolClientType.html).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..cognito.config import CognitoConfig
from ..cognito.safe_urls import is_loopback
from ..provider import Limits, aws
from . import client_settings_findings as findings
from .finding import Finding

LEAST_GRACE = 10  # seconds; an answer lost on the way is asked for again within these
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


class NotADescription(ValueError):
    """The text is not what `describe-user-pool-client` prints for this app client."""


def fetch(config: CognitoConfig) -> Mapping[str, Any]:
    """Ask AWS, or the local pool. Raises aws.AwsProblem."""
    answer = aws.call(
        "cognito-idp",
        "describe_user_pool_client",
        region=config.region,
        issuer=config.issuer,
        UserPoolId=config.pool_id,
        ClientId=config.client_id,
    )
    return dict(answer["UserPoolClient"])


def read(text: str, config: CognitoConfig) -> Mapping[str, Any]:
    """A pasted description. Raises NotADescription."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotADescription("it is not JSON") from error
    described = value.get("UserPoolClient", value) if isinstance(value, dict) else None
    if not isinstance(described, dict) or not isinstance(described.get("ClientId"), str):
        raise NotADescription("it holds no UserPoolClient with a ClientId")
    described = {name: member for name, member in described.items() if member is not None}
    if described["ClientId"] != config.client_id:
        raise NotADescription(
            f"it is of app client {described['ClientId']}, and this site uses {config.client_id}"
        )
    for name in _LISTS:
        members = described.get(name, [])
        if not isinstance(members, list) or not all(isinstance(each, str) for each in members):
            raise NotADescription(f"its {name} is no list of texts")
    try:
        for kind in _DEFAULTS:
            lifetime(described, kind)
        _grace(described)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise NotADescription("its lifetimes are unreadable") from error
    return described


def lifetime(described: Mapping[str, Any], kind: str) -> int:
    """Seconds that an `AccessToken`, `IdToken` or `RefreshToken` lives; 0 means the default."""
    value = int(described.get(f"{kind}Validity") or 0)
    unit = (described.get("TokenValidityUnits") or {}).get(kind, _DEFAULT_UNITS[kind])
    return value * _SECONDS[unit] or _DEFAULTS[kind]


def _grace(described: Mapping[str, Any]) -> int | None:
    """Seconds that a replaced refresh token still works; None without rotation."""
    rotation = described.get("RefreshTokenRotation") or {}
    if rotation.get("Feature") != "ENABLED":
        return None
    return int(rotation.get("RetryGracePeriodSeconds") or 0)


def client_problems(
    described: Mapping[str, Any], config: CognitoConfig, limits: Limits
) -> Iterator[Finding]:
    """Where the app client is not set as this site expects."""
    access, refresh = lifetime(described, "AccessToken"), lifetime(described, "RefreshToken")
    if access > limits.access_token:
        yield findings.access_token_lives_too_long(config, access, limits.access_token)
    if refresh < limits.session_absolute:
        yield findings.refresh_token_shorter_than_session(config, refresh, limits.session_absolute)
    if described.get("EnableTokenRevocation") is False:
        yield findings.revocation_off(config)
    grace = _grace(described)
    if grace is not None and grace < LEAST_GRACE:
        yield findings.rotation_without_grace(config, grace, LEAST_GRACE)
    if described.get("PreventUserExistenceErrors", "LEGACY") == "LEGACY":
        yield findings.user_existence_shown(config)
    if "implicit" in described.get("AllowedOAuthFlows", ()):
        yield findings.implicit_flow_on(config)
    if not described.get("SupportedIdentityProviders"):
        yield findings.no_identity_provider(config)
    readable = described.get("ReadAttributes")  # all of them, when there is no such list
    missing = [name for name in ("email", "email_verified") if readable and name not in readable]
    if "email" in config.scopes and missing:
        yield findings.email_not_readable(config, missing)


def production_problems(described: Mapping[str, Any], config: CognitoConfig) -> Iterator[Finding]:
    """What may stand in the lists while developing, but not at a live site."""
    local = {
        name: [address for address in described.get(name, ()) if is_loopback(address)]
        for name in ("CallbackURLs", "LogoutURLs")
    }
    if any(local.values()):
        found = {name: addresses for name, addresses in local.items() if addresses}
        yield findings.local_addresses_registered(config, found)
