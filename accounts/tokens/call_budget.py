"""Limits on what an unknown visitor can cause: calls to Cognito, rows, hashes of passwords.

Everything is counted in the database, for all processes together. The shared cache takes no part:
whoever can write there could lift a limit, or use one up. A request beyond a limit costs one read.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db.models import F

from ..models import Tally
from ..models.rate_limit import take
from ..problems.errors import TooManyFailures

BUDGET_SECONDS = 60
MAX_FAILED_CALLS = 60  # of one subnet in BUDGET_SECONDS


@contextmanager
def call_budget(subnet: str) -> Iterator[None]:
    """Charge what the block asks of Cognito to `subnet`, and refund it unless the block raises.

    There is one budget for everything that strangers can have Cognito asked: callbacks, codes of
    single-page apps and refresh tokens in headers. It is charged before the call, so that requests
    that arrive together do not exceed it. Successes are refunded, so that the people of a large
    office can all sign in from one IP address.

    Raises:
        TooManyFailures: the budget is used up; `retry_after` are the seconds until the next one.
    """
    window, passed = divmod(time.time(), BUDGET_SECONDS)
    key = f"cognito:{window:.0f}:{subnet}"
    if not take(key, limit=MAX_FAILED_CALLS, seconds=BUDGET_SECONDS):
        raise TooManyFailures(
            "too many attempts from this network failed",
            retry_after=math.ceil(BUDGET_SECONDS - passed),
        )
    yield
    Tally.objects.filter(key=key, count__gt=0).update(count=F("count") - 1)
