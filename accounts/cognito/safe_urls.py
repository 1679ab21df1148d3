"""Which web addresses we are willing to talk to: https, or plain http on this very machine."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


def address_problem(address: str) -> str | None:
    """Why ``address`` is not acceptable, as the end of a sentence, or None when it is.

    Other schemes than https are the way to ``file:`` and to listeners on the wire, so they are
    refused both when settings are read and again before each request.
    """
    parts = _split(address)
    if parts is None or not parts.scheme:
        return "is not a web address"
    if parts.scheme not in {"http", "https"}:
        return "must use https"
    if not parts.hostname:
        return "is not a web address"
    if parts.scheme == "http" and not is_loopback(address):
        return "must use https (plain http is for this machine only)"
    if parts.username is not None or parts.password is not None:
        return "must not contain a user name or password"
    if parts.query or parts.fragment:
        return "must have no query and no fragment"
    return None


def is_loopback(address: str) -> bool:
    """Whether an address that has no problem is on this very machine."""
    return urlsplit(address).hostname in LOOPBACK_HOSTS


def _split(address: str) -> SplitResult | None:
    # urlsplit drops tabs and newlines in silence; what it would hide is refused here.
    if not address.isascii() or any(character <= " " or character == "\\" for character in address):
        return None
    try:
        parts = urlsplit(address)
        _ = parts.port  # parsed, and refused, only when asked for
    except ValueError:
        return None
    return parts
