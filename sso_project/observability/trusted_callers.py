"""The callers that may read /metrics and the details of /readyz: loopback and TRUSTED_CALLERS.

The item "unix" of TRUSTED_CALLERS are the processes on this machine that use the server's socket.
"""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

from accounts.core.request_meta import UNIX_SOCKET, client_ip, is_from_socket

# Headers that proxies and content delivery networks add. No client on this machine sends them.
_PROXY_HEADER = re.compile(
    r"via|forwarded|cdn-loop|max-forwards|front-end-https|x-(real|forwarded|original|envoy)(-.*)?"
    r"|x-(amzn?|azure|varnish|akamai|appengine|haproxy|vercel|nginx)-.*|x-(url-)?scheme"
    r"|(cf|cloudfront|fastly|fly|akamai|surrogate)-.*"
    r"|.*-?client-?ip|.*(remote|originating|proxy-?user|connecting|cluster)-?(ip|addr|address|port)",
    re.IGNORECASE,
)


def is_trusted(request: HttpRequest) -> bool:
    """Return True if the request comes from loopback or one of TRUSTED_CALLERS.

    For a forwarded request, the client's IP address decides, and only if the proxy is one of
    TRUSTED_PROXIES. Otherwise all clients of a proxy on this machine would count as loopback.
    """
    forwarded = any(_PROXY_HEADER.fullmatch(name) for name in request.headers)
    address = client_ip(request)
    if address is None and is_from_socket(request) and not forwarded:
        return UNIX_SOCKET in settings.TRUSTED_CALLERS
    if address is None or (forwarded and address == _peer(request)):
        return False
    caller = ip_address(address)
    return caller.is_loopback or any(
        caller in ip_network(network, strict=False)
        for network in settings.TRUSTED_CALLERS
        if network != UNIX_SOCKET
    )


def _peer(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))
