"""What an app asks for at ``/oauth2/authorize``: checked, refused, or turned into a code.

The order of the checks: client, redirect_uri (both refused on the pool's own page, since nothing
may be sent to an unproven address), then response_type, PKCE, scope, provider, resource (sent back
to the callback). A request may name no scope, state, nonce or challenge; a missing scope means all
of the client's.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode, urlsplit

from . import explain
from .declarations import Client
from .errors import CallbackRefused, PageRefused
from .journal import reference_of
from .pool import Pool
from .records import AuthorizationCode, BrowserSession, digest


@dataclass(frozen=True)
class AuthorizationRequest:
    client: Client
    redirect_uri: str
    scopes: tuple[str, ...]
    implicit: bool = False
    state: str = ""
    nonce: str = ""
    challenge: str = ""
    prompts: frozenset[str] = frozenset()
    max_age: int | None = None
    resource: str = ""

    @property
    def reference(self) -> str:
        return reference_of(self.state)

    def satisfied_by(self, session: BrowserSession | None, now: float) -> bool:
        """May this browser session answer without asking for the password again?"""
        if session is None or "login" in self.prompts:
            return False
        return self.max_age is None or now - session.auth_time <= self.max_age

    def refuse(self, error: str, description: str = "", **why: str) -> CallbackRefused:
        """The refusal to send back. A bad scope is spelt in Cognito's own order."""
        parameters = {"error_description": description} if description else {}
        parameters |= {"state": self.state} if self.state and description else {}
        parameters |= {"error": error}
        parameters |= {"state": self.state} if self.state else {}
        return CallbackRefused(self.redirect_uri, parameters, fragment=self.implicit, **why)


def read_request(pool: Pool, query: Mapping[str, str]) -> AuthorizationRequest:
    """Check an authorize query. Raises PageRefused or CallbackRefused."""
    client = _client(pool, query)
    request = AuthorizationRequest(
        client,
        _redirect_uri(client, query),
        tuple(dict.fromkeys(query.get("scope", "").split())) or client.scopes,
        implicit=query.get("response_type") == "token",
        state=query.get("state", ""),
        nonce=query.get("nonce", ""),
        challenge=query.get("code_challenge", ""),
        prompts=frozenset(query.get("prompt", "").split()),
        resource=query.get("resource", ""),
    )
    _check_flow(request, query)
    _check_pkce(request, query)
    _check_scopes(pool, request)
    _check_extras(request, query)
    max_age = query.get("max_age", "")
    return replace(request, max_age=int(max_age) if max_age else None)


def missing(name: str) -> PageRefused:
    text = f"Required String parameter '{name}' is not present"
    return PageRefused("Required parameters missing", text)


def _client(pool: Pool, query: Mapping[str, str]) -> Client:
    if not query.get("client_id"):
        raise missing("client_id")
    client = pool.config.clients.get(query["client_id"])
    if client is None:
        raise PageRefused("invalid_request", **explain.unknown_client(pool, query["client_id"]))
    return client


def _redirect_uri(client: Client, query: Mapping[str, str]) -> str:
    sent = query.get("redirect_uri", "")
    if not sent and len(client.callback_urls) == 1:
        return client.callback_urls[0]
    if not sent:
        raise missing("redirect_uri")
    if sent not in client.callback_urls:
        raise PageRefused("redirect_mismatch", **explain.mismatch(sent, client.callback_urls))
    return sent


def _check_flow(request: AuthorizationRequest, query: Mapping[str, str]) -> None:
    flow = {"code": "code", "token": "implicit"}.get(query.get("response_type", ""))
    if flow is None:
        raise request.refuse("invalid_request", cause="response_type must be code or token")
    if flow not in request.client.flows:
        raise request.refuse("unauthorized_client", cause=f"this client has no {flow} flow")


def _check_pkce(request: AuthorizationRequest, query: Mapping[str, str]) -> None:
    method = query.get("code_challenge_method", "")
    if not method and not request.challenge:
        return
    if method != "S256":
        raise request.refuse("invalid_request", cause="code_challenge_method must be S256, exactly")
    if not re.fullmatch(r"[A-Za-z0-9_-]{43}", request.challenge):
        cause = "code_challenge must be base64url(SHA-256(verifier)), 43 characters, no padding"
        raise request.refuse("invalid_request", cause=cause)


def _check_scopes(pool: Pool, request: AuthorizationRequest) -> None:
    asked = set(request.scopes)
    refused = sorted(asked - set(request.client.scopes))
    if refused or (asked & {"email", "phone", "profile"} and "openid" not in asked):
        why = explain.scope(pool, request.client, refused)
        raise request.refuse("invalid_request", "invalid_scope", **why)


def _check_extras(request: AuthorizationRequest, query: Mapping[str, str]) -> None:
    provider = query.get("identity_provider") or query.get("idp_identifier") or "COGNITO"
    if provider != "COGNITO":
        raise request.refuse("invalid_request", cause=f"this pool has no provider {provider}")
    if request.resource and not re.match(
        r"(https://|http://localhost|[a-z][a-z0-9+.-]*:)", request.resource
    ):
        raise request.refuse("invalid_request", cause="resource must be one https:// URL")
    if not re.fullmatch(r"[0-9]{0,9}", query.get("max_age", "")):
        raise request.refuse("invalid_request", cause="max_age must be a number of seconds")


def issue_code(pool: Pool, request: AuthorizationRequest, session: BrowserSession) -> str:
    """A single-use code for this person and request, good for ``code_seconds``."""
    code = str(uuid.uuid4())
    record = AuthorizationCode(
        username=session.username,
        sub=session.sub,
        client_id=request.client.client_id,
        redirect_uri=request.redirect_uri,
        scopes=request.scopes,
        auth_time=session.auth_time,
        expires_at=pool.clock() + pool.config.code_seconds,
        reference=request.reference,
        nonce=request.nonce,
        challenge=request.challenge,
        resource=request.resource,
    )
    with pool.change() as state:
        state.codes[digest(code)] = record
    return code


def callback_url(
    redirect_uri: str, parameters: Mapping[str, str], *, fragment: bool = False
) -> str:
    """``redirect_uri`` with parameters added; a callback's own query is kept."""
    mark = "#" if fragment else "&" if urlsplit(redirect_uri).query else "?"
    return f"{redirect_uri}{mark}{urlencode(parameters, quote_via=quote)}"
