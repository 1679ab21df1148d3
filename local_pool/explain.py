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
    if sent.rstrip("/") == near.rstrip("/"):
        return "drop the slash at the end" if sent.endswith("/") else "add the slash at the end"
    if sent.lower() == near.lower():
        return "write it in the same case"
    pairs = zip(_parts(sent).items(), _parts(near).values(), strict=True)
    differing = [(name, mine, theirs) for (name, mine), theirs in pairs if mine != theirs]
    if len(differing) == 1:
        name, mine, theirs = differing[0]
        return f"use {name} {theirs} instead of {mine}, or register the address that was sent"
    return f"register it in pool.toml or POOL_{kind.upper()}_URLS, or send a registered one"


def _parts(url: str) -> Why:
    parts = urlsplit(url)
    host, _, port = parts.netloc.partition(":")
    named = {"scheme": parts.scheme, "host": host, "port": port, "path": parts.path}
    return {name: part or "(none)" for name, part in (named | {"query": parts.query}).items()}


def unknown_client(pool: Pool, sent: str) -> Why:
    known = ", ".join(f"{c.client_id} ({c.name or 'extra'})" for c in pool.config.clients.values())
    cause = f"there is no app client {sent[:128]}"
    return {"cause": cause, "fix": f"set COGNITO_CLIENT_ID to one of {known}"}


def scope(client: Client, refused: list[str]) -> Why:
    if not refused:
        return {"cause": "email, phone and profile need openid", "fix": "add openid to the scope"}
    fix = f"this client may ask for {' '.join(client.scopes)}"
    if refused == ["offline_access"]:
        fix = "drop it: Cognito always gives a refresh token"
    return {"cause": f"scope {' '.join(refused)} is not allowed for this client", "fix": fix}


def wrong_secret(client: Client) -> Why:
    if client.secret is None:
        return {"cause": "a public client sent a secret", "fix": "send client_id in the body only"}
    cause = f"client {client.client_id} sent no secret or a wrong one"
    return {"cause": cause, "fix": "set COGNITO_CLIENT_SECRET to the secret of this client"}
