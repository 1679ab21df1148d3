"""How often one client address may do what costs a call to Cognito."""

import time
from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from .. import throttling
from ..client_address import client_address


class TokensThrottle(SimpleRateThrottle):
    """`DEFAULT_THROTTLE_RATES["get-tokens"]` exchanges of each client address.

    All processes count together, in the database. DRF's own throttles trust X-Forwarded-For, which
    any client can send, and lose requests that arrive at the same moment.
    """

    scope = "get-tokens"
    num_requests: int
    duration: int  # seconds

    def get_cache_key(self, request: Request, view: Any) -> str:
        address = client_address(request._request)
        return self.cache_format % {"scope": self.scope, "ident": throttling.network(address)}

    def allow_request(self, request: Request, view: Any) -> bool:
        window, self.passed = divmod(time.time(), self.duration)
        key = f"{self.get_cache_key(request, view)}:{window:.0f}"
        return throttling.count(key, self.duration) <= self.num_requests

    def wait(self) -> float:
        """Seconds until the next window."""
        return self.duration - self.passed
