"""Dynamic client registration (RFC 7591): ``POST /oauth2/register``, for agents and tools.

Off by default. With "authenticated", the caller needs an access token with the scope SCOPE; with
"open", no token. Cognito does not document the errors: here they are those of the RFC.
https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-dynamic-client-registration.html
"""

import secrets
from typing import Any

from flask import request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from . import access
from .config_checks import check_client
from .declarations import STANDARD_SCOPES, Client
from .errors import ConfigError, TokenError
from .oauth import json_response
from .pool import REGISTRATION_SCOPE, Pool

GRANTS = {"authorization_code": "code", "client_credentials": "client_credentials"}
METHODS = ("none", "client_secret_basic", "client_secret_post")
DEFAULT_SCOPES = STANDARD_SCOPES[:4]  # a registered client never gets the others by itself


def register(pool: Pool) -> Response:
    mode = pool.config.client_registration
    if mode == "off" or pool.config.plan == "lite":
        raise NotFound
    if mode == "authenticated":
        _check_token(pool)
    pool.require_primary()
    metadata = request.get_json(silent=True)
    if not isinstance(metadata, dict):
        raise TokenError("invalid_client_metadata", "The body must be a JSON object.")
    client = _read(pool, metadata, is_open=mode == "open")
    pool.put("clients", client.client_id, client)
    pool.journal.line(f"register  {client.client_id} {client.name}")
    return json_response(_describe(client, metadata), 201)


def _check_token(pool: Pool) -> None:
    """Raise TokenError (401) unless the request has a token with the scope, also of a machine."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    claims = access.decode(pool, token if scheme.lower() == "bearer" else "")
    if REGISTRATION_SCOPE not in str(claims.get("scope", "")).split():
        error = TokenError("insufficient_scope", f"The token needs the scope {REGISTRATION_SCOPE}.")
        error.status = 403
        raise error


def _read(pool: Pool, metadata: dict[str, Any], *, is_open: bool) -> Client:
    grants = _strings(metadata, "grant_types") or ["authorization_code"]
    allowed = {"authorization_code", "refresh_token"} | (set() if is_open else set(GRANTS))
    method = metadata.get("token_endpoint_auth_method", "client_secret_basic")
    scopes = tuple(str(metadata.get("scope", "")).split()) or DEFAULT_SCOPES
    if not set(grants) <= allowed or method not in METHODS:
        raise TokenError("invalid_client_metadata", "A grant type or the method is not allowed.")
    if {REGISTRATION_SCOPE, STANDARD_SCOPES[4]} & set(scopes):
        raise TokenError("invalid_client_metadata", "A scope is not allowed.")
    flows = tuple(GRANTS[grant] for grant in grants if grant in GRANTS)
    urls = tuple(_strings(metadata, "redirect_uris"))
    if "code" in flows and not urls:
        raise TokenError("invalid_redirect_uri", "redirect_uris is missing.")
    client = Client(
        secrets.token_hex(13),
        None if method == "none" else secrets.token_hex(26),
        flows,
        tuple(s for s in scopes if s != "offline_access"),
        urls,
        name=str(metadata.get("client_name", ""))[:128],
        auth_flows=(),
        created=pool.clock(),
        modified=pool.clock(),
        kind="DCR",
    )
    try:
        check_client(client, pool.custom_scopes)
    except ConfigError as error:
        kind = "invalid_redirect_uri" if "registered" in error.message else None
        raise TokenError(kind or "invalid_client_metadata", error.message) from None
    return client


def _strings(metadata: dict[str, Any], name: str) -> list[str]:
    values = metadata.get(name) or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TokenError("invalid_client_metadata", f"{name} must be a list of strings.")
    return values


def _describe(client: Client, metadata: dict[str, Any]) -> dict[str, Any]:
    secret = {"client_secret": client.secret, "client_secret_expires_at": 0}
    return {
        "client_id": client.client_id,
        "client_id_issued_at": int(client.created),
        "client_name": client.name,
        "redirect_uris": client.callback_urls,
        "grant_types": metadata.get("grant_types") or ["authorization_code"],
        "response_types": ["code"] if "code" in client.flows else [],
        "scope": " ".join(client.scopes),
        "token_endpoint_auth_method": metadata.get(
            "token_endpoint_auth_method", "client_secret_basic"
        ),
    } | (secret if client.secret else {})


ROUTES = (("/oauth2/register", "register", register, ["POST"]),)
