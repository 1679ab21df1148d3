"""The ``cognito-idp`` JSON operations an application uses at run time: ``POST /``.

The operation is named in ``X-Amz-Target``; signatures are not checked, so any AWS credentials do
(boto3: ``client("cognito-idp", endpoint_url=…, region_name="local-1")``). Errors are status 400
with ``__type``. An operation that is missing answers UnknownOperationException.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from flask import request
from werkzeug.wrappers import Response

from . import access, client_secrets, grants, people, verification
from .declarations import Client
from .errors import PersonRefused, TokenRefused
from .pool import Pool
from .records import ClientSecret, Person

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
        raise PersonRefused("UnknownOperationException", f"The local pool has no operation {name}.")
    try:
        body = json.loads(request.get_data() or b"{}")
    except ValueError:
        raise PersonRefused("SerializationException", "The body must be a JSON object.") from None
    try:
        if body.get("UserPoolId", pool.config.id) != pool.config.id:
            missing = f"User pool {body['UserPoolId']} does not exist."
            raise PersonRefused("ResourceNotFoundException", missing)
        answer = perform(pool, body)
    except KeyError as error:
        required = f"1 validation error detected: {error.args[0]} must not be null"
        raise PersonRefused(INVALID, required) from None
    except (AttributeError, TypeError, ValueError):
        raise PersonRefused(INVALID, "A member has the wrong type.") from None
    except TokenRefused as refusal:
        kind = OAUTH_ERRORS.get(refusal.error, INVALID)
        kind = "RefreshTokenReuseException" if refusal.cause == grants.REUSED else kind
        raise PersonRefused(kind, refusal.cause) from None
    pool.journal.line(f"api       {name} {body.get('Username', '')}")
    return Response(json.dumps(answer or {}), content_type=JSON)


def operation() -> str:
    return request.headers.get("X-Amz-Target", "").rpartition(".")[2][:60] or "(none)"


def exception(pool: Pool, refusal: PersonRefused) -> Response:
    body = json.dumps({"__type": refusal.error, "message": refusal.message})
    headers = {"x-amzn-ErrorType": refusal.error, "x-amzn-ErrorMessage": refusal.message}
    return Response(body, 400, headers, content_type=JSON)


def _described(person: Person, attributes_name: str = "UserAttributes") -> Body:
    attributes = {"sub": person.sub} | person.attributes
    return {
        "Username": person.username,
        attributes_name: [{"Name": k, "Value": v} for k, v in attributes.items()],
        "UserCreateDate": person.created,
        "UserLastModifiedDate": person.modified,
        "Enabled": person.enabled,
        "UserStatus": person.status,
    }


def _person(pool: Pool, body: Body) -> Person:
    return people.get(pool, body["Username"])


def _owner(pool: Pool, body: Body) -> Person:
    claims, person = access.read_access_token(pool, body["AccessToken"])
    if "aws.cognito.signin.user.admin" not in claims.get("scope", "").split():
        raise PersonRefused("NotAuthorizedException", "Access Token does not have required scopes")
    return person


def _attributes(body: Body) -> dict[str, str]:
    return {pair["Name"]: pair["Value"] for pair in body.get("UserAttributes", [])}


def admin_list_groups_for_user(pool: Pool, body: Body) -> Body:
    return {"Groups": [{"GroupName": name} for name in _person(pool, body).groups]}


def admin_create_user(pool: Pool, body: Body) -> Body:
    mail = body.get("MessageAction") != "SUPPRESS"
    password = body.get("TemporaryPassword", "")
    if body.get("MessageAction") == "RESEND":
        person = verification.invite_again(pool, _person(pool, body), password)
    else:
        person = verification.invite(pool, body["Username"], _attributes(body), password, mail=mail)
    return {"User": _described(person, "Attributes")}


def admin_update_user_attributes(pool: Pool, body: Body) -> None:
    person = _person(pool, body)
    people.update(pool, person, attributes=person.attributes | _attributes(body))


def list_users(pool: Pool, body: Body) -> Body:
    """Filter ``name = "value"`` or ``name ^= "value"`` (begins with); pages of ``Limit``."""
    found = [_described(person, "Attributes") for person in list(pool.state.people.values())]
    if body.get("Filter"):
        rule = re.fullmatch(r'\s*"?([\w:]+)"?\s*(\^?=)\s*"(.*)"\s*', body["Filter"])
        if rule is None:
            raise PersonRefused(INVALID, "Error while parsing filter.")
        found = [user for user in found if _matches(user, *rule.groups())]
    start, limit = int(body.get("PaginationToken", 0)), int(body.get("Limit", 60))
    more = {"PaginationToken": str(start + limit)} if start + limit < len(found) else {}
    return {"Users": found[start : start + limit]} | more


def _matches(user: Body, name: str, operator: str, value: str) -> bool:
    values = {pair["Name"]: pair["Value"] for pair in user["Attributes"]}
    values |= {"username": user["Username"], "cognito:user_status": user["UserStatus"]}
    values["status"] = "Enabled" if user["Enabled"] else "Disabled"
    held: str = values.get(name, "")
    return held == value if operator == "=" else held.startswith(value)


def get_user(pool: Pool, body: Body) -> Body:
    described = _described(_owner(pool, body))
    return {name: described[name] for name in ("Username", "UserAttributes")}


def revoke_token(pool: Pool, body: Body) -> None:
    client = grants.authenticate_client(pool, None, _client_form(body))
    grants.revoke(pool, client, body["Token"])


def get_tokens_from_refresh_token(pool: Pool, body: Body) -> Body:
    form = _client_form(body) | {"refresh_token": body["RefreshToken"]}
    answer = grants.refresh(pool, grants.authenticate_client(pool, None, form), form)
    names = {name.title().replace("_", ""): value for name, value in answer.items()}
    return {"AuthenticationResult": names}


def _client_form(body: Body) -> dict[str, str]:
    return {"client_id": body["ClientId"], "client_secret": body.get("ClientSecret", "")}


def describe_user_pool(pool: Pool, body: Body) -> Body:
    days = {"TemporaryPasswordValidityDays": 7}
    return {"UserPool": {"Id": pool.config.id, "Policies": {"PasswordPolicy": days}}}


def _client(pool: Pool, body: Body) -> Client:
    client = pool.config.clients.get(body["ClientId"])
    if client is None:
        missing = f"User pool client {body['ClientId']} does not exist."
        raise PersonRefused("ResourceNotFoundException", missing)
    return client


def add_user_pool_client_secret(pool: Pool, body: Body) -> Body:
    given = body.get("ClientSecret", "")
    key, record, value = client_secrets.add(pool, _client(pool, body), given)
    shown = {} if given else {"ClientSecretValue": value}
    return {"ClientSecretDescriptor": _described_secret(key, record) | shown}


def list_user_pool_client_secrets(pool: Pool, body: Body) -> Body:
    live = client_secrets.live(pool, _client(pool, body))
    return {"ClientSecrets": [_described_secret(*item) for item in live.items()]}


def _described_secret(key: str, record: ClientSecret) -> Body:
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
    return lambda pool, body: people.set_group(pool, _person(pool, body), body["GroupName"], member)


OPERATIONS: dict[str, Callable[[Pool, Body], Body | None]] = {
    "AddUserPoolClientSecret": add_user_pool_client_secret,
    "AdminAddUserToGroup": _set_group(True),
    "AdminCreateUser": admin_create_user,
    "AdminDeleteUser": lambda pool, body: people.delete(pool, _person(pool, body)),
    "AdminDisableUser": lambda pool, body: people.disable(pool, _person(pool, body)),
    "AdminEnableUser": lambda pool, body: people.enable(pool, _person(pool, body)),
    "AdminGetUser": lambda pool, body: _described(_person(pool, body)),
    "AdminListGroupsForUser": admin_list_groups_for_user,
    "AdminRemoveUserFromGroup": _set_group(False),
    "AdminUpdateUserAttributes": admin_update_user_attributes,
    "AdminUserGlobalSignOut": lambda pool, body: people.sign_out_everywhere(
        pool, _person(pool, body)
    ),
    "DeleteUserPoolClientSecret": delete_user_pool_client_secret,
    "DescribeUserPool": describe_user_pool,
    "DescribeUserPoolClient": describe_user_pool_client,
    "GetTokensFromRefreshToken": get_tokens_from_refresh_token,
    "GetUser": get_user,
    "GlobalSignOut": lambda pool, body: people.sign_out_everywhere(pool, _owner(pool, body)),
    "ListUserPoolClientSecrets": list_user_pool_client_secrets,
    "ListUsers": list_users,
    "RevokeToken": revoke_token,
}
ROUTES = (("/", "api", call, ["POST"]),)
