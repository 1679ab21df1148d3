"""Who may see inside (/metrics, the details of /readyz): this machine, and TRUSTED_CALLERS."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

from accounts.client_address import client_address


def is_trusted(request: HttpRequest) -> bool:
    """Whether the request comes from loopback or one of TRUSTED_CALLERS.

    A forwarded request counts as its client's, and only if the proxy is one of TRUSTED_PROXIES:
    else everybody would come from loopback where a proxy stands on the same machine.
    """
    forwarded = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    address = client_address(request)
    if address is None or (forwarded and address == _peer(request)):
        return False
    caller = ip_address(address)
    return caller.is_loopback or any(
        caller in ip_network(network, strict=False) for network in settings.TRUSTED_CALLERS
    )


def _peer(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))
