"""The OAuth and OpenID Connect endpoints over HTTP. What they decide stands in grants.py and
authorization.py; here are addresses, headers, statuses and the lines in the journal."""

import time
from typing import Any
from urllib.parse import urlencode

import jwt
from flask import jsonify, redirect, request
from werkzeug.wrappers import Response

from . import access, authorization, explain, grants, people
from .authorization import AuthorizationRequest, callback_url
from .errors import CallbackRefused, PageRefused, PoolError, TokenRefused
from .journal import NO_STATE, reference_of
from .pool import Pool
from .records import BrowserSession

JSON = "application/json;charset=UTF-8"
FORM = "application/x-www-form-urlencoded"
GRANTS = {
    "authorization_code": grants.exchange_code,
    "refresh_token": grants.refresh,
    "client_credentials": grants.client_credentials,
}
AS_CALLBACK_ERROR = {
    "denied": ("access_denied", "User denied access"),
    "server-error": ("server_error", ""),
}


def discovery(pool: Pool) -> Response:
    domain = pool.config.domain
    return jsonify(
        authorization_endpoint=f"{domain}/oauth2/authorize",
        end_session_endpoint=f"{domain}/logout",
        id_token_signing_alg_values_supported=["RS256"],
        issuer=pool.config.issuer,
        jwks_uri=f"{pool.config.issuer}/.well-known/jwks.json",
        response_types_supported=["code", "token"],
        revocation_endpoint=f"{domain}/oauth2/revoke",
        scopes_supported=["openid", "email", "phone", "profile"],
        subject_types_supported=["public"],
        token_endpoint=f"{domain}/oauth2/token",
        token_endpoint_auth_methods_supported=["client_secret_basic", "client_secret_post"],
        userinfo_endpoint=f"{domain}/oauth2/userInfo",
    )


def jwks(pool: Pool) -> Response:
    return jsonify(pool.keys.jwks())


def authorize(pool: Pool) -> Response:
    """Straight back with a code when the browser is signed in, else on to the sign-in page."""
    asked = authorization.read_request(pool, request.args)
    by = asked.client.name or asked.client.client_id
    details = {"parameters": parameters()}
    pool.journal.step(asked.reference, "authorize", f"by {by}", details=details)
    session = usable_session(pool, asked)
    if session:
        return back_to_app(pool, asked, session, "single sign-on")
    if "none" in asked["prompt"].split():
        cause = "prompt=none, and nobody is signed in at the pool"
        raise asked.refuse("login_required", cause=cause)
    return redirect(f"{request.host_url}login?{request.query_string.decode(errors='replace')}")


def usable_session(pool: Pool, asked: AuthorizationRequest) -> BrowserSession | None:
    """The browser's session, if it may answer this request without a password."""
    session = people.session_of(pool, request.cookies.get("cognito", ""))
    return session if asked.satisfied_by(session, pool.clock()) else None


def back_to_app(
    pool: Pool, asked: AuthorizationRequest, session: BrowserSession, how: str
) -> Response:
    """302 to the callback with a code, or with tokens in the fragment for the implicit flow."""
    client, reference, resource = asked.client, asked.reference, asked["resource"]
    sign_in = grants.begin_sign_in(pool, session, client, asked.scopes, reference, resource)
    sent: dict[str, Any] = {}
    if asked.implicit:
        person = people.get(pool, session.username)
        sent |= grants.answer(pool, person, sign_in, nonce=asked["nonce"])
    else:
        sent["code"] = authorization.issue_code(pool, asked, sign_in)
    if asked["state"]:
        sent["state"] = asked["state"]
    who = session.username
    pool.journal.step(reference, "login", f"{who}, {how}", who=who)
    return redirect(callback_url(asked.redirect_uri, sent, fragment=asked.implicit))


def token(pool: Pool) -> Response:
    started, form = time.perf_counter(), request.form
    reference, grant = grants.reference(pool, form), form.get("grant_type", "")[:40]
    if request.mimetype != FORM:
        cause = f"the body is {request.mimetype or 'untyped'}, not a form"
        raise TokenRefused("invalid_request", cause=cause)
    client = grants.authenticate_client(pool, request.headers.get("Authorization"), form)
    if grant not in GRANTS:
        error = "unsupported_grant_type" if grant else "invalid_request"
        raise TokenRefused(error, cause=f"grant_type is {grant or 'missing'}")
    answer = GRANTS[grant](pool, client, form)
    took = f"{(time.perf_counter() - started) * 1000:.0f} ms"
    pool.journal.step(reference, f"token {grant}", took, details=_shown_claims(answer))
    return _json(answer)


def _shown_claims(answer: dict[str, Any]) -> dict[str, Any]:
    """Claims for the console: what a developer wants to see of a token that may not be shown."""
    kinds = [kind for kind in ("id_token", "access_token") if kind in answer]
    options: Any = {"verify_signature": False}  # it was minted here just now
    return {kind: jwt.decode(answer[kind], options=options) for kind in kinds}


def revoke(pool: Pool) -> Response:
    form, header = request.form, request.headers.get("Authorization")
    reference = grants.reference(pool, form)
    grants.revoke(pool, grants.authenticate_client(pool, header, form), form.get("token", ""))
    pool.journal.step(reference, "revoke", "unknown token" if reference == NO_STATE else "")
    return Response(status=200)


def user_info(pool: Pool) -> Response:
    scheme, _, access_token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not access_token:
        raise TokenRefused("invalid_request", "Bad OAuth2 request at UserInfo Endpoint")
    return _json(access.user_info(pool, access_token))


def _json(body: dict[str, Any], status: int = 200) -> Response:
    response = jsonify(body)
    response.status_code = status
    response.headers["Content-Type"] = JSON
    return response


def logout(pool: Pool) -> Response:
    """Leave with logout_uri, or sign in again with redirect_uri and response_type."""
    query = request.args
    client = pool.config.clients.get(query.get("client_id", ""))
    if client is None:
        raise PageRefused("invalid_request", "Missing required parameter client_id in request URL")
    sent = query.get("logout_uri", "")
    if sent and sent not in client.logout_urls:
        why = explain.mismatch(sent, client.logout_urls, "logout")
        raise PageRefused("redirect_mismatch", **why)
    if sent:
        response = redirect(sent)
    else:
        for name in ("redirect_uri", "response_type"):
            if not query.get(name):
                raise authorization.missing(name)
        asked = authorization.read_request(pool, query)
        kept = query.to_dict() | {"scope": " ".join(asked.scopes)}
        response = redirect(f"{request.host_url}login?{urlencode(kept)}")
    people.end_session(pool, request.cookies.get("cognito", ""))
    response.delete_cookie("cognito")
    pool.journal.line(f"{'-' * 8}  logout to {sent or 'sign in again'}")
    return response


def callback_error(pool: Pool, kind: str) -> CallbackRefused:
    """A fault at authorize or login: as if the person had said no, or Cognito had failed."""
    return authorization.read_request(pool, request.args).refuse(*AS_CALLBACK_ERROR[kind])


def parameters() -> dict[str, str]:
    """The authorize query for the console; of values that bind the attempt only that they came."""
    hidden = ("state", "nonce", "code_challenge")
    return {k: "sent" if k in hidden else v[:300] for k, v in request.args.items()}


def _note(pool: Pool, refusal: PoolError) -> None:
    reference, details = reference_of(request.args.get("state", "")), {"parameters": parameters()}
    pool.journal.step(reference, request.endpoint or "", refused=refusal, details=details)


def to_callback(pool: Pool, refusal: CallbackRefused) -> Response:
    _note(pool, refusal)
    address, fragment = refusal.redirect_uri, refusal.fragment
    return redirect(callback_url(address, refusal.parameters, fragment=fragment))


def to_error_page(pool: Pool, refusal: PageRefused) -> Response:
    _note(pool, refusal)
    client_id, description = request.args.get("client_id", ""), refusal.description
    query = {"error": refusal.error, "client_id": client_id, "error_description": description}
    kept = {key: value for key, value in query.items() if value}
    return redirect(f"{request.host_url}error?{urlencode(kept)}")


def token_error(pool: Pool, refusal: TokenRefused) -> Response:
    """A JSON error, noted under the attempt that the code or refresh token comes from."""
    name, status = request.endpoint or "", refusal.status
    if name in ("token", "revoke"):
        step = f"{name} {request.form.get('grant_type', '')[:40]}".strip()
        pool.journal.step(grants.reference(pool, request.form), step, refused=refusal)
    if name == "revoke" and refusal.error == "invalid_client":
        status = 401
    body = {"error": refusal.error, "error_description": refusal.description}
    response = _json({key: value for key, value in body.items() if value}, status)
    if name == "userInfo":
        said = f'error="{refusal.error}", error_description="{refusal.description}"'
        response.headers["WWW-Authenticate"] = f'Bearer realm="{pool.config.issuer}", {said}'
    return response


ROUTES = (
    ("/{pool_id}/.well-known/openid-configuration", "discovery", discovery, ["GET"]),
    ("/{pool_id}/.well-known/jwks.json", "jwks", jwks, ["GET"]),
    ("/oauth2/authorize", "authorize", authorize, ["GET"]),
    ("/oauth2/token", "token", token, ["POST"]),
    ("/oauth2/revoke", "revoke", revoke, ["POST"]),
    ("/oauth2/userInfo", "userInfo", user_info, ["GET", "POST"]),
    ("/logout", "logout", logout, ["GET"]),
)
