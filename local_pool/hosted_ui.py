"""The pages people see: sign in, sign up, confirm, forgotten and new password, errors.

Every page carries the authorize query in its address, as Cognito's do, and ends back at the app.
"""

import hmac
import secrets
import uuid
from collections.abc import Callable
from urllib.parse import urlencode

from flask import make_response, redirect, render_template, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import Forbidden, HTTPException
from werkzeug.wrappers import Response

from . import authorization, passwords, people, verification
from .authorization import AuthorizationRequest
from .errors import PersonRefused
from .oauth import back_to_app
from .pool import Pool
from .records import Person

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


def form_page(
    pool: Pool, template: str, submit: Callable[[MultiDict[str, str]], Response]
) -> Response:
    """GET shows the form; POST submits it, and shows it again with what was wrong."""
    asked = authorization.read_request(pool, request.args)
    if request.method == "GET":
        return page(template, form=request.args, client=asked.client)
    check_form()
    try:
        return submit(request.form)
    except PersonRefused as refusal:
        pool.journal.step(asked.reference, request.endpoint or "", refused=refusal)
        return page(template, form=request.form, client=asked.client, error=refusal.message)


def login(pool: Pool) -> Response:
    asked = authorization.read_request(pool, request.args)
    session = people.session_of(pool, request.cookies.get("cognito", ""))
    reusable = session if asked.satisfied_by(session, pool.clock()) else None
    if request.method == "GET":
        form = {"username": request.args.get("login_hint", "")}
        notice = (
            "Your password is changed. Sign in with the new one."
            if request.args.get("reset")
            else ""
        )
        return page("login.html", client=asked.client, form=form, session=reusable, notice=notice)

    def submit(form: MultiDict[str, str]) -> Response:
        if reusable and "signInAs" in form:
            return back_to_app(pool, asked, reusable, "signed in already")
        return proceed(pool, asked, people.authenticate(pool, *_credentials(pool, form)))

    return form_page(pool, "login.html", submit)


def _credentials(pool: Pool, form: MultiDict[str, str]) -> tuple[str, str]:
    """What was typed, or the declared person whose button was pressed."""
    for declared in pool.config.people:
        if declared.username == form.get("person"):
            return declared.username, declared.password
    return form.get("username", ""), form.get("password", "")


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


def signup(pool: Pool) -> Response:
    def submit(form: MultiDict[str, str]) -> Response:
        attributes = {
            name: form.get(f"requiredAttributes[{name}]", "") for name in ("email", "name")
        }
        person = verification.sign_up(
            pool, form.get("username", ""), form.get("password", ""), attributes
        )
        return redirect(address("/confirm", username=person.username))

    return form_page(pool, "signup.html", submit)


def confirm(pool: Pool) -> Response:
    """The right code signs the new person in, without a second password."""

    def submit(form: MultiDict[str, str]) -> Response:
        person = verification.confirm(pool, form.get("username", ""), form.get("code", ""))
        asked = authorization.read_request(pool, request.args)
        return proceed(pool, asked, person, "with a confirmation code")

    return form_page(pool, "confirm.html", submit)


def resend(pool: Pool) -> Response:
    def submit(form: MultiDict[str, str]) -> Response:
        verification.resend(pool, form.get("username", ""))
        return redirect(address("/confirm", username=form.get("username", ""), sent="1"))

    return form_page(pool, "confirm.html", submit)


def forgot_password(pool: Pool) -> Response:
    def submit(form: MultiDict[str, str]) -> Response:
        verification.forgot(pool, form.get("username", ""))
        return redirect(address("/confirmForgotPassword", username=form.get("username", "")))

    return form_page(pool, "forgot.html", submit)


def reset_password(pool: Pool) -> Response:
    def submit(form: MultiDict[str, str]) -> Response:
        password = _twice(form)
        verification.reset(pool, form.get("username", ""), form.get("code", ""), password)
        return redirect(address("/login", reset="1"))

    return form_page(pool, "reset.html", submit)


def change_password(pool: Pool) -> Response:
    """An invited person's own password; the ticket proves that the temporary one was right."""

    def submit(form: MultiDict[str, str]) -> Response:
        password, ticket = _twice(form), form.get("session", "")
        passwords.check_policy(password)
        person = people.get(pool, form.get("username", ""))
        verification.use_code(pool, person, verification.NEW_PASSWORD, ticket)
        person = people.set_password(pool, person, password)
        return proceed(pool, authorization.read_request(pool, request.args), person)

    return form_page(pool, "new_password.html", submit)


def _twice(form: MultiDict[str, str]) -> str:
    password = form.get("password", "")
    if form.get("confirm_password", password) != password:
        raise PersonRefused("InvalidParameterException", "Passwords don't match.")
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
    failures = [(a.reference, a.failed) for a in pool.journal.attempts() if a.failed]
    same = (f for f in failures if f[1].details.get("parameters", {}).get("client_id") == client_id)
    description = said if said.startswith(("Required String", "Missing required")) else ""
    name = request.args.get("error", "invalid_request")
    return page("error.html", 400, error=name, description=description, failure=next(same, None))


def http_error(pool: Pool, problem: HTTPException) -> Response:
    """404, 405, 403 and their like; programs get the bare status."""
    if request.path.startswith("/oauth2/") or request.path == "/":
        return Response("", problem.code, [h for h in problem.get_headers() if h[0] == "Allow"])
    return page(
        "error.html", problem.code or 500, error=problem.name, description=problem.description
    )


BOTH = ["GET", "POST"]
ROUTES = (
    ("/login", "login", login, BOTH),
    ("/signup", "signup", signup, BOTH),
    ("/confirm", "confirm", confirm, BOTH),
    ("/resendcode", "resendcode", resend, BOTH),
    ("/confirmUser", "confirmUser", confirm_user, ["GET"]),
    ("/forgotPassword", "forgotPassword", forgot_password, BOTH),
    ("/confirmForgotPassword", "confirmForgotPassword", reset_password, BOTH),
    ("/changePassword", "changePassword", change_password, BOTH),
    ("/error", "error", error, ["GET"]),
)
