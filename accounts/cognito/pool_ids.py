"""The ID of the user pool that an issuer names.

Cognito has several issuers for one pool: the original and the updated one, and those of its replica
Regions. All end with the same pool ID
(https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html). Stored rows
need this rule, because an earlier version stored the issuer alone. Tokens do not: the verifier
compares their issuer with the accepted ones.
"""

from __future__ import annotations

import re

# The pool ID as the service model has it (botocore, cognito-idp 2016-04-18).
_POOL_ISSUER = re.compile(r"https?://[^?#]*/(?P<pool_id>[A-Za-z0-9_-]{1,53}_[0-9A-Za-z]+)")


def pool_id_of(issuer: str) -> str:
    """Return the pool ID at the end of `issuer`, or the issuer itself if it does not have one."""
    match = _POOL_ISSUER.fullmatch(issuer)
    return match["pool_id"] if match else issuer
