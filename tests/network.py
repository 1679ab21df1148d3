"""Refuse connections that would leave this machine, while the tests run.

An audit hook (PEP 578) sees every socket that Python opens, whichever library does it. It raises,
and it remembers, so that code which swallows the exception fails its test all the same.
"""

import sys
from ipaddress import ip_address

refused: list[str] = []
guarding = True  # off when somebody points the contract checks at a pool elsewhere

_ADDRESS_EVENTS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_NAME_EVENTS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}


class NetworkRefused(Exception):
    """A test reached for the network; the message says where to."""


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
        raise NetworkRefused(f"A test wanted to reach {name}, and tests stay on this machine.")


sys.addaudithook(_audit)
