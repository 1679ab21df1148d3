"""Variants of a URL that may be registered by mistake.

Cognito compares URLs byte for byte. It does not list the registered URLs, but shows if a URL is
one of them. The doctor therefore tries the usual mistakes.
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit, urlunsplit

from django.http.request import split_domain_port

MAX_VARIANTS = 8
_DEVELOPMENT_PORTS = (8000, 3000)
_LOOPBACK_HOSTS = {"localhost": "127.0.0.1", "127.0.0.1": "localhost"}


def near_variants(url: str) -> list[str]:
    """Return at most eight other URLs, the likeliest first: slash, scheme, host, port."""
    parts = urlsplit(url)
    candidates = [
        url.rstrip("/") if url.endswith("/") else f"{url}/",
        _with_other_scheme(parts),
        *_with_other_host(parts),
        *_with_other_ports(parts),
    ]
    return list(dict.fromkeys(variant for variant in candidates if variant != url))[:MAX_VARIANTS]


def _with_other_scheme(parts: SplitResult) -> str:
    return urlunsplit(parts._replace(scheme="http" if parts.scheme == "https" else "https"))


def _with_other_host(parts: SplitResult) -> list[str]:
    host = _host(parts)
    if host in _LOOPBACK_HOSTS:
        other = _LOOPBACK_HOSTS[host]
    elif host.startswith("[") or host.replace(".", "").isdigit():
        return []  # an IP address
    else:
        other = host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"
    return [urlunsplit(parts._replace(netloc=other + parts.netloc[len(host) :]))]


def _with_other_ports(parts: SplitResult) -> list[str]:
    host = _host(parts)
    variants = []
    if parts.port is not None:
        variants.append(urlunsplit(parts._replace(netloc=host)))
    default = 443 if parts.scheme == "https" else 80
    for port in (default, *_DEVELOPMENT_PORTS):
        if port != (parts.port or default) and (port == default or host in _LOOPBACK_HOSTS):
            netloc = host if port == default else f"{host}:{port}"
            variants.append(urlunsplit(parts._replace(netloc=netloc)))
    return variants


def _host(parts: SplitResult) -> str:
    """Return the host. An IPv6 address keeps its brackets."""
    return split_domain_port(parts.netloc)[0]
