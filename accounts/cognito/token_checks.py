"""The checks of access and ID tokens, claim by claim."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from types import MappingProxyType

from . import claim_checks as check
from .claims import AccessClaims, IdClaims, Payload
from .errors import TokenExpired


def check_access_claims(
    payload: Payload,
    *,
    issuer: str,
    client_ids: Collection[str],
    audiences: Collection[str] = (),
    now: float,
) -> AccessClaims:
    """All checks of an access token except expiry.

    ``audiences`` are the resources (RFC 8707) we answer to; a token bound to another is refused.

    Raises:
        ClaimRejected: or one of its subclasses, for the first claim that is not acceptable.
    """
    check.issuer(payload, {issuer})
    check.token_use(payload, "access")
    client_id = check.text(payload, "client_id")
    check.client("client_id", client_id, client_ids)
    check.audience(payload, {client_id, *audiences})
    check.not_before(payload, now)
    subject = check.text(payload, "sub")
    machine = subject == client_id and "username" not in payload
    return AccessClaims(
        issuer=issuer,
        subject=subject,
        client_id=client_id,
        username=None if machine else check.text(payload, "username"),
        scopes=frozenset((check.optional_text(payload, "scope") or "").split()),
        groups=check.groups(payload),
        expires_at=check.time(payload, "exp"),
        issued_at=check.past_time(payload, "iat", now),
        auth_time=_auth_time(payload, machine=machine),
        jti=check.optional_text(payload, "jti"),
        origin_jti=check.optional_text(payload, "origin_jti"),
        raw=MappingProxyType(dict(payload)),
    )


def check_id_claims(
    payload: Payload,
    *,
    issuer: str,
    client_ids: Collection[str],
    nonce: str | None,
    access_token: str | None,
    now: float,
) -> IdClaims:
    """All checks of an ID token except expiry.

    ``nonce`` None means there is none to compare (after a refresh); ``access_token`` is the one
    that came along, compared through ``at_hash``.

    Raises:
        ClaimRejected: or one of its subclasses, for the first claim that is not acceptable.
    """
    check.issuer(payload, {issuer})
    check.token_use(payload, "id")
    client_id = check.text(payload, "aud")
    check.client("aud", client_id, client_ids)
    check.authorized_party(payload, client_id)
    check.not_before(payload, now)
    if nonce is not None:
        check.nonce(payload, nonce)
    if access_token is not None:
        check.access_token_hash(payload, access_token)
    return IdClaims(
        issuer=issuer,
        subject=check.text(payload, "sub"),
        client_id=client_id,
        username=check.text(payload, "cognito:username"),
        groups=check.groups(payload),
        expires_at=check.time(payload, "exp"),
        issued_at=check.past_time(payload, "iat", now),
        auth_time=check.time(payload, "auth_time"),
        jti=check.optional_text(payload, "jti"),
        origin_jti=check.optional_text(payload, "origin_jti"),
        nonce=check.optional_text(payload, "nonce"),
        email=check.optional_text(payload, "email"),
        email_verified=check.flag(payload, "email_verified"),
        name=check.optional_text(payload, "name"),
        given_name=check.optional_text(payload, "given_name"),
        family_name=check.optional_text(payload, "family_name"),
        raw=MappingProxyType(dict(payload)),
    )


def _auth_time(payload: Payload, *, machine: bool) -> int | None:
    if machine and "auth_time" not in payload:
        return None  # nobody signed in
    return check.time(payload, "auth_time")


def check_expiry(claims: AccessClaims | IdClaims, *, now: float) -> None:
    """The one check whose outcome changes with time; without leeway.

    Raises:
        TokenExpired: carries the claims, every other check having passed.
    """
    if now >= claims.expires_at:
        ended = datetime.fromtimestamp(claims.expires_at, tz=UTC)
        message = f"expired at {ended:%Y-%m-%dT%H:%M:%SZ}"
        raise TokenExpired(message, claims=claims, now=now)
