"""The pool's people, as its administrator sees them: list, find, invite, delete.

Needs boto3 and AWS credentials with `cognito-idp:ListUsers`, and for the verbs `AdminCreateUser`,
`DescribeUserPool` and `AdminDeleteUser`; a pool on this machine takes any. Every function raises
`aws.AwsProblem`, whose sentence says what is missing.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..cognito.safe_urls import is_loopback
from . import aws
from .factory import provider
from .settings import SIGN_OUT_SECONDS

INVITED = "FORCE_CHANGE_PASSWORD"  # has not signed in with the temporary password yet
_DEFAULT_DAYS = 7  # a temporary password works so long unless the pool says otherwise


@dataclass(frozen=True)
class PoolPerson:
    """One user of the pool; `attributes` by their names there, such as `email_verified`."""

    username: str
    subject: str
    attributes: Mapping[str, str]
    enabled: bool
    status: str
    changed_at: datetime

    @property
    def email(self) -> str:
        return self.attributes.get("email", "")


def why_unavailable() -> str:
    """One or two sentences when this server has no AWS credentials; empty when it has."""
    if is_loopback(provider().config.issuer) or has_credentials():
        return ""
    return (
        "This server has no AWS credentials, so it can't ask the user pool. Give it a role, or set "
        "AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and start it again."
    )


def everyone(*, only: str = "") -> Iterator[PoolPerson]:
    """All people, or those a ListUsers filter such as `sub = "…"` lets through."""
    more: dict[str, str] = {"Filter": only} if only else {}
    while True:
        answer = _ask("list_users", **more)
        yield from map(_person, answer["Users"])
        if not answer.get("PaginationToken"):
            return
        more["PaginationToken"] = answer["PaginationToken"]


def find(subject: str) -> PoolPerson | None:
    """The person with this `sub`, or None when the pool has none."""
    quoted = subject.replace("\\", "\\\\").replace('"', '\\"')
    return next((each for each in everyone(only=f'sub = "{quoted}"')), None)


def invite(*, username: str, email: str) -> PoolPerson:
    """A new user of the pool, who is mailed a temporary password and chooses their own with it.

    The address counts as verified: the password reaches nobody else.
    """
    attributes = {"email": email, "email_verified": "true"}
    answer = _ask(
        "admin_create_user",
        Username=username,
        UserAttributes=[{"Name": name, "Value": value} for name, value in attributes.items()],
        DesiredDeliveryMediums=["EMAIL"],
    )
    return _person(answer["User"])


def invite_again(username: str) -> PoolPerson:
    """Mail another temporary password; the time it works begins anew."""
    answer = _ask("admin_create_user", Username=username, MessageAction="RESEND")
    return _person(answer["User"])


def delete(username: str) -> bool:
    """Delete a user of the pool for good. False: there was none."""
    try:
        _ask("admin_delete_user", Username=username)
    except aws.AwsProblem as problem:
        if problem.code == "UserNotFoundException":
            return False
        raise
    return True


def invitation_lasts() -> timedelta:
    """How long a temporary password works."""
    policies = _ask("describe_user_pool")["UserPool"].get("Policies", {})
    days = policies.get("PasswordPolicy", {}).get("TemporaryPasswordValidityDays")
    return timedelta(days=days or _DEFAULT_DAYS)


def _ask(operation: str, **parameters: Any) -> Mapping[str, Any]:
    config = provider().config
    return aws.call(
        "cognito-idp",
        operation,
        region=config.region,
        issuer=config.issuer,
        UserPoolId=config.pool_id,
        **parameters,
    )


def _person(described: Mapping[str, Any]) -> PoolPerson:
    attributes = {pair["Name"]: pair.get("Value", "") for pair in described["Attributes"]}
    return PoolPerson(
        username=described["Username"],
        subject=attributes["sub"],
        attributes=attributes,
        enabled=described.get("Enabled", True),
        status=described.get("UserStatus", ""),
        changed_at=described["UserLastModifiedDate"],
    )


# Credentials are used only where one of these says that there are some: boto3's last resort is to
# ask a metadata service, which off AWS means waiting for an address that nobody has.
_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_log = logging.getLogger(__name__)


def has_credentials() -> bool:
    """Whether the environment says that there are AWS credentials."""
    return any(os.environ.get(name) for name in _CREDENTIALS)


def global_sign_out(username: str) -> bool:
    """End all tokens of the pool's user `username`. False: AWS was asked and did not do it."""
    if not username or not has_credentials():
        return True
    config = provider().config
    try:
        aws.call(
            "cognito-idp",
            "admin_user_global_sign_out",
            region=config.region,
            issuer=config.issuer,
            seconds=SIGN_OUT_SECONDS,
            UserPoolId=config.pool_id,
            Username=username,
        )
    except aws.AwsProblem as problem:
        if problem.code == "UserNotFoundException":
            return True  # nobody left to sign out
        _log.error("AdminUserGlobalSignOut failed. %s", problem)
        return False
    return True
