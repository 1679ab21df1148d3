"""The operations of the ``cognito-idp`` API about the pool, its app clients and their secrets."""

import re
from collections.abc import Callable
from typing import Any

from . import client_secrets
from .config import ACR_VALUE
from .declarations import Client
from .errors import INVALID, UserError
from .pool import Pool
from .records import ClientSecret

Body = dict[str, Any]
ACCOUNT = "000000000000"  # of AWS, in ARNs
LEVELS = ("Level1", "Level2", "Level3", "Level4")


def describe_user_pool(pool: Pool, body: Body) -> Body:
    config, days = pool.config, {"TemporaryPasswordValidityDays": 7}
    issuer_type = "ORIGINAL" if config.issuer_type == "original" else "UPDATED"
    described = {
        "Id": config.id,
        "UserPoolTier": config.plan.upper(),
        "IssuerConfiguration": {"Type": issuer_type},
        "AcrConfiguration": {
            level: {"AcrValue": name} for level, name in zip(LEVELS, config.acr_values, strict=True)
        },
        "Policies": {"PasswordPolicy": days},
    }
    return {"UserPool": described}


def update_user_pool(pool: Pool, body: Body) -> None:
    """Change the settings that the local pool has. Cognito also resets all omitted ones."""
    changes: dict[str, Any] = {}
    if "IssuerConfiguration" in body:
        changes["issuer_type"] = body["IssuerConfiguration"]["Type"].lower()
        if changes["issuer_type"] not in ("original", "updated"):
            raise UserError(INVALID, "Type must be ORIGINAL or UPDATED.")
    if "AcrConfiguration" in body:
        changes["acr_values"] = _acr_values(pool, body["AcrConfiguration"])
    pool.require_primary()
    _refuse_others(body, "IssuerConfiguration", "AcrConfiguration")
    pool.configure(**changes)


def _acr_values(pool: Pool, levels: dict[str, dict[str, str]]) -> tuple[str, ...]:
    """Return the names of the four levels, of which some may be changed."""
    if pool.config.plan == "lite":
        raise UserError("FeatureUnavailableInTierException", "The Lite plan has no levels.")
    names = [*pool.config.acr_values]
    for key, level in levels.items():
        names[LEVELS.index(key)] = level["AcrValue"]
    if len(set(names)) < 4 or not all(re.fullmatch(ACR_VALUE, name) for name in names):
        raise UserError(INVALID, "AcrConfiguration has a malformed name, or one name twice.")
    return tuple(names)


def _refuse_others(body: Body, *names: str) -> None:
    """Raise UserError for members that the local pool could only ignore."""
    others = ", ".join(sorted(body.keys() - {"UserPoolId", "ClientId", *names}))
    if others:
        raise UserError(INVALID, f"The local pool cannot change {others}.")


def list_user_pool_replicas(pool: Pool, body: Body) -> Body:
    config = pool.config
    regions = ((config.region, "PRIMARY"), (config.replica_region, "SECONDARY"))
    replicas = [
        {
            "RegionName": region,
            "Status": "ACTIVE",
            "Role": role,
            "UserPoolArn": f"arn:aws:cognito-idp:{region}:{ACCOUNT}:userpool/{config.id}",
        }
        for region, role in regions
    ]
    return {"UserPoolReplicas": replicas}


def _client(pool: Pool, body: Body) -> Client:
    client = pool.config.clients.get(body["ClientId"])
    if client is None:
        missing = f"User pool client {body['ClientId']} does not exist."
        raise UserError("ResourceNotFoundException", missing)
    return client


def add_user_pool_client_secret(pool: Pool, body: Body) -> Body:
    chosen = body.get("ClientSecret", "")
    key, record, value = client_secrets.add(pool, _client(pool, body), chosen)
    generated = {} if chosen else {"ClientSecretValue": value}
    return {"ClientSecretDescriptor": _describe_secret(key, record) | generated}


def list_user_pool_client_secrets(pool: Pool, body: Body) -> Body:
    active = client_secrets.active_secrets(pool, _client(pool, body))
    return {"ClientSecrets": [_describe_secret(*item) for item in active.items()]}


def _describe_secret(key: str, record: ClientSecret) -> Body:
    return {"ClientSecretId": key, "ClientSecretCreateDate": record.created}


def delete_user_pool_client_secret(pool: Pool, body: Body) -> None:
    client_secrets.delete(pool, _client(pool, body), body["ClientSecretId"])


def describe_user_pool_client(pool: Pool, body: Body) -> Body:
    client, config = _client(pool, body), pool.config
    existence = "ENABLED" if config.prevent_user_existence_errors else "LEGACY"
    described = {
        "UserPoolId": config.id,
        "ClientId": client.client_id,
        "ClientName": client.name or client.client_id,
        "ClientSecret": client.secret,
        "AllowedOAuthFlows": client.flows,
        "AllowedOAuthFlowsUserPoolClient": True,
        "AllowedOAuthScopes": client.scopes,
        "CallbackURLs": client.callback_urls,
        "LogoutURLs": client.logout_urls,
        "SupportedIdentityProviders": ["COGNITO"],
        "EnableTokenRevocation": True,
        "PreventUserExistenceErrors": existence,
        "RefreshTokenRotation": {
            "Feature": "ENABLED" if config.rotate_refresh_tokens else "DISABLED",
            "RetryGracePeriodSeconds": config.refresh_grace_seconds,
        },
        "AccessTokenValidity": config.access_token_seconds,
        "IdTokenValidity": config.id_token_seconds,
        "RefreshTokenValidity": config.refresh_token_seconds,
        "TokenValidityUnits": dict.fromkeys(("AccessToken", "IdToken", "RefreshToken"), "seconds"),
    }
    return {"UserPoolClient": {k: v for k, v in described.items() if v is not None}}


OPERATIONS: dict[str, Callable[[Pool, Body], Body | None]] = {
    "AddUserPoolClientSecret": add_user_pool_client_secret,
    "DeleteUserPoolClientSecret": delete_user_pool_client_secret,
    "DescribeUserPool": describe_user_pool,
    "DescribeUserPoolClient": describe_user_pool_client,
    "ListUserPoolClientSecrets": list_user_pool_client_secrets,
    "ListUserPoolReplicas": list_user_pool_replicas,
    "UpdateUserPool": update_user_pool,
}
