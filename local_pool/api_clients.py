"""The operations about app clients. As at Cognito, an update resets what it omits."""

import secrets
from dataclasses import replace
from typing import Any

from . import api_secrets, client_secrets
from .api_shapes import Body, Operations, find_client, page
from .config_checks import check_client
from .declarations import AUTH_FLOWS, Client
from .errors import INVALID, ConfigError, UserError
from .pool import Pool

LISTS = {
    "ExplicitAuthFlows": "auth_flows",
    "AllowedOAuthFlows": "flows",
    "AllowedOAuthScopes": "scopes",
    "CallbackURLs": "callback_urls",
    "LogoutURLs": "logout_urls",
}
LIFETIMES = {  # member -> setting, default unit
    "AccessToken": ("access_token_seconds", "hours"),
    "IdToken": ("id_token_seconds", "hours"),
    "RefreshToken": ("refresh_token_seconds", "days"),
}
UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
DEFAULT_FLOWS = ("ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH")
FIXED = {  # members that have one possible value here
    "AllowedOAuthFlowsUserPoolClient": (True, False),
    "EnableTokenRevocation": (True,),
}
MEMBERS = (
    "ClientId",
    "ClientName",
    "PublishSecretsInAWSSecretsManager",
    "PreventUserExistenceErrors",
    "RefreshTokenRotation",
    "TokenValidityUnits",
    *(f"{name}Validity" for name in LIFETIMES),
    "SupportedIdentityProviders",
    *LISTS,
    *FIXED,
)
ACCEPTED = {
    "CreateUserPoolClient": (*MEMBERS, "GenerateSecret", "ClientSecret"),
    "UpdateUserPoolClient": MEMBERS,
}
ROTATION = (
    "ALLOW_REFRESH_TOKEN_AUTH is not a permitted ExplicitAuthFlow when refresh token rotation is"
    " enabled"
)


def _describe(pool: Pool, client: Client) -> Body:
    config = pool.config_for(client)
    lists = {name: list(getattr(client, field)) for name, field in LISTS.items()}
    if config.rotate_refresh_tokens:
        lists["ExplicitAuthFlows"] = [f for f in client.auth_flows if f != AUTH_FLOWS[-1]]
    described = {
        "UserPoolId": config.id,
        "ClientId": client.client_id,
        "ClientName": client.name or client.client_id,
        "ClientType": client.kind,
        **api_secrets.describe(pool, client),
        **lists,
        "AllowedOAuthFlowsUserPoolClient": bool(client.flows),
        "SupportedIdentityProviders": ["COGNITO", *pool.provider_names],
        "EnableTokenRevocation": True,
        "PreventUserExistenceErrors": (
            "ENABLED" if config.prevent_user_existence_errors else "LEGACY"
        ),
        "RefreshTokenRotation": {
            "Feature": "ENABLED" if config.rotate_refresh_tokens else "DISABLED",
            "RetryGracePeriodSeconds": config.refresh_grace_seconds,
        },
        **{f"{name}Validity": getattr(config, field) for name, (field, _) in LIFETIMES.items()},
        "TokenValidityUnits": dict.fromkeys(LIFETIMES, "seconds"),
        "CreationDate": client.created,
        "LastModifiedDate": client.modified,
    }
    return {"UserPoolClient": {k: v for k, v in described.items() if v is not None}}


def _settings(body: Body) -> dict[str, Any]:
    """Return the settings of the pool that this client overrides."""
    settings: dict[str, Any] = {}
    units = body.get("TokenValidityUnits") or {}
    for name, (field, default) in LIFETIMES.items():
        if length := body.get(f"{name}Validity"):
            settings[field] = length * UNITS[units.get(name, default)]
    if existence := body.get("PreventUserExistenceErrors"):
        settings["prevent_user_existence_errors"] = existence == "ENABLED"
    if rotation := body.get("RefreshTokenRotation"):
        settings["rotate_refresh_tokens"] = rotation["Feature"] == "ENABLED"
        settings["refresh_grace_seconds"] = rotation.get("RetryGracePeriodSeconds", 0)
    return settings


def _read(pool: Pool, body: Body, client: Client) -> Client:
    """Return ``client`` with what the request sets. Raises UserError for what is not possible."""
    pool.require_primary()
    for name, values in FIXED.items():
        if name in body and body[name] not in values:
            raise UserError(INVALID, f"At the local pool, {name} is always {values[0]}.")
    known = {"COGNITO", *pool.provider_names}
    if unknown := ", ".join({*body.get("SupportedIdentityProviders", [])} - known):
        raise UserError(INVALID, f"The provider {unknown} does not exist for this user pool.")
    lists: dict[str, Any] = {field: tuple(body.get(name) or ()) for name, field in LISTS.items()}
    settings = _settings(body)
    lists["auth_flows"] = lists["auth_flows"] or DEFAULT_FLOWS
    if settings.get("rotate_refresh_tokens") and AUTH_FLOWS[-1] in lists["auth_flows"]:
        raise UserError(INVALID, ROTATION)
    name = body.get("ClientName", client.name)
    changed = replace(client, **lists, name=name, settings=settings, modified=pool.clock())
    try:
        check_client(changed, pool.custom_scopes)
    except ConfigError as error:
        raise UserError(INVALID, error.message) from None
    return changed


def create_user_pool_client(pool: Pool, body: Body) -> Body:
    secret = body.get("ClientSecret") or (
        secrets.token_hex(26) if body.get("GenerateSecret") else None
    )
    new = Client(secrets.token_hex(13), secret, created=pool.clock())
    client = _read(pool, body, new)
    pool.put("clients", client.client_id, client)
    _publish(pool, client, body)
    return _describe(pool, client)


def update_user_pool_client(pool: Pool, body: Body) -> Body:
    client = _read(pool, body, find_client(pool, body))
    pool.put("clients", client.client_id, client)
    _publish(pool, client, body)
    return _describe(pool, client)


def _publish(pool: Pool, client: Client, body: Body) -> None:
    """Move the secret to Secrets Manager, which rotates it at once, or back."""
    publish = body.get("PublishSecretsInAWSSecretsManager")
    if publish and client.client_id not in pool.state.published_secrets:
        client_secrets.rotate(pool, client)
    elif publish is False:
        client_secrets.unpublish(pool, client)


def delete_user_pool_client(pool: Pool, body: Body) -> None:
    pool.require_primary()
    pool.remove("clients", find_client(pool, body).client_id)


def list_user_pool_clients(pool: Pool, body: Body) -> Body:
    described = [
        {"ClientId": c.client_id, "UserPoolId": pool.config.id, "ClientName": c.name or c.client_id}
        for c in pool.clients.values()
        if body.get("ClientType", c.kind) == c.kind
    ]
    return page(body, "UserPoolClients", described, limit="MaxResults")


OPERATIONS: Operations = {
    "CreateUserPoolClient": create_user_pool_client,
    "DeleteUserPoolClient": delete_user_pool_client,
    "DescribeUserPoolClient": lambda pool, body: _describe(pool, find_client(pool, body)),
    "ListUserPoolClients": list_user_pool_clients,
    "UpdateUserPoolClient": update_user_pool_client,
}
