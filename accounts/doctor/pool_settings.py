"""The settings of the user pool that only its description shows.

The description is that of `describe-user-pool`
(https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UserPoolType.html).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..cognito.pool import Pool, aws_issuers
from ..cognito.safe_urls import is_loopback
from ..provider import aws


def fetch(pool: Pool) -> Mapping[str, Any]:
    """Return the description from AWS or from the local pool. Raise AwsError on failure."""
    response = aws.call(
        "cognito-idp",
        "describe_user_pool",
        region=pool.region,
        issuer=pool.issuer,
        UserPoolId=pool.pool_id,
    )
    return dict(response["UserPool"])


def issuer_in_use(description: Mapping[str, Any], pool: Pool) -> str:
    """Return the issuer of the pool's new tokens, or "" for a pool that is not at AWS."""
    if is_loopback(pool.issuer):
        return ""
    original, updated = aws_issuers(pool.pool_id, [pool.region])
    return updated if _is_updated(description) else original


def issuer_note(description: Mapping[str, Any], pool: Pool) -> str:
    """Return which type of issuer the pool uses, and which issuers this site accepts."""
    name = "updated" if _is_updated(description) else "original"
    accepted = ", ".join(pool.issuers)
    return f"the pool issues tokens with its {name} issuer; this site accepts {accepted}"


def _is_updated(description: Mapping[str, Any]) -> bool:
    # Without the member, the pool is older than the updated issuer.
    return (description.get("IssuerConfiguration") or {}).get("Type") == "UPDATED"
