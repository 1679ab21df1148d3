"""What an app asks for at ``/oauth2/authorize``: checked, refused, or turned into a code.

The order of the checks: client, redirect_uri (both refused on the pool's own page, since nothing
may be sent to an unproven address), then response_type, PKCE, scope, provider, resource (sent back
to the callback). A request may name no scope, state, nonce or challenge; a missing scope means all
of the client's.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from . import explain
from .declarations import Client
from .errors import CallbackRefused, PageRefused
from .journal import reference_of
from .pool import Pool
from .records import AuthorizationCode, BrowserSession, SignIn, digest

Query = Mapping[str, str]


@dataclass(frozen=True)
class AuthorizationRequest:
    """``asked["nonce"]`` is a parameter as it was sent, or empty."""

    client: Client
    redirect_uri: str
    scopes: tuple[str, ...]
    sent: Query

    def __getitem__(self, name: str) -> str:
        return self.sent.get(name, "")

    @property
    def reference(self) -> str:
        return reference_of(self["state"])

    @property
    def implicit(self) -> bool:
        return self["response_type"] == "token"

    def satisfied_by(self, session: BrowserSession | None, now: float) -> bool:
        """May this browser session answer without asking for the password again?"""
        if session is None or "login" in self["prompt"].split():
            return False
        return not self["max_age"] or now - session.auth_time <= int(self["max_age"])

    def refuse(self, error: str, description: str = "", **why: str) -> CallbackRefused:
        """The refusal to send back. A described one is spelt in the order seen at Cognito."""
        state = {"state": self["state"]} if self["state"] else {}
        parameters = {"error": error} | state
        if description:
            parameters = {"error_description": description} | state | {"error": error}
        return CallbackRefused(self.redirect_uri, parameters, self.implicit, **why)


def read_request(pool: Pool, query: Query) -> AuthorizationRequest:
    """Check an authorize query. Raises PageRefused or CallbackRefused."""
    client = _client(pool, query)
    redirect_uri = _redirect_uri(client, query)
    scopes = tuple(dict.fromkeys(query.get("scope", "").split())) or client.scopes
    asked = AuthorizationRequest(client, redirect_uri, scopes, query)
    _check_flow(asked)
    _check_pkce(asked)
    _check_scopes(asked)
    _check_extras(asked)
    return asked


def missing(name: str) -> PageRefused:
    text = f"Required String parameter '{name}' is not present"
    return PageRefused("Required parameters missing", text)


def _client(pool: Pool, query: Query) -> Client:
    if not query.get("client_id"):
        raise missing("client_id")
    client = pool.config.clients.get(query["client_id"])
    if client is None:
        raise PageRefused("invalid_request", **explain.unknown_client(pool, query["client_id"]))
    return client


def _redirect_uri(client: Client, query: Query) -> str:
    sent = query.get("redirect_uri", "")
    if not sent and len(client.callback_urls) == 1:
        return client.callback_urls[0]
    if not sent:
        raise missing("redirect_uri")
    if sent not in client.callback_urls:
        raise PageRefused("redirect_mismatch", **explain.mismatch(sent, client.callback_urls))
    return sent


def _check_flow(asked: AuthorizationRequest) -> None:
    flow = {"code": "code", "token": "implicit"}.get(asked["response_type"])
    if flow is None:
        raise asked.refuse("invalid_request", cause="response_type must be code or token")
    if flow not in asked.client.flows:
        raise asked.refuse("unauthorized_client", cause=f"this client has no {flow} flow")


def _check_pkce(asked: AuthorizationRequest) -> None:
    method, challenge = asked["code_challenge_method"], asked["code_challenge"]
    if (method or challenge) and method != "S256":
        raise asked.refuse("invalid_request", cause="code_challenge_method must be S256, exactly")
    if method and not re.fullmatch(r"[A-Za-z0-9_-]{43}", challenge):
        cause = "code_challenge must be base64url(SHA-256(verifier)), 43 characters, no padding"
        raise asked.refuse("invalid_request", cause=cause)


def _check_scopes(asked: AuthorizationRequest) -> None:
    scopes = set(asked.scopes)
    refused = sorted(scopes - set(asked.client.scopes))
    if refused or (scopes & {"email", "phone", "profile"} and "openid" not in scopes):
        why = explain.scope(asked.client, refused)
        raise asked.refuse("invalid_request", "invalid_scope", **why)


def _check_extras(asked: AuthorizationRequest) -> None:
    provider = asked["identity_provider"] or asked["idp_identifier"] or "COGNITO"
    if provider != "COGNITO":
        raise asked.refuse("invalid_request", cause=f"this pool has no provider {provider}")
    if not re.match(r"([a-z][a-z0-9+.-]*:|$)", asked["resource"]):
        raise asked.refuse("invalid_request", cause="resource must be one https:// URL")
    if not re.fullmatch(r"[0-9]{0,9}", asked["max_age"]):
        raise asked.refuse("invalid_request", cause="max_age must be a number of seconds")


def issue_code(pool: Pool, asked: AuthorizationRequest, sign_in: SignIn) -> str:
    """A single-use code for this sign-in, good for ``code_seconds``."""
    code, expires_at = str(uuid.uuid4()), pool.clock() + pool.config.code_seconds
    nonce, challenge = asked["nonce"], asked["code_challenge"]
    with pool.change() as state:
        state.codes[digest(code)] = AuthorizationCode(
            sign_in.origin_jti, asked.redirect_uri, expires_at, nonce, challenge
        )
    return code


def callback_url(redirect_uri: str, parameters: Query, *, fragment: bool = False) -> str:
    """``redirect_uri`` with parameters added; a callback's own query is kept."""
    mark = "#" if fragment else "&" if urlsplit(redirect_uri).query else "?"
    return f"{redirect_uri}{mark}{urlencode(parameters, quote_via=quote)}"
