"""List, find, invite, delete and sign out users of the pool through the AWS API.

This requires boto3 and AWS credentials with `cognito-idp:ListUsers`, and for the other calls
`AdminCreateUser`, `DescribeUserPool`, `AdminDeleteUser`, `AdminUserGlobalSignOut`,
`AdminListUserSessions` and `AdminRevokeUserSession`. A pool on this machine accepts any
credentials. The functions raise `aws.AwsError`, whose text says what to
do.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..cognito.safe_urls import is_loopback
from ..cognito.user_sessions import UserSession, parse_sessions
from . import aws
from .factory import provider
from .settings import SIGN_OUT_SECONDS

INVITED = "FORCE_CHANGE_PASSWORD"  # the user has not signed in with the temporary password yet
_DEFAULT_DAYS = 7  # the lifetime of a temporary password if the pool does not set it


@dataclass(frozen=True)
class PoolUser:
    """A user of the pool. `attributes` have the pool's names, such as `email_verified`."""

    username: str
    subject: str
    attributes: Mapping[str, str]
    enabled: bool
    status: str
    changed_at: datetime

    @property
    def email(self) -> str:
        return self.attributes.get("email", "")


def unavailable_reason() -> str:
    """Return a message if this server has no AWS credentials, else ""."""
    if is_loopback(provider().config.issuer) or has_credentials():
        return ""
    return (
        "This server has no AWS credentials, so it can't read the user pool. Assign a role to it, "
        "or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and restart it."
    )


def list_users(*, only: str = "") -> Iterator[PoolUser]:
    """Yield all users, or those that match a ListUsers filter such as `sub = "…"`."""
    parameters: dict[str, Any] = {"Filter": only} if only else {}
    while True:
        response = _call("list_users", **parameters)
        yield from map(_pool_user, response["Users"])
        if not response.get("PaginationToken"):
            return
        parameters["PaginationToken"] = response["PaginationToken"]


def get_user(subject: str) -> PoolUser | None:
    """Return the user with this `sub`, or None if the pool has none."""
    quoted = subject.replace("\\", "\\\\").replace('"', '\\"')
    return next(list_users(only=f'sub = "{quoted}"'), None)


def invite(*, username: str, email: str) -> PoolUser:
    """Create a user in the pool. Cognito sends the user an email with a temporary password.

    The email address counts as verified, because only its owner receives the password.
    """
    attributes = {"email": email, "email_verified": "true"}
    response = _call(
        "admin_create_user",
        Username=username,
        UserAttributes=[{"Name": name, "Value": value} for name, value in attributes.items()],
        DesiredDeliveryMediums=["EMAIL"],
    )
    return _pool_user(response["User"])


def resend_invitation(username: str) -> PoolUser:
    """Send another temporary password, with a new expiry time."""
    response = _call("admin_create_user", Username=username, MessageAction="RESEND")
    return _pool_user(response["User"])


def delete(username: str) -> bool:
    """Delete a user of the pool permanently. Return False if there was none."""
    try:
        _call("admin_delete_user", Username=username)
    except aws.AwsError as error:
        if error.code == "UserNotFoundException":
            return False
        raise
    return True


def list_sessions(username: str) -> list[UserSession]:
    """Return the sessions of this user that the pool tracks, or none if there is no such user."""
    try:
        return parse_sessions(
            _call("admin_list_user_sessions", seconds=SIGN_OUT_SECONDS, Username=username)
        )
    except aws.AwsError as error:
        if error.code == "UserNotFoundException":
            return []
        raise


def revoke_session(username: str, session_id: str) -> None:
    """End a session of this user at Cognito, and those that belong to it."""
    try:
        _call(
            "admin_revoke_user_session",
            seconds=SIGN_OUT_SECONDS,
            Username=username,
            SessionId=session_id,
            RevokeAssociatedSessions="LINKED",
        )
    except aws.AwsError as error:  # the session has ended, or is that of another identity
        if error.code not in ("ResourceNotFoundException", "UserNotFoundException"):
            raise


def invitation_lifetime() -> timedelta:
    """Return the lifetime of a temporary password."""
    policies = _call("describe_user_pool")["UserPool"].get("Policies", {})
    days = policies.get("PasswordPolicy", {}).get("TemporaryPasswordValidityDays")
    return timedelta(days=days or _DEFAULT_DAYS)


def _call(operation: str, *, seconds: float | None = None, **parameters: Any) -> Mapping[str, Any]:
    config = provider().config
    return aws.call(
        "cognito-idp",
        operation,
        region=config.region,
        issuer=config.issuer,
        seconds=seconds,
        UserPoolId=config.pool_id,
        **parameters,
    )


def _pool_user(user: Mapping[str, Any]) -> PoolUser:
    attributes = {pair["Name"]: pair.get("Value", "") for pair in user["Attributes"]}
    return PoolUser(
        username=user["Username"],
        subject=attributes["sub"],
        attributes=attributes,
        enabled=user.get("Enabled", True),
        status=user.get("UserStatus", ""),
        changed_at=user["UserLastModifiedDate"],
    )


# Without one of these variables, AWS is not called: boto3 would at last call a metadata service,
# and outside of AWS it would wait for an IP address that does not exist.
_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_log = logging.getLogger(__name__)


def has_credentials() -> bool:
    """Return True if the environment names AWS credentials."""
    return any(os.environ.get(name) for name in _CREDENTIALS)


def global_sign_out(username: str) -> bool:
    """Revoke all tokens of the user `username` of the pool. Return False if the call failed."""
    if not username or not has_credentials():
        return True
    try:
        _call("admin_user_global_sign_out", seconds=SIGN_OUT_SECONDS, Username=username)
    except aws.AwsError as error:
        if error.code == "UserNotFoundException":
            return True  # the pool has no such user any more
        _log.error("AdminUserGlobalSignOut failed. %s", error)
        return False
    return True
