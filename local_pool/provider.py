"""Signing in at an identity provider: a page that plays it, or an upstream OIDC provider.

The page plays Google, or an OIDC provider of a company. It stands between the authorize endpoint
and the callback, as the provider does. An error that the command ``provider-error`` has set is sent
to the app's callback instead of a code.
"""

import hmac

from flask import redirect, request
from werkzeug.wrappers import Response

from . import authorization, federation, upstream
from .authorization import AuthorizationRequest
from .errors import INVALID, PageError, UserError
from .hosted_sign_in import finish
from .oauth import read_request
from .pages import Form, form_view
from .pool import Pool


def submit(pool: Pool, auth_request: AuthorizationRequest, form: Form) -> Response:
    """Sign in the user that the provider's page names, as Cognito does after the callback."""
    subject = form.get("subject", "").strip()
    if pool.provider_errors:
        raise auth_request.to_error("invalid_request", pool.provider_errors.pop(0))
    if not subject:
        raise UserError(INVALID, "Enter the ID of a user at the provider.")
    mapped = {name: form.get(name, "").strip() for name in ("email", "name")}
    return _finish(pool, auth_request, subject, mapped)


def _finish(
    pool: Pool, auth_request: AuthorizationRequest, subject: str, mapped: dict[str, str]
) -> Response:
    provider = auth_request.provider
    try:
        user = federation.sign_in(pool, provider, subject, mapped)
    except UserError as error:
        raise auth_request.to_error("invalid_request", error.message) from None
    if not user.enabled:
        raise auth_request.to_error("invalid_request", "User is not enabled")
    return finish(pool, auth_request, user, f"with {provider}", federation.AMR)


def go_upstream(pool: Pool) -> Response:
    """Redirect the browser to the upstream provider that the authorize request names."""
    auth_request = read_request(pool)
    if auth_request.provider not in pool.oidc_providers:
        raise auth_request.to_error("invalid_request", cause="this is not an upstream provider")
    try:
        url, state = upstream.start(pool, auth_request)
    except UserError as error:
        raise auth_request.to_error("invalid_request", error.message) from None
    response = redirect(url)
    response.set_cookie(
        "csrf-state", state, httponly=True, samesite="Lax", secure=request.is_secure
    )
    return response


def come_back(pool: Pool) -> Response:
    """Sign in the user that the upstream provider returns, in the same browser."""
    query, cookie = request.args, request.cookies.get("csrf-state", "")
    if not hmac.compare_digest(cookie.encode(), query.get("state", "").encode()):
        raise PageError("invalid_request", cause="the provider answered to another browser")
    pending = upstream.take(pool, cookie)
    auth_request = authorization.read_request(pool, pending.query)
    if "error" in query:
        text = query.get("error_description") or query["error"]
        raise auth_request.to_error("invalid_request", f"{pending.provider} Error - {text}")
    try:
        subject, mapped = upstream.finish(pool, pending, query.get("code", ""))
    except UserError as error:
        raise auth_request.to_error("invalid_request", error.message) from None
    return _finish(pool, auth_request, subject, mapped)


ROUTES = (
    ("/_local/upstream", "_local_upstream", go_upstream, ["GET"]),
    (upstream.CALLBACK, "idpresponse", come_back, ["GET"]),
    ("/_local/provider", "_local_provider", form_view("provider.html", submit), ["GET", "POST"]),
)
