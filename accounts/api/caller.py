"""The description of the caller at /api/user, from the access token or the browser's sign-in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rest_framework.request import Request

from ..cognito.claims import AccessClaims
from ..core.times import to_utc
from ..models import Identity, SignIn
from ..users.copied_claims import email_of
from ..users.groups import pool_groups
from ..users.token_rights import effective_scopes


def describe_caller(request: Request, *, with_permissions: bool = False) -> dict[str, Any]:
    """Return `{"identity": {sub, userName, clientId}, "data": {…}}` of an authenticated request."""
    claims = request.auth if isinstance(request.auth, AccessClaims) else None
    sign_in: SignIn | None = getattr(request, "sign_in", None) if claims is None else None
    source = claims or sign_in
    identity = _identity(claims, sign_in)
    user: Any = request.user
    permissions = {"permissions": sorted(user.get_all_permissions())} if with_permissions else {}
    return {
        "identity": {
            "sub": source.subject if source else "",
            "userName": _user_name(request, claims, identity),
            "clientId": source.client_id if source else "",
        },
        "data": {
            "email": (identity.email if identity else email_of(user)) or None,
            "name": (identity.name if identity else "") or None,
            "groups": list(pool_groups(request)),
            "scopes": sorted(effective_scopes(claims)) if claims else [],
            **permissions,
            "tokenExpiresAt": _expiry(claims, sign_in),
        },
    }


def _identity(claims: AccessClaims | None, sign_in: SignIn | None) -> Identity | None:
    if claims is not None:
        return Identity.objects.get_exact(claims)
    return sign_in.identity if sign_in is not None else None


def _user_name(
    request: Request, claims: AccessClaims | None, identity: Identity | None
) -> str | None:
    if claims is not None:
        return claims.username
    return identity.username if identity else str(request.user.get_username())


def _expiry(claims: AccessClaims | None, sign_in: SignIn | None) -> datetime | None:
    if claims is not None:
        return datetime.fromtimestamp(claims.expires_at, UTC)
    if sign_in is None or sign_in.is_break_glass:
        return None
    return to_utc(sign_in.access_expires_at)
