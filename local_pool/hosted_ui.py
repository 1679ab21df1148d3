"""The hosted UI: sign in, sign up, confirm, forgotten and new password, errors.

As at Cognito, every page has the authorize query in its URL, and finally redirects to the app.
"""

import hmac
import re
import secrets
import uuid
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from flask import make_response, redirect, render_template, request
from werkzeug.exceptions import Forbidden, HTTPException
from werkzeug.wrappers import Response

from . import authorization, levels, passwords, sessions, users, verification
from .authorization import AuthorizationRequest
from .errors import INVALID, UserError
from .oauth import back_to_app, caller, needs_code, read_request, recent_session, usable_session
from .pool import Pool
from .records import PoolUser

Form = Mapping[str, str]
PAGE_PARAMETERS = ("username", "sent", "reset")  # what the pages add to the authorize query


def page(template: str, status: int = 200, **context: object) -> Response:
    """Render a page with its CSRF token, in a cookie and in every form."""
    token = request.cookies.get("XSRF-TOKEN") or str(uuid.uuid4())
    context |= {"csrf": token, "query": page_url("").lstrip("?"), "rules": passwords.RULES}
    response = make_response(render_template(template, **context), status)
    response.set_cookie("XSRF-TOKEN", token, httponly=True, samesite="Lax")
    return response


def page_url(path: str, **parameters: str) -> str:
    """Return the URL of another page with the same authorize query."""
    query = [(k, v) for k, v in request.args.items(multi=True) if k not in PAGE_PARAMETERS]
    return f"{path}?{urlencode([*query, *parameters.items()])}"


def is_same_origin() -> bool | None:
    """Return True if the browser's headers name this origin, None if there are no such headers."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is None and origin is None:
        return None
    return site in (None, "same-origin") and origin in (None, request.host_url.rstrip("/"))


def check_form() -> None:
    """Reject a form from another site with status 403.

    The browser's "same origin" is enough, because a new browser that opens several sign-in pages
    at once only keeps the last cookie. Without it, the form must contain the cookie's value.
    """
    same_origin = is_same_origin()
    cookie, field = request.cookies.get("XSRF-TOKEN", ""), request.form.get("_csrf", "")
    has_token = bool(cookie) and hmac.compare_digest(cookie.encode(), field.encode())
    if same_origin is False or not (same_origin or has_token):
        raise Forbidden("This form was not sent from the pool's own page. Open the page again.")


def form_view(
    template: str, submit: Callable[[Pool, AuthorizationRequest, Form], Response]
) -> Callable[[Pool], Response]:
    """Return a view that shows the form, submits it, and shows it again after a UserError."""

    def view(pool: Pool) -> Response:
        auth_request = read_request(pool)
        session = usable_session(pool, auth_request)
        if request.method == "GET":
            return page(template, form=request.args, client=auth_request.client, session=session)
        check_form()
        try:
            return submit(pool, auth_request, request.form)
        except UserError as error:
            pool.journal.step(auth_request.reference, request.endpoint or "", error=error)
            form, client, message = request.form, auth_request.client, error.message
            return page(template, form=form, client=client, session=session, error=message)

    return view


def login(pool: Pool) -> Response:
    """Show the sign-in form, or only ask for a code if the session lacks nothing else."""
    auth_request = read_request(pool)
    session = recent_session(pool, auth_request)
    if request.method == "GET" and session and needs_code(pool, auth_request, session):
        return ask_for_code(pool, auth_request, users.get(pool, session.username))
    return form_view("login.html", sign_in)(pool)


def sign_in(pool: Pool, auth_request: AuthorizationRequest, form: Form) -> Response:
    session = usable_session(pool, auth_request)
    if session and "signInAs" in form:
        return back_to_app(pool, auth_request, session, "signed in already")
    username, password = form.get("username", ""), form.get("password", "")
    for declared in pool.config.people:
        if declared.username == form.get("person"):  # a button of the sign-in page
            username, password = declared.username, declared.password
    user = users.authenticate(pool, auth_request.client, username, password)
    return proceed(pool, auth_request, user)


def proceed(
    pool: Pool, auth_request: AuthorizationRequest, user: PoolUser, how: str = "with a password"
) -> Response:
    """Redirect the authenticated user to the app, or to a page that must come first."""
    if not user.enabled:
        cause, fix = f"{user.username} is disabled", f"enable {user.username} on the console"
        raise auth_request.to_error("invalid_request", "User is not enabled", cause=cause, fix=fix)
    if user.status == "UNCONFIRMED":
        return redirect(page_url("/confirm", username=user.username))
    if user.status == "RESET_REQUIRED":
        raise UserError("PasswordResetRequiredException", users.RESET_REQUIRED)
    if user.status == "FORCE_CHANGE_PASSWORD":
        ticket = secrets.token_hex(16)
        verification.challenge(pool, user, verification.NEW_PASSWORD, ticket)
        form = {"username": user.username, "session": ticket}
        return page("new_password.html", form=form, client=auth_request.client)
    if authorization.required_level(pool, auth_request, user) > levels.level_of(levels.PASSWORD):
        return ask_for_code(pool, auth_request, user)
    return finish(pool, auth_request, user, how, levels.PASSWORD)


def ask_for_code(pool: Pool, auth_request: AuthorizationRequest, user: PoolUser) -> Response:
    """Email a code to a user whose password was correct; the ticket proves that it was."""
    ticket = secrets.token_hex(16)
    verification.challenge(pool, user, verification.PASSED, ticket)
    verification.send_code(pool, user, verification.SECOND_FACTOR)
    form = {"username": user.username, "session": ticket}
    return page("second_factor.html", form=form, client=auth_request.client)


def second_factor(pool: Pool, auth_request: AuthorizationRequest, form: Form) -> Response:
    user = users.get(pool, form.get("username", ""))
    verification.use_code(pool, user, verification.SECOND_FACTOR, form.get("code", ""))
    verification.use_code(pool, user, verification.PASSED, form.get("session", ""))
    how, amr = "with a password and a code", levels.PASSWORD_AND_CODE
    return finish(pool, auth_request, user, how, amr)


def finish(
    pool: Pool, auth_request: AuthorizationRequest, user: PoolUser, how: str, amr: tuple[str, ...]
) -> Response:
    """Start the browser's session, and redirect to the app."""
    client = auth_request.client
    secret, session = users.start_session(pool, user, amr, client, caller())
    response = back_to_app(pool, auth_request, session, how)
    seconds = sessions.max_sso_seconds(pool)
    response.set_cookie("cognito", secret, max_age=seconds, httponly=True, samesite="Lax")
    return response


def sign_up(pool: Pool, auth_request: AuthorizationRequest, form: Form) -> Response:
    attributes = {name: form.get(f"requiredAttributes[{name}]", "") for name in ("email", "name")}
    if not attributes["email"].strip():
        raise UserError(INVALID, "Invalid email address format.")
    username, password = form.get("username", ""), form.get("password", "")
    user = verification.sign_up(pool, username, password, attributes)
    return redirect(page_url("/confirm", username=user.username))


def confirm(pool: Pool, auth_request: AuthorizationRequest, form: Form) -> Response:
    """Confirm a new account with its code, and sign the user in without the password."""
    user = verification.confirm(pool, form.get("username", ""), form.get("code", ""))
    return proceed(pool, auth_request, user, "with a confirmation code")


def resend(pool: Pool, auth_request: AuthorizationRequest, form: Form) -> Response:
    verification.resend(pool, form.get("username", ""))
    return redirect(page_url("/confirm", username=form.get("username", ""), sent="1"))


def forgot_password(pool: Pool, auth_request: AuthorizationRequest, form: Form) -> Response:
    verification.forgot(pool, form.get("username", ""))
    return redirect(page_url("/confirmForgotPassword", username=form.get("username", "")))


def reset_password(pool: Pool, auth_request: AuthorizationRequest, form: Form) -> Response:
    username, code = form.get("username", ""), form.get("code", "")
    verification.reset(pool, username, code, _new_password(form))
    return redirect(page_url("/login", reset="1"))


def change_password(pool: Pool, auth_request: AuthorizationRequest, form: Form) -> Response:
    """Set the password of an invited user; the ticket proves that the temporary one was correct."""
    password, user = _new_password(form), users.get(pool, form.get("username", ""))
    verification.use_code(pool, user, verification.NEW_PASSWORD, form.get("session", ""))
    return proceed(pool, auth_request, users.set_password(pool, user, password))


def _new_password(form: Form) -> str:
    """Return the new password, validated before a code is used."""
    password = form.get("password", "")
    if form.get("confirm_password", password) != password:
        raise UserError(INVALID, "Passwords don't match.")
    passwords.check_policy(password)
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
    "login": login,
    "mfa": form_view("second_factor.html", second_factor),
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
