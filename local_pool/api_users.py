"""The operations of an administrator about users."""

import re

from . import attributes, users, verification
from .api_shapes import (
    Body,
    Operations,
    attributes_of,
    describe_mfa,
    describe_user,
    find_user,
    page,
)
from .api_sign_up import require_resettable
from .errors import INVALID, UserError
from .pool import Pool
from .records import PoolUser

SEARCHABLE = (
    *("username", "email", "phone_number", "name", "given_name", "family_name"),
    *("preferred_username", "cognito:user_status", "status", "sub"),
)
FILTER = re.compile(r'\s*"?([\w:]+)"?\s*(\^?=)\s*"((?:[^"\\]|\\.)*)"\s*', re.ASCII)


def admin_create_user(pool: Pool, body: Body) -> Body:
    mail = body.get("MessageAction") != "SUPPRESS"
    password, name = body.get("TemporaryPassword", ""), body["Username"]
    if body.get("MessageAction") == "RESEND":
        user = verification.resend_invitation(pool, find_user(pool, body), password)
        return {"User": describe_user(user, "Attributes")}
    sent = attributes.check(pool, attributes_of(body), is_new=True)
    email = sent.get("email", "").lower() if sent.get("email_verified") == "true" else ""
    if email and not body.get("ForceAliasCreation") and users.find(pool, email):
        message = "An account with the email already exists."
        raise UserError("UsernameExistsException", message)
    user = verification.invite(pool, name, sent, password, mail=mail)
    if email:
        users.release_alias(pool, user, email)
    return {"User": describe_user(user, "Attributes")}


def admin_get_user(pool: Pool, body: Body) -> Body:
    user = find_user(pool, body)
    return describe_user(user) | describe_mfa(user)


def admin_update_user_attributes(pool: Pool, body: Body) -> None:
    users.change_attributes(pool, find_user(pool, body), attributes_of(body))


def admin_delete_user_attributes(pool: Pool, body: Body) -> None:
    user, names = find_user(pool, body), body["UserAttributeNames"]
    attributes.check(pool, dict.fromkeys(names, ""))
    users.update(pool, user, attributes=attributes.delete(user, names))


def admin_set_user_password(pool: Pool, body: Body) -> None:
    status = "CONFIRMED" if body.get("Permanent") else "FORCE_CHANGE_PASSWORD"
    users.set_password(pool, find_user(pool, body), body["Password"], status)


def admin_confirm_sign_up(pool: Pool, body: Body) -> None:
    """Confirm a user without a code. The email address stays unverified."""
    user = find_user(pool, body)
    if user.status != "UNCONFIRMED":
        message = f"User cannot be confirmed. Current status is {user.status}"
        raise UserError("NotAuthorizedException", message)
    users.update(pool, user, status="CONFIRMED")


def admin_reset_user_password(pool: Pool, body: Body) -> None:
    """Refuse the password from now on, and send a code for a new one."""
    user = find_user(pool, body)
    require_resettable(user)
    verification.send_code(pool, users.update(pool, user, status="RESET_REQUIRED"), "reset")


def list_users(pool: Pool, body: Body) -> Body:
    """Return one page of users. ``Filter`` is ``name = "value"`` or ``name ^= "prefix"``."""
    matching = list(pool.state.people.values())
    if body.get("Filter"):
        match = FILTER.fullmatch(body["Filter"])
        if match is None:
            raise UserError(INVALID, "Error while parsing filter.")
        if match[1] not in SEARCHABLE:
            raise UserError(INVALID, f"Invalid search attribute: {match[1]}")
        matching = [user for user in matching if _matches(user, *match.groups())]
    only = body.get("AttributesToGet") or None
    described = [describe_user(user, "Attributes", only) for user in matching]
    return page(body, "Users", described, token="PaginationToken")  # noqa: S106 (a member's name)


def _matches(user: PoolUser, name: str, operator: str, value: str) -> bool:
    values = user.attributes | {
        "sub": user.sub,
        "username": user.username,
        "cognito:user_status": user.status,
        "status": "Enabled" if user.enabled else "Disabled",
    }
    actual: str = values.get(name, "")
    value = re.sub(r"\\(.)", r"\1", value)
    if name == "cognito:user_status":  # the only one without regard to case
        value = value.upper()
    return actual == value if operator == "=" else actual.startswith(value)


OPERATIONS: Operations = {
    "AdminConfirmSignUp": admin_confirm_sign_up,
    "AdminCreateUser": admin_create_user,
    "AdminDeleteUser": lambda pool, body: users.delete(pool, find_user(pool, body)),
    "AdminDeleteUserAttributes": admin_delete_user_attributes,
    "AdminDisableUser": lambda pool, body: users.disable(pool, find_user(pool, body)),
    "AdminEnableUser": lambda pool, body: users.enable(pool, find_user(pool, body)),
    "AdminGetUser": admin_get_user,
    "AdminResetUserPassword": admin_reset_user_password,
    "AdminSetUserPassword": admin_set_user_password,
    "AdminUpdateUserAttributes": admin_update_user_attributes,
    "AdminUserGlobalSignOut": lambda pool, body: users.sign_out_everywhere(
        pool, find_user(pool, body)
    ),
    "ListUsers": list_users,
}
