"""How often one client address may do what costs a call to Cognito."""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from .client_address import client_address


class TokensThrottle(SimpleRateThrottle):
    """`DEFAULT_THROTTLE_RATES["get-tokens"]` exchanges of each client address.

    DRF's own throttles believe X-Forwarded-For, which everybody can write.
    """

    scope = "get-tokens"

    def get_cache_key(self, request: Request, view: Any) -> str:
        address = client_address(request._request)
        return self.cache_format % {"scope": self.scope, "ident": _network(address)}


def _network(address: str | None) -> str:
    """The address; of IPv6 its /64, since whoever has one address there has all of them."""
    parsed = ip_address(address) if address else None
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)
