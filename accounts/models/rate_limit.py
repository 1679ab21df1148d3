"""Count events in a window of time, for all processes together."""

from __future__ import annotations

import time

from django.db import IntegrityError
from django.db.models import F

from ..core.db import savepoint
from ..core.times import from_timestamp
from .coordination import RateCounter


def take_first(key: str, *, seconds: int) -> bool:
    """Count the first under `key` for `seconds`. Return False, and write nothing, for another."""
    expires_at = from_timestamp(time.time() + seconds)
    try:
        with savepoint(RateCounter):
            RateCounter.objects.create(key=key, count=1, expires_at=expires_at)
    except IntegrityError:
        return False
    return True


def take(key: str, *, limit: int, seconds: int) -> bool:
    """Count one more under `key` for `seconds`. Return False, and write nothing, at the limit."""
    counter = RateCounter.objects.filter(key=key)
    if (count := counter.values_list("count", flat=True).first()) is None:
        if take_first(key, seconds=seconds):
            return True
        count = 0  # another request was faster
    return count < limit and bool(counter.filter(count__lt=limit).update(count=F("count") + 1))


def is_used_up(key: str, *, limit: int) -> bool:
    """Return True if `take` would return False."""
    return RateCounter.objects.filter(key=key, count__gte=limit).exists()


def is_first_refusal(key: str, *, limit: int) -> bool:
    """Return True the first time that this is called after `take` returned False for `key`.

    For keys whose count is never refunded.
    """
    return bool(RateCounter.objects.filter(key=key, count=limit).update(count=limit + 1))
