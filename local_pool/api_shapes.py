"""Structures that several operations of the API accept or return."""

from collections.abc import Callable, Sequence
from typing import Any

from . import access, users
from .declarations import Client
from .errors import INVALID, UserError
from .pool import Pool
from .records import PoolUser
from .tokens import Claims

Body = dict[str, Any]
Operations = dict[str, Callable[[Pool, Body], Body | None]]
ACCOUNT = "000000000000"  # of AWS, in ARNs


def find_user(pool: Pool, body: Body) -> PoolUser:
    """Return the user that an administrator's request names by username, alias or ``sub``."""
    return users.get(pool, body["Username"])


def token_owner(pool: Pool, body: Body) -> tuple[Claims, PoolUser]:
    """Return the claims and the owner of an access token with the scope for one's own account."""
    claims, user = access.read_access_token(pool, body["AccessToken"])
    if "aws.cognito.signin.user.admin" not in claims.get("scope", "").split():
        raise UserError("NotAuthorizedException", "Access Token does not have required scopes")
    return claims, user


def find_client(pool: Pool, body: Body) -> Client:
    client = pool.clients.get(body["ClientId"])
    if client is None:
        missing = f"User pool client {body['ClientId']} does not exist."
        raise UserError("ResourceNotFoundException", missing)
    return client


def describe_user(
    user: PoolUser, attributes_name: str = "UserAttributes", only: Sequence[str] | None = None
) -> Body:
    attributes = {"sub": user.sub} | user.attributes
    return {
        "Username": user.username,
        attributes_name: [
            {"Name": k, "Value": v} for k, v in attributes.items() if only is None or k in only
        ],
        "UserCreateDate": user.created,
        "UserLastModifiedDate": user.modified,
        "Enabled": user.enabled,
        "UserStatus": user.status,
    }


def describe_mfa(user: PoolUser) -> Body:
    """Return the members about second factors, which are absent if the user has none."""
    preferred = {"PreferredMfaSetting": user.preferred_mfa} if user.preferred_mfa else {}
    return preferred | ({"UserMFASettingList": list(user.mfa)} if user.mfa else {})


def attributes_of(body: Body) -> dict[str, str]:
    return {pair["Name"]: pair.get("Value", "") for pair in body.get("UserAttributes") or []}


def page(
    body: Body,
    name: str,
    items: Sequence[Any],
    limit: str = "Limit",
    token: str = "NextToken",  # noqa: S107 (the name of a member)
) -> Body:
    """Return one page of a list, and the token for the next one."""
    sent = str(body.get(token) or "0")
    if not sent.isdecimal():
        raise UserError(INVALID, f"{token} is not valid.")
    start, size = int(sent), body.get(limit) or 60
    more = {token: str(start + size)} if start + size < len(items) else {}
    return {name: list(items[start : start + size])} | more
