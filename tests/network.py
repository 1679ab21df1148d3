"""Refuse connections to other machines while the tests run.

An audit hook (PEP 578) is called for every socket that Python opens, in any library. It raises an
error and stores the address, so that a test fails even if its code catches the error.
"""

import os
import sys
import urllib.request
from ipaddress import ip_address

import requests

refused: list[str] = []
guarding = True  # off for contract checks of a pool on another machine

_ADDRESS_EVENTS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_NAME_EVENTS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}


class NetworkRefused(Exception):
    """A test tried to connect to another machine."""


def _is_local(host: str) -> bool:
    if host in ("", "localhost"):
        return True
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _audit(event: str, arguments: tuple) -> None:
    if event in _ADDRESS_EVENTS:
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else ""  # a path is a local socket
    elif event in _NAME_EVENTS:
        host = arguments[0] or ""
    else:
        return
    name = host.decode() if isinstance(host, bytes) else str(host)
    if guarding and not _is_local(name):
        refused.append(name)
        raise NetworkRefused(f"A test tried to connect to {name}. Tests must not use the network.")


def _proxies() -> dict[str, str]:
    """Return the proxies of the environment, as urllib does, but without reading all of it.

    requests asks three times for each request, a fifth of what a call on this machine costs.
    """
    has_proxy = any(name.lower().endswith(b"_proxy") for name in os.environb)
    return _read_proxies() if has_proxy else {}


_read_proxies = urllib.request.getproxies_environment
urllib.request.getproxies_environment = _proxies
requests.utils.getproxies = requests.utils.getproxies_environment = _proxies
sys.addaudithook(_audit)
