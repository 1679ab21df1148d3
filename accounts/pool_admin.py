"""What only the pool's administrator may do: end all of a person's tokens at Cognito.

Needs boto3 and AWS credentials with `cognito-idp:AdminUserGlobalSignOut` for the pool
(https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminUserGlobalSignOut.html).
Without them nothing is asked of AWS: signing out everywhere then ends what this site knows of.
"""

from __future__ import annotations

import logging
import os
from functools import lru_cache
from typing import Any

from .provider import provider

# Credentials are looked for only where one of these says that there are some: boto3's last resort
# is to ask a metadata service, which off AWS means waiting for an address that nobody has.
_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_log = logging.getLogger(__name__)
_SECONDS = 2  # signing out must not wait longer for a provider that does not answer


def global_sign_out(username: str) -> bool:
    """End all tokens of the pool's user `username`. False: AWS was asked and did not do it."""
    client = _client()
    if client is None or not username:
        return True
    try:
        client.admin_user_global_sign_out(UserPoolId=provider().config.pool_id, Username=username)
    except client.exceptions.UserNotFoundException:
        return True  # nobody left to sign out
    except Exception as error:  # boto3's errors have no common class; all mean the same here
        _log.error("AdminUserGlobalSignOut failed: %s", error)
        return False
    return True


@lru_cache(maxsize=1)
def _client() -> Any:
    """A client, None without boto3 or credentials. AWS's own variables say which credentials, and
    AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER which other endpoint."""
    if not any(os.environ.get(name) for name in _CREDENTIALS):
        return None
    try:
        import boto3  # optional: not among what this project installs for a server
        from botocore.config import Config
    except ImportError:
        return None
    config = Config(
        connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"total_max_attempts": 1}
    )
    return boto3.client("cognito-idp", region_name=provider().config.region, config=config)


def forget_client() -> None:
    """Look for credentials anew (tests do)."""
    _client.cache_clear()
