"""What only the pool's administrator may do: end all of a person's tokens at Cognito.

Needs boto3 and AWS credentials with `cognito-idp:AdminUserGlobalSignOut` for the pool
(https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminUserGlobalSignOut.html).
Without them nothing is asked of AWS: signing out everywhere then ends what this site knows of.
"""

from __future__ import annotations

import logging
import os

from . import aws
from .provider import provider

# Credentials are used only where one of these says that there are some: boto3's last resort is to
# ask a metadata service, which off AWS means waiting for an address that nobody has.
_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_SECONDS = 2.0  # signing out must not wait longer for a provider that does not answer
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
            seconds=_SECONDS,
            UserPoolId=config.pool_id,
            Username=username,
        )
    except aws.AwsProblem as problem:
        if problem.code == "UserNotFoundException":
            return True  # nobody left to sign out
        _log.error("AdminUserGlobalSignOut failed. %s", problem)
        return False
    return True
