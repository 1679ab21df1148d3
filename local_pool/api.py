"""The ``cognito-idp`` JSON operations an application uses at run time: ``POST /``.

``X-Amz-Target`` names the operation. Signatures are not checked, so that any AWS credentials work
(boto3: ``client("cognito-idp", endpoint_url=…, region_name="local-1")``). Errors have status 400
and a ``__type``, which is UnknownOperationException for an operation that is not implemented.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from flask import request
from werkzeug.wrappers import Response

from . import access, client_secrets, grants, users, verification
from .declarations import Client
from .errors import TokenError, UserError
from .pool import Pool
from .records import ClientSecret, PoolUser

Body = dict[str, Any]
JSON = "application/x-amz-json-1.1"
INVALID = "InvalidParameterException"
OAUTH_ERRORS = {
    "invalid_client": "NotAuthorizedException",
    "invalid_grant": "NotAuthorizedException",
    "invalid_token": "NotAuthorizedException",
    "unsupported_token_type": "UnsupportedTokenTypeException",
}


def call(pool: Pool) -> Response:
    name = operation()
    perform = OPERATIONS.get(name)
    if perform is None:
        raise UserError("UnknownOperationException", f"The local pool has no operation {name}.")
    try:
        body = json.loads(request.get_data() or b"{}")
    except ValueError:
        raise UserError("SerializationException", "The body must be a JSON object.") from None
    try:
        if body.get("UserPoolId", pool.config.id) != pool.config.id:
            missing = f"User pool {body['UserPoolId']} does not exist."
            raise UserError("ResourceNotFoundException", missing)
        result = perform(pool, body)
    except KeyError as error:
        required = f"1 validation error detected: {error.args[0]} must not be null"
        raise UserError(INVALID, required) from None
    except (AttributeError, TypeError, ValueError):
        raise UserError(INVALID, "A member has the wrong type.") from None
    except TokenError as error:
        kind = OAUTH_ERRORS.get(error.error, INVALID)
        kind = "RefreshTokenReuseException" if error.cause == grants.REUSED else kind
        raise UserError(kind, error.cause) from None
    pool.journal.line(f"api       {name} {body.get('Username', '')}")
    return Response(json.dumps(result or {}), content_type=JSON)


def operation() -> str:
    return request.headers.get("X-Amz-Target", "").rpartition(".")[2][:60] or "(none)"


def exception(pool: Pool, error: UserError) -> Response:
    body = json.dumps({"__type": error.error, "message": error.message})
    headers = {"x-amzn-ErrorType": error.error, "x-amzn-ErrorMessage": error.message}
    return Response(body, 400, headers, content_type=JSON)


def _describe_user(user: PoolUser, attributes_name: str = "UserAttributes") -> Body:
    attributes = {"sub": user.sub} | user.attributes
    return {
        "Username": user.username,
        attributes_name: [{"Name": k, "Value": v} for k, v in attributes.items()],
        "UserCreateDate": user.created,
        "UserLastModifiedDate": user.modified,
        "Enabled": user.enabled,
        "UserStatus": user.status,
    }


def _user(pool: Pool, body: Body) -> PoolUser:
    return users.get(pool, body["Username"])


def _token_owner(pool: Pool, body: Body) -> PoolUser:
    claims, user = access.read_access_token(pool, body["AccessToken"])
    if "aws.cognito.signin.user.admin" not in claims.get("scope", "").split():
        raise UserError("NotAuthorizedException", "Access Token does not have required scopes")
    return user


def _attributes(body: Body) -> dict[str, str]:
    return {pair["Name"]: pair["Value"] for pair in body.get("UserAttributes", [])}


def admin_list_groups_for_user(pool: Pool, body: Body) -> Body:
    return {"Groups": [{"GroupName": name} for name in _user(pool, body).groups]}


def admin_create_user(pool: Pool, body: Body) -> Body:
    mail = body.get("MessageAction") != "SUPPRESS"
    password = body.get("TemporaryPassword", "")
    if body.get("MessageAction") == "RESEND":
        user = verification.resend_invitation(pool, _user(pool, body), password)
    else:
        user = verification.invite(pool, body["Username"], _attributes(body), password, mail=mail)
    return {"User": _describe_user(user, "Attributes")}


def admin_update_user_attributes(pool: Pool, body: Body) -> None:
    user = _user(pool, body)
    users.update(pool, user, attributes=user.attributes | _attributes(body))


def list_users(pool: Pool, body: Body) -> Body:
    """Return one page of users. ``Filter`` is ``name = "value"`` or ``name ^= "prefix"``."""
    described = [_describe_user(user, "Attributes") for user in list(pool.state.people.values())]
    if body.get("Filter"):
        match = re.fullmatch(r'\s*"?([\w:]+)"?\s*(\^?=)\s*"(.*)"\s*', body["Filter"])
        if match is None:
            raise UserError(INVALID, "Error while parsing filter.")
        described = [user for user in described if _matches(user, *match.groups())]
    start, limit = int(body.get("PaginationToken", 0)), int(body.get("Limit", 60))
    more = {"PaginationToken": str(start + limit)} if start + limit < len(described) else {}
    return {"Users": described[start : start + limit]} | more


def _matches(user: Body, name: str, operator: str, value: str) -> bool:
    values = {pair["Name"]: pair["Value"] for pair in user["Attributes"]}
    values |= {"username": user["Username"], "cognito:user_status": user["UserStatus"]}
    values["status"] = "Enabled" if user["Enabled"] else "Disabled"
    actual: str = values.get(name, "")
    return actual == value if operator == "=" else actual.startswith(value)


def get_user(pool: Pool, body: Body) -> Body:
    described = _describe_user(_token_owner(pool, body))
    return {name: described[name] for name in ("Username", "UserAttributes")}


def revoke_token(pool: Pool, body: Body) -> None:
    client = grants.authenticate_client(pool, None, _client_form(body))
    grants.revoke(pool, client, body["Token"])


def get_tokens_from_refresh_token(pool: Pool, body: Body) -> Body:
    form = _client_form(body) | {"refresh_token": body["RefreshToken"]}
    tokens = grants.refresh(pool, grants.authenticate_client(pool, None, form), form)
    result = {name.title().replace("_", ""): value for name, value in tokens.items()}
    return {"AuthenticationResult": result}


def _client_form(body: Body) -> dict[str, str]:
    return {"client_id": body["ClientId"], "client_secret": body.get("ClientSecret", "")}


def describe_user_pool(pool: Pool, body: Body) -> Body:
    days = {"TemporaryPasswordValidityDays": 7}
    return {"UserPool": {"Id": pool.config.id, "Policies": {"PasswordPolicy": days}}}


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


def _set_group(member: bool) -> Callable[[Pool, Body], None]:
    return lambda pool, body: users.set_group(pool, _user(pool, body), body["GroupName"], member)


OPERATIONS: dict[str, Callable[[Pool, Body], Body | None]] = {
    "AddUserPoolClientSecret": add_user_pool_client_secret,
    "AdminAddUserToGroup": _set_group(True),
    "AdminCreateUser": admin_create_user,
    "AdminDeleteUser": lambda pool, body: users.delete(pool, _user(pool, body)),
    "AdminDisableUser": lambda pool, body: users.disable(pool, _user(pool, body)),
    "AdminEnableUser": lambda pool, body: users.enable(pool, _user(pool, body)),
    "AdminGetUser": lambda pool, body: _describe_user(_user(pool, body)),
    "AdminListGroupsForUser": admin_list_groups_for_user,
    "AdminRemoveUserFromGroup": _set_group(False),
    "AdminUpdateUserAttributes": admin_update_user_attributes,
    "AdminUserGlobalSignOut": lambda pool, body: users.sign_out_everywhere(pool, _user(pool, body)),
    "DeleteUserPoolClientSecret": delete_user_pool_client_secret,
    "DescribeUserPool": describe_user_pool,
    "DescribeUserPoolClient": describe_user_pool_client,
    "GetTokensFromRefreshToken": get_tokens_from_refresh_token,
    "GetUser": get_user,
    "GlobalSignOut": lambda pool, body: users.sign_out_everywhere(pool, _token_owner(pool, body)),
    "ListUserPoolClientSecrets": list_user_pool_client_secrets,
    "ListUsers": list_users,
    "RevokeToken": revoke_token,
}
ROUTES = (("/", "api", call, ["POST"]),)
