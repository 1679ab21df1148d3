"""The checks of access and ID tokens whose signature is verified, claim by claim.

Types are checked strictly: JSON and Python allow more numbers and strings than Cognito sends.
Expiry is the last check and a separate one, because an expired token is genuine otherwise.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType

from . import claim_checks as check
from .claims import AccessClaims, IdClaims, Payload
from .errors import TokenExpired
from .resources import canonical


@dataclass(frozen=True, kw_only=True)
class AccessRules:
    """The access tokens that an API accepts beyond unbound ones of the listed app clients.

    ``resources`` are the identifiers of this API. A token that is bound to another resource is
    refused (RFC 8707). A token of an app client that is not listed is accepted if it is bound to
    one of them and has one of ``unlisted_scopes``. ``actors`` may act for the subject of a token
    (``sub`` of ``act``, RFC 8693 section 4.1).
    """

    resources: tuple[str, ...] = ()
    unlisted_scopes: frozenset[str] = frozenset()
    actors: frozenset[str] = frozenset()
    audiences: frozenset[str] = field(init=False, repr=False)  # in their canonical form

    def __post_init__(self) -> None:
        object.__setattr__(self, "audiences", frozenset(map(canonical, self.resources)))


UNBOUND_ONLY = AccessRules()


def check_access_claims(
    payload: Payload,
    *,
    pool_id: str,
    issuer: str,
    client_ids: Collection[str],
    rules: AccessRules,
    now: float,
) -> AccessClaims:
    """Return the claims of an access token, after all checks except expiry.

    Raises:
        ClaimRejected: the first claim that is not acceptable (often as a subclass).
    """
    check.token_use(payload, "access")
    client_id = check.text(payload, "client_id")
    scopes = frozenset((check.optional_text(payload, "scope") or "").split())
    audience = check.audience(payload)
    if audience == (client_id,):
        audience = ()  # a pre token generation trigger can add the client ID, and nothing else
    if audience:
        check.resource(audience, rules.audiences)
    if not (audience and scopes & rules.unlisted_scopes):
        check.client("client_id", client_id, client_ids)
    actors = check.actors(payload, rules.actors)
    check.not_before(payload, now)
    subject = check.text(payload, "sub")
    is_machine = subject == client_id and "username" not in payload
    return AccessClaims(
        pool_id=pool_id,
        issuer=issuer,
        subject=subject,
        client_id=client_id,
        username=None if is_machine else check.text(payload, "username"),
        scopes=scopes,
        groups=check.names(payload, "cognito:groups"),
        expires_at=check.time(payload, "exp"),
        issued_at=check.past_time(payload, "iat", now),
        auth_time=_auth_time(payload, is_machine=is_machine),
        acr=check.optional_text(payload, "acr"),
        amr=check.names(payload, "amr") or (),
        jti=check.optional_text(payload, "jti"),
        origin_jti=check.optional_text(payload, "origin_jti"),
        audience=audience,
        actors=actors,
        raw=MappingProxyType(payload),
    )


def check_id_claims(
    payload: Payload,
    *,
    pool_id: str,
    issuer: str,
    client_ids: Collection[str],
    nonce: str | None,
    access_token: str | None,
    now: float,
) -> IdClaims:
    """Return the claims of an ID token, after all checks except expiry.

    ``nonce`` is None if it is not to be checked (after a refresh). ``access_token`` is the one that
    was issued with the ID token. It is compared with ``at_hash``, unless it is None.

    Raises:
        ClaimRejected: the first claim that is not acceptable (often as a subclass).
    """
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
        pool_id=pool_id,
        issuer=issuer,
        subject=check.text(payload, "sub"),
        client_id=client_id,
        username=check.text(payload, "cognito:username"),
        groups=check.names(payload, "cognito:groups"),
        expires_at=check.time(payload, "exp"),
        issued_at=check.past_time(payload, "iat", now),
        auth_time=check.time(payload, "auth_time"),
        acr=check.optional_text(payload, "acr"),
        amr=check.names(payload, "amr") or (),
        jti=check.optional_text(payload, "jti"),
        origin_jti=check.optional_text(payload, "origin_jti"),
        nonce=check.optional_text(payload, "nonce"),
        email=check.profile_text(payload, "email"),
        email_verified=check.flag(payload, "email_verified"),
        name=check.profile_text(payload, "name"),
        given_name=check.profile_text(payload, "given_name"),
        family_name=check.profile_text(payload, "family_name"),
        raw=MappingProxyType(payload),
    )


def _auth_time(payload: Payload, *, is_machine: bool) -> int | None:
    if is_machine and "auth_time" not in payload:
        return None  # no user signed in
    return check.time(payload, "auth_time")


def check_expiry(claims: AccessClaims | IdClaims, *, now: float) -> None:
    """Check that the token has not expired. There is no leeway.

    Raises:
        TokenExpired: the token has expired. The error has its verified claims.
    """
    if now >= claims.expires_at:
        expiry = datetime.fromtimestamp(claims.expires_at, tz=UTC)
        message = f"This token expired at {expiry:%Y-%m-%dT%H:%M:%SZ}. Request a new one."
        raise TokenExpired(message, claims=claims, now=now)
