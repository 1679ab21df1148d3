"""Addresses that somebody may have registered instead of the right one.

Cognito compares byte for byte and never says what it has registered; it does say whether one
address is. So a handful of the usual slips is tried, never more than eight.
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit, urlunsplit

from django.http.request import split_domain_port

MOST = 8
_DEVELOPMENT_PORTS = (8000, 3000)
_TWINS = {"localhost": "127.0.0.1", "127.0.0.1": "localhost"}


def near_variants(address: str) -> list[str]:
    """At most eight other addresses, the likeliest first: slash, scheme, host, port."""
    parts = urlsplit(address)
    without_slash = address.endswith("/")
    candidates = [
        address.rstrip("/") if without_slash else f"{address}/",
        _with_scheme(parts),
        *_with_host(parts),
        *_with_port(parts),
    ]
    return list(dict.fromkeys(each for each in candidates if each != address))[:MOST]


def _with_scheme(parts: SplitResult) -> str:
    return urlunsplit(parts._replace(scheme="http" if parts.scheme == "https" else "https"))


def _with_host(parts: SplitResult) -> list[str]:
    host = _host(parts)
    if host in _TWINS:
        other = _TWINS[host]
    elif host.startswith("[") or host.replace(".", "").isdigit():
        return []  # an IP address
    else:
        other = host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"
    return [urlunsplit(parts._replace(netloc=other + parts.netloc[len(host) :]))]


def _with_port(parts: SplitResult) -> list[str]:
    host = _host(parts)
    found = []
    if parts.port is not None:
        found.append(urlunsplit(parts._replace(netloc=host)))
    default = 443 if parts.scheme == "https" else 80
    for port in (default, *_DEVELOPMENT_PORTS):
        if port != (parts.port or default) and (port == default or host in _TWINS):
            netloc = host if port == default else f"{host}:{port}"
            found.append(urlunsplit(parts._replace(netloc=netloc)))
    return found


def _host(parts: SplitResult) -> str:
    """As it stands in addresses: an IPv6 address has its brackets."""
    return split_domain_port(parts.netloc)[0]
