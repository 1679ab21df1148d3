"""The check of URLs that requests may be sent to: https, or plain http on this machine."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

_DEFAULT_PORTS = {"http": 80, "https": 443}


def url_problem(url: str) -> str | None:
    """Return the problem of a URL as the end of a sentence, or None if it is acceptable.

    Other schemes could read files or send secrets unencrypted. So URLs are checked when settings
    are read, and again before each request.
    """
    parts = _split(url)
    if parts is None or not parts.scheme:
        return "is not a URL"
    if parts.scheme not in {"http", "https"}:
        return "must use https"
    if not parts.hostname:
        return "is not a URL"
    if parts.scheme == "http" and not is_loopback(url):
        return "must use https (plain http is for this machine only)"
    if parts.username is not None or parts.password is not None:
        return "must not contain a username or password"
    if parts.query or parts.fragment:
        return "must not have a query or a fragment"
    return None


def normalize_origin(url: str) -> str:
    """Return a URL as browsers and Cognito compare it: without capitals or the default port.

    A slash at the end and the trailing dot of a host name are removed. Other parts of the URL, and
    a value that is not a URL, are returned as they are.
    """
    parts = _split(url)
    if parts is None or not parts.hostname or "@" in parts.netloc:
        return url.rstrip("/")
    host = parts.hostname.rstrip(".")  # `hostname` is in lowercase
    host = f"[{host}]" if ":" in host else host
    if parts.port not in (None, _DEFAULT_PORTS.get(parts.scheme)):
        host = f"{host}:{parts.port}"
    return parts._replace(netloc=host).geturl().rstrip("/")  # urlsplit lowers the scheme


def is_loopback(url: str) -> bool:
    """Return True if the host of a valid URL is this machine."""
    return urlsplit(url).hostname in LOOPBACK_HOSTS


def _split(url: str) -> SplitResult | None:
    # urlsplit silently drops tabs and newlines.
    if not url.isascii() or any(character <= " " or character == "\\" for character in url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port  # urlsplit checks the port only when it is read
    except ValueError:
        return None
    return parts
