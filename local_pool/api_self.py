"""The operations of a signed-in user for the own account, with the access token in the body."""

from . import attributes, cimd, passwords, users, verification
from .api_shapes import (
    Body,
    Operations,
    attributes_of,
    describe_mfa,
    describe_user,
    token_owner,
)
from .declarations import Client
from .errors import INVALID, UserError
from .pool import Pool
from .records import PoolUser


def _owner(pool: Pool, body: Body) -> PoolUser:
    return token_owner(pool, body)[1]


def _caller(pool: Pool, body: Body) -> tuple[PoolUser, Client]:
    """Return the user, and the app client whose permissions apply."""
    claims, user = token_owner(pool, body)
    name = claims["client_id"]
    return user, cimd.find_client(pool, name) or Client(name)


def get_user(pool: Pool, body: Body) -> Body:
    user, client = _caller(pool, body)
    readable = ["sub", *filter(client.can_read, user.attributes)]
    described = describe_user(user, only=readable)
    shown = {name: described[name] for name in ("Username", "UserAttributes")}
    return shown | describe_mfa(user)


def change_password(pool: Pool, body: Body) -> None:
    user = _owner(pool, body)
    users.check_attempts(pool, user.username)
    if not passwords.matches(body.get("PreviousPassword", ""), user.password):
        raise users.wrong_password(pool, user.username)
    users.set_password(pool, user, body["ProposedPassword"])


def update_user_attributes(pool: Pool, body: Body) -> Body:
    """Change attributes, and send a code to a new email address, which is not verified yet."""
    user, client = _caller(pool, body)
    changed = users.change_attributes(pool, user, attributes_of(body), client)
    email = changed.attributes.get("email")
    if not email or email == user.attributes.get("email"):
        return {"CodeDeliveryDetailsList": []}
    verification.send_code(pool, changed, verification.VERIFY)
    return {"CodeDeliveryDetailsList": [verification.delivery_details(changed)]}


def delete_user_attributes(pool: Pool, body: Body) -> None:
    user, client = _caller(pool, body)
    names = body["UserAttributeNames"]
    attributes.check(pool, dict.fromkeys(names, ""), client)
    users.update(pool, user, attributes=attributes.delete(user, names))


def get_user_attribute_verification_code(pool: Pool, body: Body) -> Body:
    user = _owner(pool, body)
    _require_email(body)
    if "email" not in user.attributes:
        raise UserError(INVALID, "User does not have an email address.")
    verification.send_code(pool, user, verification.VERIFY)
    return {"CodeDeliveryDetails": verification.delivery_details(user)}


def verify_user_attribute(pool: Pool, body: Body) -> None:
    user = _owner(pool, body)
    _require_email(body)
    users.require_free_alias(pool, user, user.attributes.get("email", ""))
    verification.use_code(pool, user, verification.VERIFY, body["Code"])
    users.update(pool, user, attributes=user.attributes | {"email_verified": "true"})


def _require_email(body: Body) -> None:
    if body["AttributeName"] != "email":
        raise UserError(INVALID, "The local pool only sends codes by email.")


OPERATIONS: Operations = {
    "ChangePassword": change_password,
    "DeleteUser": lambda pool, body: users.delete(pool, _owner(pool, body)),
    "DeleteUserAttributes": delete_user_attributes,
    "GetUser": get_user,
    "GetUserAttributeVerificationCode": get_user_attribute_verification_code,
    "GlobalSignOut": lambda pool, body: users.sign_out_everywhere(pool, _owner(pool, body)),
    "UpdateUserAttributes": update_user_attributes,
    "VerifyUserAttribute": verify_user_attribute,
}
