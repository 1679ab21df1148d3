"""Revoke access tokens that were already issued."""

from __future__ import annotations

import time
from datetime import timedelta

from django.utils import timezone

from ..cognito.claims import AccessClaims, IdClaims
from ..core import metrics
from ..models import Identity, PoolSubject, Revocation, pool_of
from ..problems.errors import SignedOutEverywhere
from ..provider import provider

# A revocation must outlive the tokens that it revokes, even if the clocks of pool, servers and
# database differ: a token may be dated a minute ahead (claim_checks.CLOCK_SKEW_SECONDS).
EXPIRY_MARGIN = timedelta(minutes=2)


def revoke_sign_in(token_id: str) -> None:
    """Revoke the access tokens with this `origin_jti`, or this `jti` if the pool sends no other."""
    if token_id:
        _write(Revocation.Kind.SIGN_IN, token_id=token_id)


def record_clock_skew(claims: AccessClaims) -> None:
    """Record how far the pool's clock is ahead of ours, from a token whose `iat` is in the future.

    The verifier refuses a token that is more than CLOCK_SKEW_SECONDS ahead.
    """
    ahead = claims.issued_at - time.time()
    if ahead > _ahead.get(claims.pool_id, 0.0):
        _ahead[claims.pool_id] = ahead


_ahead: dict[str, float] = {}  # seconds by pool ID, for the lifetime of the process


def revoke_user(key: PoolSubject) -> None:
    """Revoke all access tokens of this pool user that were issued up to now, by the pool's clock.

    They are revoked under every issuer of the pool.

    A second is added, because synchronized clocks still differ slightly. It is better to refuse a
    token issued in the second afterwards than to accept one from before.
    """
    _write(Revocation.Kind.USER, **_columns(key), not_before=_pool_time(key) + 1)


def refuse_earlier_sign_ins(identity: Identity) -> None:
    """Refuse tokens of every sign-in of this identity until now, however they are issued.

    Cognito's hosted UI may still have a session of another browser, and would issue new tokens for
    it without a password. `auth_time` shows it.
    """
    identity.auth_not_before = _pool_time(identity)
    identity.save(update_fields=["auth_not_before"])


def require_later_sign_in(claims: AccessClaims | IdClaims, identity: Identity | None) -> None:
    """Raise SignedOutEverywhere if the identity signed out everywhere after this sign-in.

    A sign-in of the same second is accepted: `auth_time` has no fractions.
    """
    if identity is None or claims.auth_time is None:
        return
    if claims.auth_time < identity.auth_not_before:
        raise SignedOutEverywhere("its user signed out everywhere after this sign-in")


def _pool_time(key: PoolSubject) -> int:
    """Return the Unix time by the clock of the pool, in whole seconds."""
    return int(timezone.now().timestamp() + _ahead.get(pool_of(key), 0.0))


def set_deactivated(key: PoolSubject, *, deactivated: bool) -> None:
    """Record that the user of this pool user was deactivated, or activated again."""
    kind = Revocation.Kind.DEACTIVATED if deactivated else Revocation.Kind.REACTIVATED
    _write(kind, **_columns(key))


def _columns(key: PoolSubject) -> dict[str, str]:
    # An earlier version reads the issuer, while both versions run.
    return {"pool_id": pool_of(key), "issuer": key.issuer, "subject": key.subject}


def _write(kind: Revocation.Kind, **values: str | int) -> None:
    lifetime = timedelta(seconds=provider().limits.access_token) + EXPIRY_MARGIN
    metrics.count("revocations", kind=str(kind))
    Revocation.objects.create(kind=kind, expires_at=timezone.now() + lifetime, **values)
