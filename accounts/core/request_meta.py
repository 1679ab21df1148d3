"""The IP address and the device that sent a request. Only this module reads `TRUSTED_PROXIES`.

Each proxy appends the IP address of its caller to X-Forwarded-For. The header is read from the
right, past the trusted proxies, to the first other address. The client may have written everything
left of that.
"""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext

Network = IPv4Network | IPv6Network
UNIX_SOCKET = "unix"  # an item of TRUSTED_PROXIES: the server listens on a Unix socket
MAX_DEVICE_LENGTH = 255  # characters of the User-Agent, as many as the columns hold


@lru_cache(maxsize=8)
def _networks(proxies: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(proxy, strict=False) for proxy in proxies if proxy != UNIX_SOCKET)


def is_from_socket(request: HttpRequest) -> bool:
    """Return True if the request came through a Unix socket, so that it has no IP address.

    Only processes with access to the socket can send it.
    """
    return not request.META.get("REMOTE_ADDR", "")


def _normalize_ip(address: str) -> str | None:
    """Return the IP address in its usual form (IPv4-mapped IPv6 as IPv4), or None if invalid."""
    try:
        parsed = ip_address(address.strip())
    except ValueError:
        return None
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped or parsed)


def is_trusted_proxy(request: HttpRequest) -> bool:
    """Return True if one of TRUSTED_PROXIES forwarded the request."""
    proxies = tuple(getattr(settings, "TRUSTED_PROXIES", ()))
    if is_from_socket(request):
        return UNIX_SOCKET in proxies
    trusted = _networks(proxies)
    address = _normalize_ip(request.META["REMOTE_ADDR"])
    return address is not None and any(ip_address(address) in network for network in trusted)


def client_ip(request: HttpRequest) -> str | None:
    """Return the client's IP address, or None for a Unix socket without a trusted header."""
    proxies = tuple(getattr(settings, "TRUSTED_PROXIES", ()))
    trusted = _networks(proxies)
    address = _normalize_ip(request.META.get("REMOTE_ADDR", ""))
    if not proxies or (is_from_socket(request) and UNIX_SOCKET not in proxies):
        return address
    for hop in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        if address is not None and not any(ip_address(address) in network for network in trusted):
            return address
        previous = _normalize_ip(hop)
        if previous is None:
            return address
        address = previous
    return address


_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def device_name(user_agent: str) -> str:
    """Return a short name such as "Firefox on Linux", a program's name, or "Unknown device".

    It is in the active language.
    """
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    if browser and system:
        return gettext("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    own_name = user_agent.split("/")[0].split(" ")[0][:40]
    return browser or system or own_name or gettext("Unknown device")


def subnet_of(request: HttpRequest) -> str:
    """Return the subnet that a limit counts as one client: an IPv4 address, or an IPv6 /64.

    A client with one IPv6 address usually controls its whole /64. Requests without an IP address
    share the subnet "None".
    """
    address = client_ip(request)
    parsed = ip_address(address) if address else None
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)


def sender_fields(request: HttpRequest) -> dict[str, Any]:
    """Return the `device` and the `ip_address` that sign-ins and audit events store."""
    device = request.headers.get("User-Agent", "")[:MAX_DEVICE_LENGTH]
    return {"device": device, "ip_address": client_ip(request)}
