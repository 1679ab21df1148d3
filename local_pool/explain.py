"""Explain why a request failed and how to fix it, for the console and the error page.

Cognito itself only returns an error code such as ``redirect_mismatch``.
"""

from collections.abc import Iterable
from difflib import SequenceMatcher

from .declarations import Client, split_url
from .pool import Pool

Why = dict[str, str]


def mismatch(sent: str, registered: Iterable[str], kind: str = "callback") -> Why:
    """Compare an unregistered redirect or logout URL with the most similar registered one."""
    sent = sent[:300]
    nearest = max(registered, key=lambda url: SequenceMatcher(None, sent, url).ratio(), default="")
    if not nearest:
        return {"cause": f"sent {sent}, but no {kind} URL is registered", "fix": "register it"}
    return {"cause": f"sent {sent}, registered {nearest}", "fix": _difference(sent, nearest, kind)}


def _difference(sent: str, registered: str, kind: str) -> str:
    if sent.rstrip("/") == registered.rstrip("/"):
        return "remove the slash at the end" if sent.endswith("/") else "add a slash at the end"
    if sent.lower() == registered.lower():
        return "use the same upper and lower case"
    pairs = zip(_parts(sent).items(), _parts(registered).values(), strict=True)
    differing = [(name, value, right) for (name, value), right in pairs if value != right]
    if len(differing) == 1:
        name, value, right = differing[0]
        return f"use {name} {right} instead of {value}, or register the URL that was sent"
    return f"register it in pool.toml or POOL_{kind.upper()}_URLS, or send a registered one"


def _parts(url: str) -> Why:
    parts = split_url(url)
    host, _, port = parts.netloc.partition(":")
    by_name = {"scheme": parts.scheme, "host": host, "port": port, "path": parts.path}
    return {name: part or "(none)" for name, part in (by_name | {"query": parts.query}).items()}


def unknown_client(pool: Pool, sent: str) -> Why:
    clients = ", ".join(f"{c.client_id} ({c.name or 'extra'})" for c in pool.clients.values())
    cause = f"there is no app client {sent[:128]}"
    return {"cause": cause, "fix": f"set COGNITO_CLIENT_ID to one of {clients}"}


def scope(client: Client, refused: list[str]) -> Why:
    if not refused:
        return {"cause": "email, phone and profile need openid", "fix": "add openid to the scope"}
    fix = f"this client may request {' '.join(client.scopes)}"
    if refused == ["offline_access"]:
        fix = "remove it: Cognito always issues a refresh token"
    return {"cause": f"scope {' '.join(refused)} is not allowed for this client", "fix": fix}


def wrong_secret(client: Client) -> Why:
    if client.secret is None:
        return {"cause": "a public client sent a secret", "fix": "send client_id in the body only"}
    cause = f"client {client.client_id} sent no secret or a wrong one"
    return {"cause": cause, "fix": "set COGNITO_CLIENT_SECRET to the secret of this client"}
