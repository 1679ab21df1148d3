"""Signing in at an upstream OpenID Connect provider, which can be another local pool.

The pool is the app client there: it sends the browser to the provider's authorize endpoint, and
exchanges the code at the token endpoint. The messages of failures are Cognito's.
https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-oidc-idp.html
"""

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import jwt
import requests

from .authorization import AuthorizationRequest
from .declarations import OidcProvider
from .errors import PageError, UserError
from .pool import Pool
from .records import UpstreamSignIn, digest

TIMEOUT_SECONDS = 5
MAX_SECONDS = 300  # for the sign-in at the provider
FAILED = "InvalidParameterException"
CALLBACK = "/oauth2/idpresponse"


def start(pool: Pool, auth_request: AuthorizationRequest) -> tuple[str, str]:
    """Return the URL of the provider's authorize endpoint, and the ``state`` in it."""
    provider = pool.oidc_providers[auth_request.provider]
    state, nonce = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    expires_at = pool.clock() + MAX_SECONDS
    with pool.change() as stored:
        stored.upstream_sign_ins[digest(state)] = UpstreamSignIn(
            provider.name, dict(auth_request.sent), nonce, expires_at
        )
    forwarded = {name: auth_request[name] for name in ("login_hint", "prompt")}
    query = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": pool.config.domain + CALLBACK,
        "scope": provider.scopes,
        "state": state,
        "nonce": nonce,
    } | {name: value for name, value in forwarded.items() if value}
    endpoint = _discover(provider)["authorization_endpoint"]
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}", state


def take(pool: Pool, state: str) -> UpstreamSignIn:
    """Return the sign-in with this ``state``, which can be used once. Raises PageError."""
    with pool.change() as stored:
        pending = stored.upstream_sign_ins.pop(digest(state), None)
    if pending is None or pending.expires_at <= pool.clock():
        raise PageError("invalid_request", cause="the state of the provider's answer is unknown")
    return pending


def finish(pool: Pool, pending: UpstreamSignIn, code: str) -> tuple[str, dict[str, str]]:
    """Exchange the code, and return the subject and the mapped attributes. Raises UserError."""
    provider = pool.oidc_providers.get(pending.provider)
    if provider is None:
        raise UserError(FAILED, f"{pending.provider} Error - the provider was deleted")
    endpoints = _discover(provider)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": pool.config.domain + CALLBACK,
        "client_id": provider.client_id,
        "client_secret": provider.client_secret,
    }
    sent = {k: v for k, v in form.items() if v}
    tokens = _call(provider, "token", "POST", endpoints["token_endpoint"], data=sent)
    claims = _verify(provider, endpoints, str(tokens.get("id_token", "")), pending.nonce)
    if userinfo := endpoints.get("userinfo_endpoint"):
        headers = {"Authorization": f"Bearer {tokens.get('access_token')}"}
        claims = _call(provider, "userInfo", "GET", userinfo, headers=headers) | claims
    return str(claims["sub"]), _mapped(provider, claims)


def _mapped(provider: OidcProvider, claims: Mapping[str, Any]) -> dict[str, str]:
    values = {name: claims.get(claim) for name, claim in provider.mapping.items()}
    texts = {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in values.items() if v}
    return {name: text for name, text in texts.items() if name != "username"}


def _discover(provider: OidcProvider) -> dict[str, Any]:
    url = f"{provider.issuer}/.well-known/openid-configuration"
    return _call(provider, "discovery", "GET", url)


def _verify(
    provider: OidcProvider, endpoints: dict[str, Any], id_token: str, nonce: str
) -> dict[str, Any]:
    keys = _call(provider, "jwks_uri", "GET", endpoints["jwks_uri"])
    try:
        key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(id_token).get("kid", "")]
        claims: dict[str, Any] = jwt.decode(
            id_token,
            key,
            algorithms=["RS256", "ES256"],
            audience=provider.client_id,
            issuer=provider.issuer,
            leeway=60,
        )
    except (jwt.PyJWTError, KeyError) as error:
        raise UserError(FAILED, f"Invalid id_token: {error}") from error
    if claims.get("nonce") != nonce:
        raise UserError(FAILED, "Invalid id_token: the nonce does not match")
    return claims


def _call(provider: OidcProvider, name: str, method: str, url: str, **more: Any) -> dict[str, Any]:
    """Return the JSON object of an endpoint of the provider. Raises UserError."""
    try:
        response = requests.request(
            method, url, timeout=TIMEOUT_SECONDS, allow_redirects=False, **more
        )
    except requests.Timeout:
        message = f"Timeout occurred in calling IdP {name} endpoint"
        raise UserError(FAILED, message) from None
    except requests.RequestException as error:
        message = f"Error occurred in calling IdP {name} endpoint"
        raise UserError(FAILED, message) from error
    if response.status_code != requests.codes.ok:
        status = f"{response.status_code} {response.reason} {response.text[:200]}"
        raise UserError(FAILED, f"{provider.name} Error - {status}")
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise UserError(FAILED, f"{provider.name} Error - {name} is not a JSON object")
    return body
