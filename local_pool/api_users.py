"""The operations of the ``cognito-idp`` API about users and their tokens."""

import re
from collections.abc import Callable
from typing import Any

from . import access, grants, users, verification
from .errors import INVALID, TokenError, UserError
from .pool import Pool
from .records import PoolUser
from .tokens import Claims

Body = dict[str, Any]


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
    return token_owner(pool, body)[1]


def token_owner(pool: Pool, body: Body) -> tuple[Claims, PoolUser]:
    """Return the claims and the owner of an access token with the scope for one's own account."""
    claims, user = access.read_access_token(pool, body["AccessToken"])
    if "aws.cognito.signin.user.admin" not in claims.get("scope", "").split():
        raise UserError("NotAuthorizedException", "Access Token does not have required scopes")
    return claims, user


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
    try:
        client = grants.authenticate_client(pool, None, _client_form(body))
    except TokenError as error:  # no other operation has this exception
        raise UserError("UnauthorizedException", error.cause) from None
    grants.revoke(pool, client, body["Token"], linked=is_linked(body))


def is_linked(body: Body) -> bool:
    """Return True if the sessions that belong to the session are to end as well."""
    choice = body.get("RevokeAssociatedSessions", "NONE")
    if choice not in ("NONE", "LINKED"):
        raise UserError(INVALID, "RevokeAssociatedSessions must be NONE or LINKED.")
    return bool(choice == "LINKED")


def get_tokens_from_refresh_token(pool: Pool, body: Body) -> Body:
    form = _client_form(body) | {"refresh_token": body["RefreshToken"]}
    tokens = grants.refresh(pool, grants.authenticate_client(pool, None, form), form)
    result = {name.title().replace("_", ""): value for name, value in tokens.items()}
    return {"AuthenticationResult": result}


def _client_form(body: Body) -> dict[str, str]:
    return {"client_id": body["ClientId"], "client_secret": body.get("ClientSecret", "")}


def _set_group(member: bool) -> Callable[[Pool, Body], None]:
    return lambda pool, body: users.set_group(pool, _user(pool, body), body["GroupName"], member)


OPERATIONS: dict[str, Callable[[Pool, Body], Body | None]] = {
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
    "GetTokensFromRefreshToken": get_tokens_from_refresh_token,
    "GetUser": get_user,
    "GlobalSignOut": lambda pool, body: users.sign_out_everywhere(pool, _token_owner(pool, body)),
    "ListUsers": list_users,
    "RevokeToken": revoke_token,
}
