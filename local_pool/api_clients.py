"""The operations about app clients. As at Cognito, an update resets what it omits."""

import secrets
from dataclasses import replace
from typing import Any

from . import api_secrets, attributes, client_secrets
from .api_shapes import Body, Operations, find_client, page
from .config_checks import check_client
from .declarations import AUTH_FLOWS, CUSTOM_AUTH, STANDARD_SCOPES, Client
from .errors import INVALID, ConfigError, UserError
from .pool import Pool
from .pool_config import PoolConfig

LISTS = {
    "ExplicitAuthFlows": "auth_flows",
    "AllowedOAuthFlows": "flows",
    "AllowedOAuthScopes": "scopes",
    "CallbackURLs": "callback_urls",
    "LogoutURLs": "logout_urls",
    "ReadAttributes": "read_attributes",
    "WriteAttributes": "write_attributes",
}
DAY = 86400
LIFETIMES = {  # member -> setting, default unit, the shortest and the longest
    "AccessToken": ("access_token_seconds", "hours", 300, DAY),
    "IdToken": ("id_token_seconds", "hours", 300, DAY),
    "RefreshToken": ("refresh_token_seconds", "days", 3600, 3650 * DAY),
}
UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": DAY}
DEFAULT_FLOWS = ("ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", CUSTOM_AUTH)
ECHOED = (  # members that DescribeUserPoolClient returns as they were sent
    "AllowedOAuthFlows",
    "AllowedOAuthFlowsUserPoolClient",
    "DefaultRedirectURI",
    "TokenValidityUnits",
    *(f"{name}Validity" for name in LIFETIMES),
)
MEMBERS = (
    "AuthSessionValidity",
    "ClientId",
    "ClientName",
    "EnableTokenRevocation",
    "PublishSecretsInAWSSecretsManager",
    "PreventUserExistenceErrors",
    "RefreshTokenRotation",
    "SupportedIdentityProviders",
    *LISTS,
    *ECHOED,
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
        "AuthSessionValidity": config.auth_session_seconds // 60,
        "SupportedIdentityProviders": pool.providers_of(client),
        "EnableTokenRevocation": True,
        "PreventUserExistenceErrors": (
            "ENABLED" if config.prevent_user_existence_errors else "LEGACY"
        ),
        "RefreshTokenRotation": {
            "Feature": "ENABLED" if config.rotate_refresh_tokens else "DISABLED",
            "RetryGracePeriodSeconds": config.refresh_grace_seconds,
        },
        **({"RefreshTokenValidity": 30} if client.modified else _lifetimes(config)),
        "CreationDate": client.created,
        "LastModifiedDate": client.modified,
    } | client.sent
    return {"UserPoolClient": {k: v for k, v in described.items() if v not in (None, [], "")}}


def _lifetimes(config: PoolConfig) -> Body:
    seconds = {f"{name}Validity": getattr(config, m[0]) for name, m in LIFETIMES.items()}
    return seconds | {"TokenValidityUnits": dict.fromkeys(LIFETIMES, "seconds")}


def _settings(body: Body) -> dict[str, Any]:
    """Return the settings of the pool that this client overrides."""
    settings: dict[str, Any] = {}
    units = body.get("TokenValidityUnits") or {}
    for name, (field, default, shortest, longest) in LIFETIMES.items():
        if length := body.get(f"{name}Validity"):
            settings[field] = length * UNITS[units.get(name, default)]
            if not shortest <= settings[field] <= longest:
                raise UserError(INVALID, "Invalid range for token validity.")
    if minutes := body.get("AuthSessionValidity"):
        settings["auth_session_seconds"] = minutes * 60
    existence = body.get("PreventUserExistenceErrors")
    settings["prevent_user_existence_errors"] = existence == "ENABLED"
    if rotation := body.get("RefreshTokenRotation"):
        settings["rotate_refresh_tokens"] = rotation["Feature"] == "ENABLED"
        settings["refresh_grace_seconds"] = rotation.get("RetryGracePeriodSeconds", 0)
    return settings


def _read(pool: Pool, body: Body, client: Client) -> Client:
    """Return ``client`` with what the request sets. Raises UserError for what is not possible."""
    pool.require_primary()
    if body.get("EnableTokenRevocation") is False:
        raise UserError(INVALID, "At the local pool, EnableTokenRevocation is always True.")
    known = {"COGNITO", *pool.provider_names}
    providers = body.get("SupportedIdentityProviders") or []
    if unknown := ", ".join(sorted({*providers} - known)):
        raise UserError(INVALID, f"The provider {unknown} does not exist for this user pool.")
    lists: dict[str, Any] = {field: tuple(body.get(name) or ()) for name, field in LISTS.items()}
    _check_oauth(pool, client, body)
    if not body.get("AllowedOAuthFlowsUserPoolClient"):
        lists["flows"] = ()  # as at Cognito, such a client cannot use what it has
    for name in (*lists["read_attributes"], *lists["write_attributes"]):
        if not attributes.is_declared(pool, name):
            raise UserError(INVALID, f"Invalid attribute {name} in the permissions of the client.")
    settings = _settings(body)
    lists["auth_flows"] = lists["auth_flows"] or DEFAULT_FLOWS
    if settings.get("rotate_refresh_tokens") and AUTH_FLOWS[-1] in lists["auth_flows"]:
        raise UserError(INVALID, ROTATION)
    name = body.get("ClientName", client.name)
    lists["providers"] = tuple(providers)
    lists["default_redirect_uri"] = body.get("DefaultRedirectURI", "")
    sent = {name: body[name] for name in ECHOED if name in body}
    changed = replace(
        client, **lists, name=name, settings=settings, modified=pool.clock(), sent=sent
    )
    try:
        check_client(changed, pool.custom_scopes)
    except ConfigError as error:
        raise UserError(INVALID, error.message) from None
    return changed


def _check_oauth(pool: Pool, client: Client, body: Body) -> None:
    flows, scopes = body.get("AllowedOAuthFlows") or [], body.get("AllowedOAuthScopes") or []
    problem = ""
    if body.get("AllowedOAuthFlowsUserPoolClient") and not (flows and scopes):
        message = "AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is"
        raise UserError(INVALID, f"{message} allowed to use OAuth flows.")
    if "client_credentials" in flows and len(set(flows)) > 1:
        problem = "along with code flow or implicit flow"
    elif "client_credentials" in flows and client.secret is None:
        problem = "if client does not have a client secret"
    if problem:
        message = f"client_credentials flow can not be selected {problem}."
        raise UserError("InvalidOAuthFlowException", message)
    if unknown := ", ".join(sorted({*scopes} - {*STANDARD_SCOPES, *pool.custom_scopes})):
        raise UserError("ScopeDoesNotExistException", f"Invalid scope requested: {unknown}")


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
