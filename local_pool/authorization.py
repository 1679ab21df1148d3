"""Validate a request to ``/oauth2/authorize``, and issue its authorization code.

The client and the redirect_uri are checked first. Their errors appear on the pool's own page,
because nothing may be sent to an unregistered URL. Errors in response_type, PKCE, scope, provider
and resource, checked in this order, go to the callback. All other parameters are optional; a
request without a scope gets all scopes of the client.
"""

import hashlib
import hmac
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from . import cimd, explain, levels, second_factors
from .declarations import LOOPBACK, Client, split_url
from .errors import CallbackError, PageError, TokenError
from .journal import attempt_reference
from .pool import Pool
from .records import AuthorizationCode, BrowserSession, PoolUser, SignIn, digest
from .tokens import base64url

Query = Mapping[str, str]
MANAGED_LOGIN_ONLY = ("lang", "prompt", "resource", "acr_values", "max_age")


@dataclass(frozen=True)
class AuthorizationRequest:
    """A valid request. ``auth_request["nonce"]`` is a parameter as it was sent, or ""."""

    client: Client
    redirect_uri: str
    scopes: tuple[str, ...]
    sent: Query

    def __getitem__(self, name: str) -> str:
        return self.sent.get(name, "")

    @property
    def reference(self) -> str:
        return attempt_reference(self["state"])

    @property
    def provider(self) -> str:
        """The identity provider that the request names, or COGNITO."""
        return self["identity_provider"] or self["idp_identifier"] or "COGNITO"

    @property
    def names_provider(self) -> bool:
        return bool(self["identity_provider"] or self["idp_identifier"])

    @property
    def is_implicit(self) -> bool:
        return self["response_type"] == "token"

    def accepts_session(
        self, session: BrowserSession | None, now: float, sso_seconds: float
    ) -> bool:
        """Return True if this browser session is recent enough, without the password.

        ``sso_seconds`` is how long the app client accepts a session.
        """
        if session is None or "login" in self["prompt"].split():
            return False
        age = now - session.auth_time
        if age >= sso_seconds:
            return False
        return not self["max_age"] or 0 < int(self["max_age"]) >= age  # 0 means "now"

    def to_error(self, error: str, description: str = "", **why: str) -> CallbackError:
        """Return the error to send to the callback, with its parameters in Cognito's order."""
        state = {"state": self["state"]} if self["state"] else {}
        parameters = {"error": error} | state
        if description:
            parameters = {"error_description": description} | state | {"error": error}
        return CallbackError(self.redirect_uri, parameters, self.is_implicit, **why)


def required_level(pool: Pool, auth_request: AuthorizationRequest, user: PoolUser) -> int:
    """Return the level that this sign-in must reach. Raises CallbackError if the user cannot."""
    highest = second_factors.highest_level(pool, user)
    level = levels.required_level(pool.config, auth_request["acr_values"], highest)
    if level is None:
        cause = f"{user.username} can reach none of the levels {auth_request['acr_values'][:200]}"
        raise auth_request.to_error("invalid_request", "User cannot reach the level", cause=cause)
    return level


def read_request(pool: Pool, query: Query) -> AuthorizationRequest:
    """Validate an authorize query. Raises PageError or CallbackError."""
    if pool.config.plan == "lite":
        query = {name: value for name, value in query.items() if name not in MANAGED_LOGIN_ONLY}
    query = _with_provider(pool, query)
    client, redirect_uri = read_client(pool, query)
    scopes = tuple(dict.fromkeys(query.get("scope", "").split())) or client.scopes
    auth_request = AuthorizationRequest(client, redirect_uri, scopes, query)
    _check_flow(auth_request)
    _check_pkce(auth_request)
    _check_scopes(auth_request)
    _check_extras(pool, auth_request)
    return auth_request


def _with_provider(pool: Pool, query: Query) -> Query:
    """Return the query with the name of the provider that has its ``idp_identifier``."""
    identifier = query.get("idp_identifier", "")
    for provider in pool.oidc_providers.values():
        if not query.get("identity_provider") and identifier in provider.identifiers:
            return {**query, "identity_provider": provider.name}
    return query


def read_client(pool: Pool, query: Query) -> tuple[Client, str]:
    """Return the app client and its redirect URL. Raises PageError."""
    client = _client(pool, query)
    return client, _redirect_uri(client, query)


def missing(name: str) -> PageError:
    text = f"Required String parameter '{name}' is not present"
    return PageError("Required parameters missing", text)


def _client(pool: Pool, query: Query) -> Client:
    if not query.get("client_id"):
        raise missing("client_id")
    client_id = query["client_id"]
    is_url = client_id.startswith("https://")
    client = cimd.resolve(pool, client_id) if is_url else pool.clients.get(client_id)
    if client is None:
        raise PageError("invalid_request", **explain.unknown_client(pool, query["client_id"]))
    return client


def _redirect_uri(client: Client, query: Query) -> str:
    sent = query.get("redirect_uri", "")
    if not sent and (client.default_redirect_uri or len(client.callback_urls) == 1):
        return client.default_redirect_uri or client.callback_urls[0]
    if not sent:
        raise missing("redirect_uri")
    if sent not in client.callback_urls:
        raise PageError("redirect_mismatch", **explain.mismatch(sent, client.callback_urls))
    return sent


def _check_flow(auth_request: AuthorizationRequest) -> None:
    flow = {"code": "code", "token": "implicit"}.get(auth_request["response_type"])
    if flow is None:
        raise auth_request.to_error("invalid_request", cause="response_type must be code or token")
    if flow not in auth_request.client.flows:
        raise auth_request.to_error("unauthorized_client", cause=f"this client has no {flow} flow")


def _check_pkce(auth_request: AuthorizationRequest) -> None:
    method, challenge = auth_request["code_challenge_method"], auth_request["code_challenge"]
    if (method or challenge) and method != "S256":
        raise auth_request.to_error(
            "invalid_request", cause="code_challenge_method must be S256, exactly"
        )
    if method and not re.fullmatch(r"[A-Za-z0-9_-]{43}", challenge):
        cause = "code_challenge must be base64url(SHA-256(verifier)), 43 characters, no padding"
        raise auth_request.to_error("invalid_request", cause=cause)


def _check_scopes(auth_request: AuthorizationRequest) -> None:
    scopes = set(auth_request.scopes)
    refused = sorted(scopes - set(auth_request.client.scopes))
    if refused or (scopes & {"email", "phone", "profile"} and "openid" not in scopes):
        why = explain.scope(auth_request.client, refused)
        raise auth_request.to_error("invalid_request", "invalid_scope", **why)


def _check_extras(pool: Pool, auth_request: AuthorizationRequest) -> None:
    provider, offered = auth_request.provider, pool.providers_of(auth_request.client)
    if not offered or (auth_request.names_provider and provider not in offered):
        cause = f"this client has no provider {provider if offered else 'at all'}"
        raise auth_request.to_error("invalid_request", cause=cause)
    if auth_request["resource"] and not _is_resource(auth_request["resource"]):
        cause = "resource must be one URL: https://, http://localhost or of an app's own scheme"
        raise auth_request.to_error("invalid_request", cause=cause)
    if not re.fullmatch(r"[0-9]{0,9}", auth_request["max_age"]):
        raise auth_request.to_error("invalid_request", cause="max_age must be a number of seconds")


def _is_resource(resource: str) -> bool:
    """Return True for a URL that a token can be bound to (RFC 8707, section 2)."""
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*:[\x21-\x7e]+", resource) or "#" in resource:
        return False
    parts = split_url(resource)
    if parts.scheme in ("", "http", "https") and not parts.hostname:
        return False
    return parts.scheme != "http" or parts.hostname in LOOPBACK


def issue_code(pool: Pool, auth_request: AuthorizationRequest, sign_in: SignIn) -> str:
    """Return a single-use code for this sign-in that expires after ``code_seconds``."""
    code, expires_at = str(uuid.uuid4()), pool.clock() + pool.config.code_seconds
    nonce, challenge = auth_request["nonce"], auth_request["code_challenge"]
    with pool.change() as state:
        state.codes[digest(code)] = AuthorizationCode(
            sign_in.origin_jti, auth_request.redirect_uri, expires_at, nonce, challenge
        )
    return code


def check_code(pool: Pool, code: AuthorizationCode, redirect_uri: str, verifier: str) -> None:
    """Raise TokenError unless the code can be exchanged with these parameters."""
    if code.used:
        raise TokenError("invalid_grant", cause="the code was already used")
    if code.expires_at <= pool.clock():
        raise TokenError("invalid_grant", cause="the code has expired")
    if code.redirect_uri != redirect_uri:
        cause = f"redirect_uri {redirect_uri[:200]} is not the one sent to authorize"
        fix = f"send {code.redirect_uri}"
        raise TokenError("unauthorized_client", "invalid_redirect", cause=cause, fix=fix)
    hashed = base64url(hashlib.sha256(verifier.encode()).digest())
    if (code.challenge or verifier) and not hmac.compare_digest(hashed, code.challenge):
        raise TokenError("invalid_grant", cause="code_verifier does not match the code_challenge")


def check_readable(client: Client, scopes: tuple[str, ...]) -> None:
    """Raise TokenError if the client cannot read the contacts of a scope that it has requested."""
    for scope, name in (("email", "email"), ("phone", "phone_number")):
        is_readable = client.can_read(name) and client.can_read(f"{name}_verified")
        if scope in scopes and not is_readable:
            cause = f"the client cannot read {name} and {name}_verified"
            raise TokenError("invalid_grant", cause=cause)


def callback_url(redirect_uri: str, parameters: Query, *, fragment: bool = False) -> str:
    """Return ``redirect_uri`` with parameters added to its own query."""
    mark = "#" if fragment else "&" if urlsplit(redirect_uri).query else "?"
    return f"{redirect_uri}{mark}{urlencode(parameters, quote_via=quote)}"
