"""The OAuth and OpenID Connect endpoints over HTTP. What they decide stands in grants.py and
authorization.py; here are addresses, headers, statuses and the lines in the journal."""

import time
from typing import Any
from urllib.parse import urlencode

from flask import jsonify, redirect, request
from werkzeug.wrappers import Response

from . import access, authorization, explain, grants, people
from .authorization import AuthorizationRequest, callback_url
from .errors import CallbackRefused, PageRefused, TokenRefused
from .journal import NO_STATE, reference_of
from .pool import Pool
from .records import BrowserSession

JSON = "application/json;charset=UTF-8"
GRANTS = {
    "authorization_code": grants.exchange_code,
    "refresh_token": grants.refresh,
    "client_credentials": grants.client_credentials,
}
AS_CALLBACK_ERROR = {
    "denied": ("access_denied", "User denied access"),
    "server-error": ("server_error", ""),
}


def discovery(pool: Pool, pool_id: str) -> Response:
    _known(pool, pool_id)
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


def jwks(pool: Pool, pool_id: str) -> Response:
    _known(pool, pool_id)
    return jsonify(pool.keys.jwks())


def _known(pool: Pool, pool_id: str) -> None:
    if pool_id != pool.config.id:
        raise TokenRefused(
            "ResourceNotFoundException", f"User pool {pool_id[:55]} does not exist.", status=404
        )


def authorize(pool: Pool) -> Response:
    """Straight back with a code when the browser is signed in, else on to the sign-in page."""
    asked = authorization.read_request(pool, request.args)
    by = asked.client.name or asked.client.client_id
    details = {"parameters": parameters()}
    pool.journal.step(asked.reference, "authorize", f"by {by}", details=details)
    session = people.session_of(pool, request.cookies.get("cognito", ""))
    if session and asked.satisfied_by(session, pool.clock()):
        return back_to_app(pool, asked, session, "single sign-on")
    if "none" in asked.prompts:
        raise asked.refuse(
            "login_required", cause="prompt=none, and nobody is signed in at the pool"
        )
    return redirect(f"{request.host_url}login?{request.query_string.decode(errors='replace')}")


def back_to_app(
    pool: Pool, asked: AuthorizationRequest, session: BrowserSession, how: str
) -> Response:
    """302 to the callback with a code, or with tokens in the fragment for the implicit flow."""
    state = {"state": asked.state} if asked.state else {}
    if asked.implicit:
        person = people.get(pool, session.username)
        known = {"reference": asked.reference, "nonce": asked.nonce, "resource": asked.resource}
        answer = grants.sign_in_directly(
            pool, person, asked.client, asked.scopes, auth_time=session.auth_time, **known
        )
        names = ("id_token", "access_token", "token_type", "expires_in")
        sent = {name: str(answer[name]) for name in names if name in answer} | state
    else:
        sent = {"code": authorization.issue_code(pool, asked, session)} | state
    who = session.username
    pool.journal.step(asked.reference, "login", f"{who}, {how}", who=who)
    return redirect(callback_url(asked.redirect_uri, sent, fragment=asked.implicit))


def token(pool: Pool) -> Response:
    started, form = time.perf_counter(), request.form
    reference = grants.reference(pool, form)
    grant = form.get("grant_type", "")
    try:
        if request.mimetype != "application/x-www-form-urlencoded":
            raise TokenRefused(
                "invalid_request", cause=f"the body is {request.mimetype or 'untyped'}, not a form"
            )
        client = grants.authenticate_client(pool, request.headers.get("Authorization"), form)
        perform = GRANTS.get(grant)
        if perform is None:
            error = "unsupported_grant_type" if grant else "invalid_request"
            raise TokenRefused(error, cause=f"grant_type is {grant[:40] or 'missing'}")
        answer = perform(pool, client, form)
    except TokenRefused as refusal:
        pool.journal.step(reference, f"token {grant[:40]}", refused=refusal)
        raise
    took = f"{(time.perf_counter() - started) * 1000:.0f} ms"
    pool.journal.step(reference, f"token {grant}", took, details=_shown_claims(answer))
    response = jsonify(answer)
    response.headers["Content-Type"] = JSON
    return response


def _shown_claims(answer: dict[str, Any]) -> dict[str, Any]:
    """Claims for the console: what a developer wants to see of a token that may not be shown."""
    return {
        kind: access.unverified_claims(answer[kind])
        for kind in ("id_token", "access_token")
        if kind in answer
    }


def revoke(pool: Pool) -> Response:
    form, header = request.form, request.headers.get("Authorization")
    reference = grants.reference(pool, form)
    try:
        grants.revoke(pool, grants.authenticate_client(pool, header, form), form.get("token", ""))
    except TokenRefused as refusal:
        refusal.status = 401 if refusal.error == "invalid_client" else 400
        pool.journal.step(reference, "revoke", refused=refusal)
        raise
    pool.journal.step(reference, "revoke", "unknown token" if reference == NO_STATE else "")
    return Response(status=200)


def user_info(pool: Pool) -> Response:
    scheme, _, access_token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not access_token:
        raise TokenRefused("invalid_request", "Bad OAuth2 request at UserInfo Endpoint")
    response = jsonify(access.user_info(pool, access_token))
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
        raise PageRefused(
            "redirect_mismatch", **explain.mismatch(sent, client.logout_urls, "sign-out")
        )
    if sent:
        response = redirect(sent)
    else:
        for name in ("redirect_uri", "response_type"):
            if not query.get(name):
                raise authorization.missing(name)
        asked = authorization.read_request(pool, query)
        kept = {k: v for k, v in query.items() if k != "scope"} | {"scope": " ".join(asked.scopes)}
        response = redirect(f"{request.host_url}login?{urlencode(kept)}")
    people.end_session(pool, request.cookies.get("cognito", ""))
    response.delete_cookie("cognito")
    pool.journal.line(f"{'-' * 8}  logout to {sent or 'sign in again'}")
    return response


def callback_error(pool: Pool, kind: str) -> Response:
    """A fault at authorize or login: as if the person had said no, or Cognito had failed."""
    asked = authorization.read_request(pool, request.args)
    return to_callback(pool, asked.refuse(*AS_CALLBACK_ERROR[kind]))


def parameters() -> dict[str, str]:
    """The authorize query for the console; of values that bind the attempt only that they came."""
    hidden = ("state", "nonce", "code_challenge")
    return {k: "sent" if k in hidden else v[:300] for k, v in request.args.items()}


def to_callback(pool: Pool, refusal: CallbackRefused) -> Response:
    reference = reference_of(request.args.get("state", ""))
    pool.journal.step(
        reference, request.endpoint or "", refused=refusal, details={"parameters": parameters()}
    )
    address = callback_url(refusal.redirect_uri, refusal.parameters, fragment=refusal.fragment)
    return redirect(address)


def to_error_page(pool: Pool, refusal: PageRefused) -> Response:
    reference = reference_of(request.args.get("state", ""))
    pool.journal.step(
        reference, request.endpoint or "", refused=refusal, details={"parameters": parameters()}
    )
    query = {"error": refusal.error, "client_id": request.args.get("client_id", "")}
    if refusal.message:
        query["error_description"] = refusal.message
    kept = {key: value for key, value in query.items() if value}
    return redirect(f"{request.host_url}error?{urlencode(kept)}")


def token_error(pool: Pool, refusal: TokenRefused) -> Response:
    body = {"error": refusal.error}
    if refusal.description:
        body["error_description"] = refusal.description
    response = jsonify(body)
    response.status_code = refusal.status
    response.headers["Content-Type"] = JSON
    if request.endpoint == "userInfo":
        said = f'error="{refusal.error}", error_description="{refusal.description}"'
        response.headers["WWW-Authenticate"] = f'Bearer realm="{pool.config.issuer}", {said}'
    return response


ROUTES = (
    ("/<pool_id>/.well-known/openid-configuration", "discovery", discovery, ["GET"]),
    ("/<pool_id>/.well-known/jwks.json", "jwks", jwks, ["GET"]),
    ("/oauth2/authorize", "authorize", authorize, ["GET"]),
    ("/oauth2/token", "token", token, ["POST"]),
    ("/oauth2/revoke", "revoke", revoke, ["POST"]),
    ("/oauth2/userInfo", "userInfo", user_info, ["GET", "POST"]),
    ("/logout", "logout", logout, ["GET"]),
)
