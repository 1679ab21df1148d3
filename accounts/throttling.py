"""Counting how often something happens in a window of time, for all processes together."""

import time
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address, ip_network

from django.db import IntegrityError, transaction
from django.db.models import F

from .accelerator import accelerator
from .models import Tally


def count(key: str, seconds: int) -> int:
    """One more under `key`, for so long; how many there are now.

    A shared cache that comes and goes makes two counts of one: what must not be forgotten then is
    counted by `count_in_database`.
    """
    counted = accelerator.count(key, seconds=seconds)
    return count_in_database(key, seconds) if counted is None else counted


def count_in_database(key: str, seconds: int) -> int:
    """One more under `key`, for so long; how many there are now, whatever becomes of the cache."""
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
