"""The pages people see: sign in, sign up, confirm, forgotten and new password, errors.

Every page carries the authorize query in its address, as Cognito's do, and ends back at the app.
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

from . import authorization, passwords, people, verification
from .authorization import AuthorizationRequest
from .errors import PersonRefused
from .oauth import back_to_app, usable_session
from .pool import Pool
from .records import Person

Form = Mapping[str, str]
OURS = ("username", "sent", "reset")  # what our pages add to the authorize query


def page(template: str, status: int = 200, **context: object) -> Response:
    """Render a page with its anti-forgery value: a cookie and the same value in every form."""
    value = request.cookies.get("XSRF-TOKEN") or str(uuid.uuid4())
    context |= {"csrf": value, "query": address("").lstrip("?"), "rules": passwords.RULES}
    response = make_response(render_template(template, **context), status)
    response.set_cookie("XSRF-TOKEN", value, httponly=True, samesite="Lax")
    return response


def address(path: str, **added: str) -> str:
    """A page of ours under the same authorize query."""
    kept = [(k, v) for k, v in request.args.items(multi=True) if k not in OURS]
    return f"{path}?{urlencode([*kept, *added.items()])}"


def same_origin() -> bool | None:
    """What the browser itself says of a POST; None when it says nothing (a program)."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is None and origin is None:
        return None
    return site in (None, "same-origin") and origin in (None, request.host_url.rstrip("/"))


def check_form() -> None:
    """Refuse a form of another site: 403.

    A browser that says "same origin" is believed, since of ten sign-in pages opened at once by a
    new browser only the last one's cookie survives; all others must repeat their cookie's value.
    """
    own = same_origin()
    cookie, field = request.cookies.get("XSRF-TOKEN", ""), request.form.get("_csrf", "")
    repeats = bool(cookie) and hmac.compare_digest(cookie.encode(), field.encode())
    if own is False or not (own or repeats):
        raise Forbidden("This form does not come from the pool's own page. Open it again.")


def form_view(
    template: str, submit: Callable[[Pool, AuthorizationRequest, Form], Response]
) -> Callable[[Pool], Response]:
    """GET shows the form; POST submits it, and shows it again with what was wrong."""

    def view(pool: Pool) -> Response:
        asked = authorization.read_request(pool, request.args)
        session = usable_session(pool, asked)
        if request.method == "GET":
            return page(template, form=request.args, client=asked.client, session=session)
        check_form()
        try:
            return submit(pool, asked, request.form)
        except PersonRefused as refusal:
            pool.journal.step(asked.reference, request.endpoint or "", refused=refusal)
            form, said = request.form, refusal.message
            return page(template, form=form, client=asked.client, session=session, error=said)

    return view


def sign_in(pool: Pool, asked: AuthorizationRequest, form: Form) -> Response:
    session = usable_session(pool, asked)
    if session and "signInAs" in form:
        return back_to_app(pool, asked, session, "signed in already")
    username, password = form.get("username", ""), form.get("password", "")
    for declared in pool.config.people:
        if declared.username == form.get("person"):  # the button with this name was pressed
            username, password = declared.username, declared.password
    return proceed(pool, asked, people.authenticate(pool, username, password))


def proceed(
    pool: Pool, asked: AuthorizationRequest, person: Person, how: str = "with a password"
) -> Response:
    """The person has proven who they are: on to the app, or to what has to happen first."""
    if not person.enabled:
        cause, fix = f"{person.username} is disabled", f"enable {person.username} on the console"
        raise asked.refuse("invalid_request", "User is not enabled", cause=cause, fix=fix)
    if person.status == "UNCONFIRMED":
        return redirect(address("/confirm", username=person.username))
    if person.status == "FORCE_CHANGE_PASSWORD":
        ticket = secrets.token_hex(16)
        verification.challenge(pool, person, verification.NEW_PASSWORD, ticket)
        form = {"username": person.username, "session": ticket}
        return page("new_password.html", form=form, client=asked.client)
    secret, session = people.begin_session(pool, person)
    response = back_to_app(pool, asked, session, how)
    seconds = pool.config.session_seconds
    response.set_cookie("cognito", secret, max_age=seconds, httponly=True, samesite="Lax")
    return response


def sign_up(pool: Pool, asked: AuthorizationRequest, form: Form) -> Response:
    given = {name: form.get(f"requiredAttributes[{name}]", "") for name in ("email", "name")}
    username, password = form.get("username", ""), form.get("password", "")
    person = verification.sign_up(pool, username, password, given)
    return redirect(address("/confirm", username=person.username))


def confirm(pool: Pool, asked: AuthorizationRequest, form: Form) -> Response:
    """The right code signs the new person in, without a second password."""
    person = verification.confirm(pool, form.get("username", ""), form.get("code", ""))
    return proceed(pool, asked, person, "with a confirmation code")


def resend(pool: Pool, asked: AuthorizationRequest, form: Form) -> Response:
    verification.resend(pool, form.get("username", ""))
    return redirect(address("/confirm", username=form.get("username", ""), sent="1"))


def forgot_password(pool: Pool, asked: AuthorizationRequest, form: Form) -> Response:
    verification.forgot(pool, form.get("username", ""))
    return redirect(address("/confirmForgotPassword", username=form.get("username", "")))


def reset_password(pool: Pool, asked: AuthorizationRequest, form: Form) -> Response:
    username, code = form.get("username", ""), form.get("code", "")
    verification.reset(pool, username, code, _new_password(form))
    return redirect(address("/login", reset="1"))


def change_password(pool: Pool, asked: AuthorizationRequest, form: Form) -> Response:
    """An invited person's own password; the ticket proves that the temporary one was right."""
    password, person = _new_password(form), people.get(pool, form.get("username", ""))
    verification.use_code(pool, person, verification.NEW_PASSWORD, form.get("session", ""))
    return proceed(pool, asked, people.set_password(pool, person, password))


def _new_password(form: Form) -> str:
    """Checked before a code is spent on it."""
    password = form.get("password", "")
    if form.get("confirm_password", password) != password:
        raise PersonRefused("InvalidParameterException", "Passwords don't match.")
    passwords.check_policy(password)
    return password


def confirm_user(pool: Pool) -> Response:
    """The link form of a confirmation mail: confirms, does not sign in."""
    query, error = request.args, ""
    try:
        verification.confirm(pool, query.get("user_name", ""), query.get("confirmation_code", ""))
    except PersonRefused as refusal:
        error = refusal.message
    return page("confirmed.html", 400 if error else 200, error=error)


def error(pool: Pool) -> Response:
    """Cognito's sentence, and, since this pool can know, the cause and the fix."""
    client_id, said = request.args.get("client_id"), request.args.get("error_description", "")
    failures = [
        (attempt.reference, attempt.failed)
        for attempt in pool.journal.attempts()
        if attempt.failed
        and attempt.steps[-1].details.get("parameters", {}).get("client_id") == client_id
    ]
    description = said if said.startswith(("Required String", "Missing required")) else ""
    name, failure = request.args.get("error", "invalid_request"), next(iter(failures), None)
    return page("error.html", 400, error=name, description=description, failure=failure)


def http_error(pool: Pool, problem: HTTPException) -> Response:
    """404, 405, 403 and their like; programs get the bare status."""
    if re.match(r"/(oauth2/|[^/]+/\.well-known/|$)", request.path):
        return Response("", problem.code, [h for h in problem.get_headers() if h[0] == "Allow"])
    status, description = problem.code or 500, problem.description
    return page("error.html", status, error=problem.name, description=description)


FORMS = {
    "login": form_view("login.html", sign_in),
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
