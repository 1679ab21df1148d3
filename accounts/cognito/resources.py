"""The resources that an access token can be bound to (RFC 8707): its audience.

A resource is an absolute URI without a fragment (section 2), such as https://app.example.com/api.
The audience of an exchanged token can also be a logical name (RFC 8693 section 2.1). Two URLs are
the same resource if they are equal after the normalization of RFC 3986 section 6.2 that clients
apply without a request: case of scheme and host, default port, empty path. Everything else is
compared byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .safe_urls import url_problem

MAX_LENGTH = 256  # of the identifier of a resource server at Cognito

_IDENTIFIER = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # printable ASCII without " and \
# No user information and no fragment: a URL with one of them is not normalized, so it equals none.
_URL = re.compile(r"(https?)://([A-Za-z0-9._:\[\]-]+)(/[!-\"$-~]*|\?[!-\"$-~]*|)", re.I | re.A)
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def canonical(identifier: str) -> str:
    """Return `identifier` in the form in which equal resources are equal strings."""
    match = _URL.fullmatch(identifier)
    if not match:
        return identifier
    scheme, authority, rest = match[1].lower(), match[2].lower(), match[3]
    authority = authority.removesuffix(_DEFAULT_PORTS[scheme])
    return f"{scheme}://{authority}{rest if rest.startswith('/') else '/' + rest}"


def resource_problem(identifier: str) -> str | None:
    """Return the problem of a resource as the end of a sentence, or None if it is acceptable."""
    if not _IDENTIFIER.fullmatch(identifier) or len(identifier) > MAX_LENGTH:
        return "is not a resource: a URL, or a name without spaces"
    if "#" in identifier:
        return "must not have a fragment (RFC 8707 section 2)"
    if not re.match("https?:", identifier, re.IGNORECASE):
        return None
    return url_problem(identifier.partition("?")[0])


def covering(url: str, resources: Iterable[str]) -> str | None:
    """Return the longest of `resources` whose path contains that of `url`, or None."""
    target = canonical(url)
    candidates = (
        resource
        for resource in resources
        if f"{target.rstrip('/')}/".startswith(f"{canonical(resource).rstrip('/')}/")
    )
    return max(candidates, key=len, default=None)
