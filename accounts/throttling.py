"""Counting how often something happens in a window of time, for all processes together."""

import time
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address, ip_network

from django.db import IntegrityError, transaction
from django.db.models import F

from .models import Tally


def count(key: str, seconds: int) -> int:
    """Count one more under `key`, for `seconds`, and return how many there are now.

    The shared cache takes no part: whoever can write there could lift a limit, or use one up.
    """
    tally = Tally.objects.filter(key=key)
    if not tally.update(count=F("count") + 1):
        expires_at = datetime.fromtimestamp(time.time() + seconds, UTC)
        try:
            with transaction.atomic():
                Tally.objects.create(key=key, count=1, expires_at=expires_at)
        except IntegrityError:  # another request was quicker
            tally.update(count=F("count") + 1)
    return tally.values_list("count", flat=True).get()


def network(address: str | None) -> str:
    """The address; of IPv6 its /64, since whoever has one address there has all of them."""
    parsed = ip_address(address) if address else None
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)
