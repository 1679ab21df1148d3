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

from . import access, grants, people, verification
from .errors import PersonRefused, TokenRefused
from .pool import Pool
from .records import Person

Body = dict[str, Any]
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
        assert isinstance(body, dict)  # noqa: S101 (caught below)
    except (ValueError, AssertionError):
        raise PersonRefused("SerializationException", "The body must be a JSON object.") from None
    if body.get("UserPoolId", pool.config.id) != pool.config.id:
        missing = f"User pool {body['UserPoolId']} does not exist."
        raise PersonRefused("ResourceNotFoundException", missing)
    try:
        answer = perform(pool, body)
    except KeyError as error:
        required = f"1 validation error detected: {error.args[0]} must not be null"
        raise PersonRefused("InvalidParameterException", required) from None
    except (AttributeError, TypeError, ValueError):
        raise PersonRefused("InvalidParameterException", "A member has the wrong type.") from None
    except TokenRefused as refusal:
        kind = OAUTH_ERRORS.get(refusal.error, "InvalidParameterException")
        kind = "RefreshTokenReuseException" if refusal.cause == grants.REUSED else kind
        raise PersonRefused(kind, refusal.cause) from None
    pool.journal.line(f"api       {name} {body.get('Username', '')}")
    return Response(json.dumps(answer), 200, content_type="application/x-amz-json-1.1")


def operation() -> str:
    return request.headers.get("X-Amz-Target", "").rpartition(".")[2][:60] or "(none)"


def exception(pool: Pool, refusal: PersonRefused) -> Response:
    body = json.dumps({"__type": refusal.type, "message": refusal.message})
    headers = {"x-amzn-ErrorType": refusal.type, "x-amzn-ErrorMessage": refusal.message}
    return Response(body, 400, headers, content_type="application/x-amz-json-1.1")


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


def _attributes(body: Body) -> dict[str, str]:
    return {pair["Name"]: pair["Value"] for pair in body.get("UserAttributes", [])}


def _group(name: str) -> Body:
    return {"GroupName": name}


def admin_create_user(pool: Pool, body: Body) -> Body:
    mail = body.get("MessageAction") != "SUPPRESS"
    password = body.get("TemporaryPassword", "")
    person = verification.invite(pool, body["Username"], _attributes(body), password, mail=mail)
    return {"User": _described(person, "Attributes")}


def admin_update_user_attributes(pool: Pool, body: Body) -> Body:
    person = people.get(pool, body["Username"])
    people.update(pool, person, attributes=person.attributes | _attributes(body))
    return {}


def admin_set_user_password(pool: Pool, body: Body) -> Body:
    person = people.get(pool, body["Username"])
    people.set_password(pool, person, body["Password"], temporary=not body.get("Permanent"))
    return {}


def _on_person(verb: Callable[[Pool, Person], object]) -> Callable[[Pool, Body], Body]:
    def perform(pool: Pool, body: Body) -> Body:
        verb(pool, people.get(pool, body["Username"]))
        return {}

    return perform


def _membership(member: bool) -> Callable[[Pool, Body], Body]:
    def perform(pool: Pool, body: Body) -> Body:
        people.set_group(pool, people.get(pool, body["Username"]), body["GroupName"], member)
        return {}

    return perform


def list_users(pool: Pool, body: Body) -> Body:
    """Filter ``name = "value"`` or ``name ^= "value"`` (begins with); pages of ``Limit``."""
    found = [_described(person, "Attributes") for person in list(pool.state.people.values())]
    if body.get("Filter"):
        rule = re.fullmatch(r'\s*"?([\w:]+)"?\s*(\^?=)\s*"(.*)"\s*', body["Filter"])
        if rule is None:
            raise PersonRefused("InvalidParameterException", "Error while parsing filter.")
        found = [user for user in found if _matches(user, *rule.groups())]
    start, limit = int(body.get("PaginationToken", 0)), int(body.get("Limit", 60))
    more = {"PaginationToken": str(start + limit)} if start + limit < len(found) else {}
    return {"Users": found[start : start + limit]} | more


def _matches(user: Body, name: str, operator: str, value: str) -> bool:
    values = {pair["Name"]: pair["Value"] for pair in user["Attributes"]}
    values["username"] = user["Username"]
    values["cognito:user_status"] = user["UserStatus"]
    values["status"] = "Enabled" if user["Enabled"] else "Disabled"
    held: str = values.get(name, "")
    return held == value if operator == "=" else held.startswith(value)


def _owner(pool: Pool, body: Body) -> Person:
    claims, person = access.read_access_token(pool, body["AccessToken"])
    if "aws.cognito.signin.user.admin" not in claims.get("scope", "").split():
        raise PersonRefused("NotAuthorizedException", "Access Token does not have required scopes")
    return person


def global_sign_out(pool: Pool, body: Body) -> Body:
    people.sign_out_everywhere(pool, _owner(pool, body))
    return {}


def get_user(pool: Pool, body: Body) -> Body:
    described = _described(_owner(pool, body))
    return {name: described[name] for name in ("Username", "UserAttributes")}


def _client_form(body: Body, **added: str) -> dict[str, str]:
    secret = {"client_secret": body["ClientSecret"]} if "ClientSecret" in body else {}
    return {"client_id": body["ClientId"]} | secret | added


def revoke_token(pool: Pool, body: Body) -> Body:
    client = grants.authenticate_client(pool, None, _client_form(body))
    grants.revoke(pool, client, body["Token"])
    return {}


def get_tokens_from_refresh_token(pool: Pool, body: Body) -> Body:
    form = _client_form(body, refresh_token=body["RefreshToken"])
    answer = grants.refresh(pool, grants.authenticate_client(pool, None, form), form)
    names = {"".join(part.title() for part in name.split("_")): v for name, v in answer.items()}
    return {"AuthenticationResult": names}


def describe_user_pool_client(pool: Pool, body: Body) -> Body:
    client = pool.config.clients.get(body["ClientId"])
    if client is None:
        missing = f"User pool client {body['ClientId']} does not exist."
        raise PersonRefused("ResourceNotFoundException", missing)
    config = pool.config
    rotation = {
        "Feature": "ENABLED" if config.rotate_refresh_tokens else "DISABLED",
        "RetryGracePeriodSeconds": config.refresh_grace_seconds,
    }
    secret = {"ClientSecret": client.secret} if client.secret else {}
    described = secret | {
        "UserPoolId": config.id,
        "ClientId": client.client_id,
        "ClientName": client.name or client.client_id,
        "AllowedOAuthFlows": list(client.flows),
        "AllowedOAuthFlowsUserPoolClient": True,
        "AllowedOAuthScopes": list(client.scopes),
        "CallbackURLs": list(client.callback_urls),
        "LogoutURLs": list(client.logout_urls),
        "SupportedIdentityProviders": ["COGNITO"],
        "EnableTokenRevocation": True,
        "PreventUserExistenceErrors": "ENABLED"
        if config.prevent_user_existence_errors
        else "LEGACY",
        "RefreshTokenRotation": rotation,
        "AccessTokenValidity": config.access_token_seconds,
        "IdTokenValidity": config.id_token_seconds,
        "RefreshTokenValidity": config.refresh_token_seconds,
        "TokenValidityUnits": dict.fromkeys(("AccessToken", "IdToken", "RefreshToken"), "seconds"),
    }
    return {"UserPoolClient": described}


OPERATIONS: dict[str, Callable[[Pool, Body], Body]] = {
    "AdminAddUserToGroup": _membership(True),
    "AdminCreateUser": admin_create_user,
    "AdminDeleteUser": _on_person(people.delete),
    "AdminDisableUser": _on_person(lambda pool, person: people.set_enabled(pool, person, False)),
    "AdminEnableUser": _on_person(lambda pool, person: people.set_enabled(pool, person, True)),
    "AdminGetUser": lambda pool, body: _described(people.get(pool, body["Username"])),
    "AdminListGroupsForUser": lambda pool, body: {
        "Groups": [_group(name) for name in people.get(pool, body["Username"]).groups]
    },
    "AdminRemoveUserFromGroup": _membership(False),
    "AdminSetUserPassword": admin_set_user_password,
    "AdminUpdateUserAttributes": admin_update_user_attributes,
    "AdminUserGlobalSignOut": _on_person(people.sign_out_everywhere),
    "DescribeUserPoolClient": describe_user_pool_client,
    "GetTokensFromRefreshToken": get_tokens_from_refresh_token,
    "GetUser": get_user,
    "GlobalSignOut": global_sign_out,
    "ListGroups": lambda pool, body: {"Groups": [_group(name) for name in pool.config.groups]},
    "ListUsers": list_users,
    "RevokeToken": revoke_token,
}
ROUTES = (("/", "api", call, ["POST"]),)
