"""The pre-token-generation trigger: a Python function ``file.py:function`` that plays the Lambda.

It is called as AWS calls it, with ``(event, context)``, and is read again for each call. The event
has version 3 (also for machines), on the Lite plan version 1, which only changes the ID token.
https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
"""

import copy
import runpy
from dataclasses import dataclass, field
from typing import Any

from .errors import UserError
from .pool import Pool
from .records import PoolUser
from .tokens import Claims, role_claims

Details = dict[str, Any]
FIXED = {
    *("acr", "amr", "at_hash", "auth_time", "azp", "client_id", "device_key", "event_id", "exp"),
    *("iat", "identities", "iss", "jti", "nbf", "nonce", "origin_jti", "sub", "token_use"),
    *("username", "version"),
}
GROUP_CLAIMS = {
    "groupsToOverride": "cognito:groups",
    "iamRolesToOverride": "cognito:roles",
    "preferredRole": "cognito:preferred_role",
}


@dataclass(frozen=True)
class Changes:
    """What the trigger changes in the tokens."""

    access: Details = field(default_factory=dict)
    id: Details = field(default_factory=dict)
    groups: Details = field(default_factory=dict)

    def apply(self, claims: Claims) -> Claims:
        """Return the claims of an access or ID token with the changes."""
        is_id_token = "client_id" not in claims
        details = self.id if is_id_token else self.access
        changed = dict(claims)
        added, suppressed = details.get("claimsToAddOrOverride"), details.get("claimsToSuppress")
        for name, value in (added or {}).items():
            if _can_change(name, value, claims):
                changed[name] = value
        for name in suppressed or []:
            if name not in FIXED and name != "aud":
                changed.pop(name, None)
        for member, name in GROUP_CLAIMS.items():
            belongs = name == "cognito:groups" or is_id_token
            if member in self.groups and belongs and name not in (suppressed or []):
                changed[name] = self.groups[member]
        if "scope" in claims:
            scopes = [*claims["scope"].split(), *(details.get("scopesToAdd") or [])]
            removed = details.get("scopesToSuppress") or []
            changed["scope"] = " ".join(s for s in dict.fromkeys(scopes) if s not in removed)
        return changed


def _can_change(name: str, value: Any, claims: Claims) -> bool:
    if name == "aud":
        return bool(value == claims.get("client_id"))  # an ID token has no client_id
    return name not in FIXED and not name.startswith("cognito:")


def run(
    pool: Pool, source: str, client_id: str, user: PoolUser | None, scopes: list[str]
) -> Changes:
    """Call the trigger, and return its changes. Raises UserError with the message of a refusal."""
    path, _, name = pool.config.pre_token_trigger.rpartition(":")
    is_lite = pool.config.plan == "lite"
    if not path or (is_lite and user is None):
        return Changes()
    event = _event(pool, source, client_id, user, scopes)
    try:
        answer = runpy.run_path(path)[name](copy.deepcopy(event), None)["response"]
    except Exception as error:  # whatever the function raises is its refusal
        message = f"PreTokenGeneration failed with error {error}."
        raise UserError("UserLambdaValidationException", message) from error
    details = answer.get("claimsOverrideDetails" if is_lite else "claimsAndScopeOverrideDetails")
    details = details or {}
    groups = details.get("groupOverrideDetails") or {}
    groups = {member: value for member, value in groups.items() if value is not None}
    if is_lite:
        return Changes(id=details, groups=groups)
    access, identity = details.get("accessTokenGeneration"), details.get("idTokenGeneration")
    return Changes(access or {}, identity or {}, groups)


def _event(
    pool: Pool, source: str, client_id: str, user: PoolUser | None, scopes: list[str]
) -> Details:
    request: Details = {"scopes": scopes}
    if user is not None:
        attributes = user.attributes | {"sub": user.sub, "cognito:user_status": user.status}
        roles = role_claims(pool.groups_of(user))
        groups = {
            "groupsToOverride": list(user.groups),
            "iamRolesToOverride": roles.get("cognito:roles", []),
            "preferredRole": roles.get("cognito:preferred_role"),
        }
        request |= {"userAttributes": attributes, "groupConfiguration": groups}
    return {
        "version": "1" if pool.config.plan == "lite" else "3",
        "triggerSource": f"TokenGeneration_{source}",
        "region": pool.config.region,
        "userPoolId": pool.config.id,
        "userName": user.username if user else client_id,
        "callerContext": {"awsSdkVersion": "local_pool", "clientId": client_id},
        "request": request,
        "response": {},
    }
