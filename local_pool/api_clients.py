"""The operations of the ``cognito-idp`` API about the pool, its app clients and their secrets."""

from collections.abc import Callable
from typing import Any

from . import api_secrets
from .config_checks import is_acr_value
from .errors import INVALID, UserError
from .pool import Pool

Body = dict[str, Any]
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
    api_secrets.refuse_others(body, "IssuerConfiguration", "AcrConfiguration")
    pool.configure(**changes)


def _acr_values(pool: Pool, levels: dict[str, dict[str, str]]) -> tuple[str, ...]:
    """Return the names of the four levels, of which some may be changed."""
    if pool.config.plan == "lite":
        raise UserError("FeatureUnavailableInTierException", "The Lite plan has no levels.")
    names = [*pool.config.acr_values]
    for key, level in levels.items():
        names[LEVELS.index(key)] = level["AcrValue"]
    if len(set(names)) < 4 or not all(map(is_acr_value, names)):
        raise UserError(INVALID, "AcrConfiguration has a malformed name, or one name twice.")
    return tuple(names)


def list_user_pool_replicas(pool: Pool, body: Body) -> Body:
    config, account = pool.config, api_secrets.ACCOUNT
    regions = ((config.region, "PRIMARY"), (config.replica_region, "SECONDARY"))
    replicas = [
        {
            "RegionName": region,
            "Status": "ACTIVE",
            "Role": role,
            "UserPoolArn": f"arn:aws:cognito-idp:{region}:{account}:userpool/{config.id}",
        }
        for region, role in regions
    ]
    return {"UserPoolReplicas": replicas}


def describe_user_pool_client(pool: Pool, body: Body) -> Body:
    client, config = api_secrets.get_client(pool, body), pool.config
    existence = "ENABLED" if config.prevent_user_existence_errors else "LEGACY"
    described = {
        "UserPoolId": config.id,
        "ClientId": client.client_id,
        "ClientName": client.name or client.client_id,
        **api_secrets.describe(pool, client),
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
    "DescribeUserPool": describe_user_pool,
    "DescribeUserPoolClient": describe_user_pool_client,
    "ListUserPoolReplicas": list_user_pool_replicas,
    "UpdateUserPool": update_user_pool,
}
