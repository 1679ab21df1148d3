"""Why a request failed and what to change, for the console and the error page.

Cognito itself says no more than ``redirect_mismatch``; finding the slash costs people an afternoon.
"""

from collections.abc import Iterable
from difflib import SequenceMatcher
from urllib.parse import urlsplit

from .declarations import Client
from .pool import Pool

Why = dict[str, str]


def mismatch(sent: str, registered: Iterable[str], kind: str = "callback") -> Why:
    """A redirect or sign-out address that is not registered, against the nearest one that is."""
    sent = sent[:300]
    near = max(registered, key=lambda url: SequenceMatcher(None, sent, url).ratio(), default="")
    if not near:
        return {"cause": f"sent {sent}, no {kind} address is registered", "fix": "register it"}
    return {"cause": f"sent {sent}, registered {near}", "fix": _difference(sent, near, kind)}


def _difference(sent: str, near: str, kind: str) -> str:
    ours, theirs = urlsplit(sent), urlsplit(near)
    if sent.rstrip("/") == near.rstrip("/"):
        return "drop the slash at the end" if sent.endswith("/") else "add the slash at the end"
    if sent.lower() == near.lower():
        return "write it in the same case"
    for part, name in (
        ("scheme", "scheme"),
        ("hostname", "host"),
        ("port", "port"),
        ("path", "path"),
    ):
        mine, other = _part(ours, part), _part(theirs, part)
        rest = [p for p in ("scheme", "hostname", "port", "path", "query") if p != part]
        if mine != other and all(_part(ours, p) == _part(theirs, p) for p in rest):
            return f"use {name} {other} instead of {mine}, or register the address that was sent"
    names = "POOL_CALLBACK_URLS" if kind == "callback" else "POOL_LOGOUT_URLS"
    return f"register it in pool.toml or {names}, or send a registered one"


def _part(parts: object, name: str) -> object:
    try:
        return getattr(parts, name) or "(none)"
    except ValueError:  # a port that is no number
        return "(malformed)"


def unknown_client(pool: Pool, sent: str) -> Why:
    known = ", ".join(f"{c.client_id} ({c.name or 'extra'})" for c in pool.config.clients.values())
    return {
        "cause": f"there is no app client {sent[:128]}",
        "fix": f"set COGNITO_CLIENT_ID to one of {known}",
    }


def scope(pool: Pool, client: Client, refused: list[str]) -> Why:
    if not refused:
        return {"cause": "email, phone and profile need openid", "fix": "add openid to the scope"}
    if refused == ["offline_access"]:
        fix = "drop it: Cognito always gives a refresh token"
    else:
        fix = f"this client may ask for {' '.join(client.scopes)}"
    return {"cause": f"scope {' '.join(refused)} is not allowed for this client", "fix": fix}


def wrong_secret(client: Client) -> Why:
    if client.secret is None:
        return {
            "cause": "a secret was sent for a public client",
            "fix": "send client_id in the body only",
        }
    return {
        "cause": f"client {client.client_id} sent no secret or a wrong one",
        "fix": "set COGNITO_CLIENT_SECRET to the secret of this client",
    }
