"""The pages people see: sign in, sign up, confirm, forgotten and new password, errors.

Every page carries the authorize query in its address, as Cognito's do, and ends back at the app.
"""

import hmac
import uuid

from flask import make_response, render_template, request
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response

from . import authorization, people
from .authorization import AuthorizationRequest
from .errors import PersonRefused
from .oauth import back_to_app, parameters
from .pool import Pool
from .records import Person


def page(template: str, status: int = 200, **context: object) -> Response:
    """Render a page with its anti-forgery value: a cookie and the same value in every form."""
    value = request.cookies.get("XSRF-TOKEN") or str(uuid.uuid4())
    query = request.query_string.decode()
    response = make_response(render_template(template, csrf=value, query=query, **context), status)
    response.set_cookie("XSRF-TOKEN", value, httponly=True, samesite="Lax")
    return response


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


def login(pool: Pool) -> Response:
    asked = authorization.read_request(pool, request.args)
    session = people.session_of(pool, request.cookies.get("cognito", ""))
    reusable = session if asked.satisfied_by(session, pool.clock()) else None
    if request.method == "GET":
        hint = request.args.get("login_hint", "")
        return page("login.html", client=asked.client, username=hint, session=reusable)
    check_form()
    if reusable and "signInAs" in request.form:
        return back_to_app(pool, asked, reusable, "signed in already")
    username, password = _credentials(pool)
    try:
        person = people.authenticate(pool, username, password)
    except PersonRefused as refusal:
        pool.journal.step(
            asked.reference, "login", refused=refusal, details={"parameters": parameters()}
        )
        return page("login.html", client=asked.client, username=username, error=refusal.message)
    return proceed(pool, asked, person)


def _credentials(pool: Pool) -> tuple[str, str]:
    """What was typed, or the declared person whose button was pressed."""
    for declared in pool.config.people:
        if declared.username == request.form.get("person"):
            return declared.username, declared.password
    return request.form.get("username", ""), request.form.get("password", "")


def proceed(pool: Pool, asked: AuthorizationRequest, person: Person) -> Response:
    """The password was right: on to the app, or to what has to happen first."""
    if not person.enabled:
        cause, fix = f"{person.username} is disabled", f"enable {person.username} on the console"
        raise asked.refuse("invalid_request", "User is not enabled", cause=cause, fix=fix)
    secret, session = people.begin_session(pool, person)
    response = back_to_app(pool, asked, session, "with a password")
    response.set_cookie(
        "cognito", secret, max_age=pool.config.session_seconds, httponly=True, samesite="Lax"
    )
    return response


def error(pool: Pool) -> Response:
    return page("error.html", 400, error=request.args.get("error", "invalid_request"))


ROUTES = (
    ("/login", "login", login, ["GET", "POST"]),
    ("/error", "error", error, ["GET"]),
)
