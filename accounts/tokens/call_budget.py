"""The budget of failed calls to Cognito that unknown clients can cause.

It is counted in the database, for all processes together. The shared cache is not used, because an
attacker who can write to it could raise a limit or exhaust it. A request beyond the limit costs one
query.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db.models import F

from ..models import RateCounter
from ..models.rate_limit import take
from ..problems.errors import TooManyFailures

BUDGET_SECONDS = 60
MAX_FAILED_CALLS = 60  # of one subnet in BUDGET_SECONDS


@contextmanager
def call_budget(subnet: str) -> Iterator[None]:
    """Charge one call to `subnet`, and refund it unless the block raises.

    One budget covers callbacks, codes of single-page apps and refresh tokens in headers. It is
    charged before the call, so that parallel requests do not exceed it. Successful calls are
    refunded, so that all users of a large office can sign in from one IP address.

    Raises:
        TooManyFailures: the budget is exhausted. `retry_after` is the seconds until the next one.
    """
    window, passed = divmod(time.time(), BUDGET_SECONDS)
    key = f"cognito:{window:.0f}:{subnet}"
    if not take(key, limit=MAX_FAILED_CALLS, seconds=BUDGET_SECONDS):
        raise TooManyFailures(
            "too many attempts from this network failed",
            retry_after=math.ceil(BUDGET_SECONDS - passed),
        )
    yield
    RateCounter.objects.filter(key=key, count__gt=0).update(count=F("count") - 1)
