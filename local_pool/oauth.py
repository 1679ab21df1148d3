"""The HTTP side of the OAuth and OpenID Connect endpoints: URLs, headers, statuses and log lines.

The rules are in grants.py and authorization.py.
"""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import jwt
from flask import jsonify, redirect, request
from werkzeug.wrappers import Response

from . import access, authorization, explain, grants, levels, sessions, token_exchange, users
from .authorization import AuthorizationRequest, callback_url
from .errors import CallbackError, PageError, PoolError, TokenError, UserError
from .journal import NO_STATE, attempt_reference
from .pool import Pool
from .records import BrowserSession, digest

JSON = "application/json;charset=UTF-8"
FORM = "application/x-www-form-urlencoded"
GRANTS = {
    "authorization_code": grants.exchange_code,
    "refresh_token": grants.refresh,
    "client_credentials": grants.client_credentials,
    token_exchange.GRANT: token_exchange.exchange,
}
CALLBACK_ERRORS = {
    "denied": ("access_denied", "User denied access"),
    "server-error": ("server_error", ""),
}


def authorize(pool: Pool) -> Response:
    """Redirect to the callback if the browser has a session, else to the sign-in page."""
    auth_request = read_request(pool)
    by = auth_request.client.name or auth_request.client.client_id
    details = {"parameters": query_for_console()}
    pool.journal.step(auth_request.reference, "authorize", f"by {by}", details=details)
    session = usable_session(pool, auth_request)
    if session:
        return back_to_app(pool, auth_request, session, "single sign-on")
    if "none" in auth_request["prompt"].split():
        cause = "prompt=none, but the browser is not signed in at the pool, or not well enough"
        raise auth_request.to_error("login_required", cause=cause)
    is_upstream = auth_request.provider in pool.oidc_providers
    step = "_local/upstream" if is_upstream else "_local/provider"
    step = "login" if auth_request.provider == "COGNITO" else step
    query = request.query_string.decode(errors="replace")
    return redirect(f"{request.host_url}{step}?{query}")


def read_request(pool: Pool) -> AuthorizationRequest:
    """Validate the request's query. Raises PageError or CallbackError."""
    query = request.args.to_dict()
    if len(resources := request.args.getlist("resource")) > 1:
        query["resource"] = " ".join(resources)  # RFC 8707 allows several, Cognito only one
    return authorization.read_request(pool, query)


def usable_session(pool: Pool, auth_request: AuthorizationRequest) -> BrowserSession | None:
    """Return the browser's session if it is enough for this request, else None."""
    session = recent_session(pool, auth_request)
    return session if session and not needs_code(pool, auth_request, session) else None


def recent_session(pool: Pool, auth_request: AuthorizationRequest) -> BrowserSession | None:
    """Return the browser's session if it is recent enough, whatever its level is."""
    session = users.get_session(pool, request.cookies.get("cognito", ""))
    seconds = sessions.sso_seconds(pool, auth_request.client)
    return session if auth_request.accepts_session(session, pool.clock(), seconds) else None


def needs_code(pool: Pool, auth_request: AuthorizationRequest, session: BrowserSession) -> bool:
    """Return True if the request requires a higher level than the session has."""
    user = users.get(pool, session.username)
    required = authorization.required_level(pool, auth_request, user)
    return required > levels.level_of(session.amr)


def back_to_app(
    pool: Pool, auth_request: AuthorizationRequest, session: BrowserSession, how: str
) -> Response:
    """Redirect to the callback with a code, or with tokens in the fragment (implicit flow)."""
    client, reference, resource = (
        auth_request.client,
        auth_request.reference,
        auth_request["resource"],
    )
    sign_in = grants.start_sign_in(pool, session, client, auth_request.scopes, reference, resource)
    parameters: dict[str, Any] = {}
    if auth_request.is_implicit:
        user = users.get(pool, session.username)
        parameters |= grants.issue_tokens(pool, user, sign_in, nonce=auth_request["nonce"])
    else:
        parameters["code"] = authorization.issue_code(pool, auth_request, sign_in)
    if auth_request["state"]:
        parameters["state"] = auth_request["state"]
    name = session.username
    pool.journal.step(reference, "login", f"{name}, {how}", username=name)
    url = callback_url(auth_request.redirect_uri, parameters, fragment=auth_request.is_implicit)
    return redirect(url)


def token(pool: Pool) -> Response:
    started, form = time.perf_counter(), request.form
    reference, grant = _reference(pool, form), form.get("grant_type", "")[:60]
    if request.mimetype != FORM:
        cause = f"the body is {request.mimetype or 'untyped'}, not a form"
        raise TokenError("invalid_request", cause=cause)
    client = grants.authenticate_client(pool, request.headers.get("Authorization"), form)
    if grant not in GRANTS:
        error = "unsupported_grant_type" if grant else "invalid_request"
        raise TokenError(error, cause=f"grant_type is {grant or 'missing'}")
    try:
        tokens = GRANTS[grant](pool, client, form, caller())
    except UserError as error:  # of a trigger
        raise TokenError("invalid_request", error.message) from None
    duration = f"{(time.perf_counter() - started) * 1000:.0f} ms"
    pool.journal.step(reference, f"token {grant}", duration, details=_claims(tokens))
    return json_response(tokens)


def _reference(pool: Pool, form: Mapping[str, str]) -> str:
    """Return the reference of the attempt that issued this code or refresh token."""
    token = form.get("refresh_token", form.get("token", ""))
    code = pool.state.codes.get(digest(form.get("code", "")))
    record = code or pool.state.refresh_tokens.get(digest(token))
    sign_in = pool.state.sign_ins.get(record.origin_jti) if record else None
    return sign_in.reference if sign_in else NO_STATE


def caller() -> sessions.Caller:
    """Return the sender of this request."""
    agent = request.headers.get("User-Agent", "")
    return sessions.Caller(agent, request.remote_addr or "")


def _claims(tokens: dict[str, Any]) -> dict[str, Any]:
    """Return the claims of each token for the console, which never shows the token itself."""
    kinds = [kind for kind in ("id_token", "access_token") if kind in tokens]
    options: Any = {"verify_signature": False}  # the pool has just issued it
    return {kind: jwt.decode(tokens[kind], options=options) for kind in kinds}


def revoke(pool: Pool) -> Response:
    form, header = request.form, request.headers.get("Authorization")
    reference = _reference(pool, form)
    grants.revoke(pool, grants.authenticate_client(pool, header, form), form.get("token", ""))
    pool.journal.step(reference, "revoke", "unknown token" if reference == NO_STATE else "")
    response = Response(status=200)
    del response.headers["Content-Type"]  # some clients require a JSON type if there is any
    return response


def user_info(pool: Pool) -> Response:
    scheme, _, access_token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not access_token:
        raise TokenError("invalid_request", "Bad OAuth2 request at UserInfo Endpoint")
    return json_response(access.user_info(pool, access_token))


def json_response(body: dict[str, Any], status: int = 200) -> Response:
    response = jsonify(body)
    response.status_code = status
    response.headers["Content-Type"] = JSON
    return response


def logout(pool: Pool) -> Response:
    """Redirect to logout_uri, or with redirect_uri and response_type to the sign-in page."""
    query = request.args
    client = pool.clients.get(query.get("client_id", ""))
    if client is None:
        raise PageError("invalid_request", "Missing required parameter client_id in request URL")
    sent = query.get("logout_uri", "")
    if sent and sent not in client.logout_urls:
        why = explain.mismatch(sent, client.logout_urls, "logout")
        raise PageError("redirect_mismatch", **why)
    if sent:
        response = redirect(sent)
    else:
        for name in ("redirect_uri", "response_type"):
            if not query.get(name):
                raise authorization.missing(name)
        auth_request = read_request(pool)
        login_query = query.to_dict() | {"scope": " ".join(auth_request.scopes)}
        response = redirect(f"{request.host_url}login?{urlencode(login_query)}")
    users.end_session(pool, request.cookies.get("cognito", ""))
    response.delete_cookie("cognito")
    pool.journal.line(f"{'-' * 8}  logout to {sent or 'sign in again'}")
    return response


def callback_error(pool: Pool, kind: str) -> CallbackError:
    """Return the error for a fault at authorize or login: access denied, or a server error."""
    return read_request(pool).to_error(*CALLBACK_ERRORS[kind])


def query_for_console() -> dict[str, str]:
    """Return the authorize query without the values of state, nonce and code_challenge."""
    hidden = ("state", "nonce", "code_challenge")
    return {k: "sent" if k in hidden else v[:300] for k, v in request.args.items()}


def _log(pool: Pool, error: PoolError) -> None:
    reference = attempt_reference(request.args.get("state", ""))
    details = {"parameters": query_for_console()}
    pool.journal.step(reference, request.endpoint or "", error=error, details=details)


def to_callback(pool: Pool, error: CallbackError) -> Response:
    _log(pool, error)
    url = callback_url(error.redirect_uri, error.parameters, fragment=error.fragment)
    return redirect(url)


def to_error_page(pool: Pool, error: PageError) -> Response:
    _log(pool, error)
    client_id, description = request.args.get("client_id", ""), error.description
    query = {"error": error.error, "client_id": client_id, "error_description": description}
    present = {key: value for key, value in query.items() if value}
    return redirect(f"{request.host_url}error?{urlencode(present)}")


def token_error(pool: Pool, error: TokenError) -> Response:
    """Return a JSON error, logged under the attempt of the code or refresh token."""
    name, status = request.endpoint or "", error.status
    if name in ("token", "revoke"):
        step = f"{name} {request.form.get('grant_type', '')[:40]}".strip()
        pool.journal.step(_reference(pool, request.form), step, error=error)
    if name == "revoke" and error.error == "invalid_client":
        status = 401
    body = {"error": error.error, "error_description": error.description}
    response = json_response({key: value for key, value in body.items() if value}, status)
    if name == "userInfo":
        fields = f'error="{error.error}", error_description="{error.description}"'
        response.headers["WWW-Authenticate"] = f'Bearer realm="{pool.config.issuer}", {fields}'
    return response


ROUTES = (
    ("/oauth2/authorize", "authorize", authorize, ["GET"]),
    ("/oauth2/token", "token", token, ["POST"]),
    ("/oauth2/revoke", "revoke", revoke, ["POST"]),
    ("/oauth2/userInfo", "userInfo", user_info, ["GET", "POST"]),
    ("/logout", "logout", logout, ["GET"]),
)
