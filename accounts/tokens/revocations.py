"""Revoke access tokens that were already issued."""

from __future__ import annotations

import time
from datetime import timedelta

from django.utils import timezone

from ..cognito.claims import AccessClaims
from ..core import metrics
from ..models import Revocation
from ..provider import provider

# A revocation outlives the tokens it stops, also where the clocks of pool, servers and database
# differ: a token may be dated a minute ahead of us (claim_checks.CLOCK_SKEW_SECONDS).
KEPT_LONGER = timedelta(minutes=2)


def revoke_sign_in(token_id: str) -> None:
    """Tokens with this `origin_jti` (or, where the pool sends none, this `jti`) stop counting."""
    if token_id:
        _write(Revocation.Kind.SIGN_IN, token_id=token_id)


def compare_clocks(claims: AccessClaims) -> None:
    """Learn from a verified token, when it is first seen, how far the pool's clock is ahead of
    ours: one that is used before the time it was issued at tells. At most CLOCK_SKEW_SECONDS, or it
    is refused."""
    ahead = claims.issued_at - time.time()
    if ahead > _ahead.get(claims.issuer, 0.0):
        _ahead[claims.issuer] = ahead


_ahead: dict[str, float] = {}  # by issuer, seconds; what was learned holds as long as the process


def revoke_person(*, issuer: str, subject: str) -> None:
    """All tokens of this person that were issued up to now, by the pool's clock, stop counting.

    A second is added, since clocks that agree still differ a little: better a token issued in the
    second after it is refused than one from before it accepted.
    """
    not_before = int(timezone.now().timestamp() + _ahead.get(issuer, 0.0) + 1)
    _write(Revocation.Kind.PERSON, issuer=issuer, subject=subject, not_before=not_before)


def set_deactivated(*, issuer: str, subject: str, deactivated: bool) -> None:
    """Say that this person's account was switched off, or on again."""
    kind = Revocation.Kind.DEACTIVATED if deactivated else Revocation.Kind.REACTIVATED
    _write(kind, issuer=issuer, subject=subject)


def _write(kind: Revocation.Kind, **values: str | int) -> None:
    lifetime = timedelta(seconds=provider().limits.access_token) + KEPT_LONGER
    metrics.count("revocations", kind=str(kind))
    Revocation.objects.create(kind=kind, expires_at=timezone.now() + lifetime, **values)
