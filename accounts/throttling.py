"""How often one client address may do what costs a call to Cognito."""

import time
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from .accelerator import accelerator
from .client_address import client_address
from .models import Tally


class TokensThrottle(SimpleRateThrottle):
    """`DEFAULT_THROTTLE_RATES["get-tokens"]` exchanges of each client address.

    Counted together by all processes, in windows: in the shared cache, else in the database. DRF's
    own throttles believe X-Forwarded-For, which everybody can write, and forget requests that come
    at the same moment.
    """

    scope = "get-tokens"
    num_requests: int
    duration: int  # seconds

    def get_cache_key(self, request: Request, view: Any) -> str:
        address = client_address(request._request)
        return self.cache_format % {"scope": self.scope, "ident": network(address)}

    def allow_request(self, request: Request, view: Any) -> bool:
        window, self.passed = divmod(time.time(), self.duration)
        key = f"{self.get_cache_key(request, view)}:{window:.0f}"
        return count(key, self.duration) <= self.num_requests

    def wait(self) -> float:
        """Seconds until the next window."""
        return self.duration - self.passed


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
