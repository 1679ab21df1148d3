"""The other pages of the hosted UI: sign up, confirm, forgotten and new password, errors."""

import re

from flask import redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from . import passwords, users, verification
from .authorization import AuthorizationRequest
from .errors import INVALID, UserError
from .hosted_sign_in import proceed
from .pages import Form, form_view, page, page_url
from .pool import Pool


def sign_up(pool: Pool, auth_request: AuthorizationRequest, form: Form) -> Response:
    attributes = {name: form.get(f"requiredAttributes[{name}]", "") for name in ("email", "name")}
    username, password = form.get("username", ""), form.get("password", "")
    if not attributes["email"].strip() and not pool.config.email_is_username:
        raise UserError(INVALID, "Invalid email address format.")
    user = verification.sign_up(pool, auth_request.client, username, password, attributes)
    return redirect(page_url("/confirm", username=user.username))


def confirm(pool: Pool, auth_request: AuthorizationRequest, form: Form) -> Response:
    """Confirm a new account with its code, and sign the user in without the password."""
    user = verification.confirm(pool, form.get("username", ""), form.get("code", ""))
    return proceed(pool, auth_request, user, "with a confirmation code")


def resend(pool: Pool, auth_request: AuthorizationRequest, form: Form) -> Response:
    verification.resend(pool, form.get("username", ""))
    return redirect(page_url("/confirm", username=form.get("username", ""), sent="1"))


def forgot_password(pool: Pool, auth_request: AuthorizationRequest, form: Form) -> Response:
    verification.forgot(pool, auth_request.client, form.get("username", ""))
    return redirect(page_url("/confirmForgotPassword", username=form.get("username", "")))


def reset_password(pool: Pool, auth_request: AuthorizationRequest, form: Form) -> Response:
    username, code = form.get("username", ""), form.get("code", "")
    verification.reset(pool, username, code, _new_password(pool, form))
    return redirect(page_url("/login", reset="1"))


def change_password(pool: Pool, auth_request: AuthorizationRequest, form: Form) -> Response:
    """Set the password of an invited user; the ticket proves that the temporary one was correct."""
    password, user = _new_password(pool, form), users.get(pool, form.get("username", ""))
    verification.use_code(pool, user, verification.NEW_PASSWORD, form.get("session", ""))
    return proceed(pool, auth_request, users.set_password(pool, user, password))


def _new_password(pool: Pool, form: Form) -> str:
    """Return the new password, validated before a code is used."""
    password = form.get("password", "")
    if form.get("confirm_password", password) != password:
        raise UserError(INVALID, "Passwords don't match.")
    passwords.check_policy(pool.config, password)
    return password


def confirm_user(pool: Pool) -> Response:
    """Confirm an account by the link of a confirmation email, without signing in."""
    query, message = request.args, ""
    try:
        verification.confirm(pool, query.get("user_name", ""), query.get("confirmation_code", ""))
    except UserError as error:
        message = error.message
    return page("confirmed.html", 400 if message else 200, error=message)


def error(pool: Pool) -> Response:
    """Show Cognito's message with the cause and the fix of the client's last failed attempt."""
    client_id, text = request.args.get("client_id"), request.args.get("error_description", "")
    failures = [
        (attempt.reference, attempt.error)
        for attempt in pool.journal.attempts()
        if attempt.error
        and attempt.steps[-1].details.get("parameters", {}).get("client_id") == client_id
    ]
    description = text if text.startswith(("Required String", "Missing required")) else ""
    name, failure = request.args.get("error", "invalid_request"), next(iter(failures), None)
    return page("error.html", 400, error=name, description=description, failure=failure)


def http_error(pool: Pool, problem: HTTPException) -> Response:
    """Return the error page, or for the OAuth endpoints and the API a response without a body."""
    if re.match(r"/(oauth2/|([^/]+/){1,2}\.well-known/|$)", request.path):
        return Response("", problem.code, [h for h in problem.get_headers() if h[0] == "Allow"])
    status, description = problem.code or 500, problem.description
    return page("error.html", status, error=problem.name, description=description)


FORMS = {
    "signup": form_view("signup.html", sign_up),
    "confirm": form_view("confirm.html", confirm),
    "resendcode": form_view("confirm.html", resend),
    "forgotPassword": form_view("forgot.html", forgot_password),
    "confirmForgotPassword": form_view("reset.html", reset_password),
    "changePassword": form_view("new_password.html", change_password),
}
ROUTES = (
    *((f"/{name}", name, view, ["GET", "POST"]) for name, view in FORMS.items()),
    ("/confirmUser", "confirmUser", confirm_user, ["GET"]),
    ("/error", "error", error, ["GET"]),
)
