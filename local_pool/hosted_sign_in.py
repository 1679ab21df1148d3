"""The hosted UI's sign-in: the password, a code by email, a passkey, and the second factor.

If the pool has more first factors than the password, the page asks for the username first, as
Cognito's managed login does. A form with a password skips that step.
"""

import json
import secrets

from flask import redirect, request
from werkzeug.wrappers import Response

from . import (
    auth_sessions,
    authorization,
    levels,
    passkeys,
    second_factors,
    sessions,
    users,
    verification,
)
from .authorization import AuthorizationRequest
from .declarations import Client
from .errors import INVALID, UserError
from .oauth import back_to_app, caller, needs_code, read_request, recent_session, usable_session
from .pages import Form, check_form, form_view, page, page_url, set_cookie
from .pool import Pool
from .records import PoolUser

CODE_FIRST = "FIRST"  # the value of ``factor`` for a code that replaces the password


def login(pool: Pool) -> Response:
    """Show the sign-in form, or only ask for a code if the session lacks nothing else."""
    auth_request = read_request(pool)
    session = recent_session(pool, auth_request)
    has_password = session is not None and not {"pwd", "fed"}.isdisjoint(session.amr)
    is_weak = session and has_password and needs_code(pool, auth_request, session)
    if request.method == "GET" and session and is_weak:
        user = users.get(pool, session.username)
        return _ask_second_factor(pool, auth_request, user, _required(pool, auth_request, user))
    return form_view("login.html", sign_in, offers_choice=offers_choice)(pool)


def offers_choice(pool: Pool, client: Client) -> bool:
    """Return True if users of this app client can sign in with more than the password."""
    has_more = len(pool.config.first_auth_factors) > 1 and pool.config.plan != "lite"
    return has_more and "ALLOW_USER_AUTH" in client.auth_flows


def sign_in(pool: Pool, auth_request: AuthorizationRequest, form: Form) -> Response:
    session, client = usable_session(pool, auth_request), auth_request.client
    if session and "signInAs" in form:
        return back_to_app(pool, auth_request, session, "signed in already")
    if form.get("credential"):
        return _use_passkey(pool, auth_request, form)
    if "COGNITO" not in pool.providers_of(client):
        raise UserError(INVALID, "Sign in with one of the identity providers.")
    username, password = form.get("username", ""), form.get("password", "")
    for declared in pool.config.people:
        if declared.username == form.get("person"):  # a button of the sign-in page
            username, password = declared.username, declared.password
    if not password and username and offers_choice(pool, client):
        return _choose_factor(pool, auth_request, username, form.get("factor", ""))
    user = users.authenticate(pool, client, username, password)
    return proceed(pool, auth_request, user)


def _choose_factor(
    pool: Pool, auth_request: AuthorizationRequest, username: str, factor: str
) -> Response:
    """Show the factors of this user, or send the code that the user has chosen."""
    client, user = auth_request.client, users.find(pool, username)
    if user is None and not pool.config_for(client).prevent_user_existence_errors:
        users.get(pool, username)
    level = authorization.required_level(pool, auth_request, user) if user else 1
    factors = second_factors.first_factors(pool, user, level)
    if factor != "EMAIL_OTP":
        passkey = _offer_passkey(pool, client, user) if "WEB_AUTHN" in factors else {}
        form = {"username": username} | passkey
        return page("factors.html", form=form, client=client, factors=factors)
    if factor not in factors:
        raise UserError(INVALID, "This user cannot sign in with a code.")
    if user is not None:
        verification.send_code(pool, user, verification.FIRST_FACTOR)
    form = {"username": username, "factor": CODE_FIRST}
    return page("second_factor.html", form=form, client=client)


def _offer_passkey(pool: Pool, client: Client, user: PoolUser | None) -> dict[str, str]:
    """Return the fields of the form that signs in with a passkey."""
    if user is None:
        return {}
    options, challenge = passkeys.request_options(pool, user)
    data = {"ceremony": challenge}
    session = auth_sessions.start(pool, client, "WEB_AUTHN", user, data=data)
    return {"options": json.dumps(options), "passkey_session": session}


def _use_passkey(pool: Pool, auth_request: AuthorizationRequest, form: Form) -> Response:
    client, secret = auth_request.client, form.get("passkey_session", "")
    session = auth_sessions.read(pool, client, "WEB_AUTHN", secret)
    auth_sessions.use_up(pool, secret)
    user = second_factors.require_owner(pool, session)
    amr = passkeys.check(pool, user, session.data["ceremony"], form["credential"])
    return proceed(pool, auth_request, user, "with a passkey", amr)


def _required(
    pool: Pool,
    auth_request: AuthorizationRequest,
    user: PoolUser,
    amr: tuple[str, ...] = levels.PASSWORD,
) -> str:
    level = authorization.required_level(pool, auth_request, user)
    return second_factors.required(pool, user, amr, level)


def proceed(
    pool: Pool,
    auth_request: AuthorizationRequest,
    user: PoolUser,
    how: str = "with a password",
    amr: tuple[str, ...] = levels.PASSWORD,
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
    if factor := _required(pool, auth_request, user, amr):
        return _ask_second_factor(pool, auth_request, user, factor)
    return finish(pool, auth_request, user, how, amr)


def _ask_second_factor(
    pool: Pool, auth_request: AuthorizationRequest, user: PoolUser, factor: str
) -> Response:
    """Ask a user whose password was correct for a code; the ticket proves that it was."""
    ticket = secrets.token_hex(16)
    verification.challenge(pool, user, verification.PASSED, ticket)
    if factor == "SELECT_MFA_TYPE":  # the page has no choice
        factor = user.mfa[0]
    form = {"username": user.username, "session": ticket, "factor": factor}
    if factor == "EMAIL_OTP" and user.verified_email:
        verification.send_code(pool, user, verification.SECOND_FACTOR)
    if factor == "MFA_SETUP":
        form["secret"] = second_factors.start_totp(pool, user)
    level = authorization.required_level(pool, auth_request, user)
    has_choice = level > 1 and offers_choice(pool, auth_request.client)
    if has_choice and "WEB_AUTHN" in second_factors.first_factors(pool, user, level):
        form |= _offer_passkey(pool, auth_request.client, user)
    has_code = factor != "EMAIL_OTP" or bool(user.verified_email)
    return page("second_factor.html", form=form, client=auth_request.client, no_code=not has_code)


def second_factor(pool: Pool, auth_request: AuthorizationRequest, form: Form) -> Response:
    factor, code = form.get("factor", "EMAIL_OTP"), form.get("code", "")
    if factor == CODE_FIRST:
        return _code_first(pool, auth_request, form.get("username", ""), code)
    user, amr = users.get(pool, form.get("username", "")), levels.PASSWORD_AND_TOTP
    if factor == "MFA_SETUP" and not user.totp:
        second_factors.verify_totp(pool, user, second_factors.pending_totp(pool, user), code)
    elif factor == "SOFTWARE_TOKEN_MFA":
        second_factors.check_totp(pool, user, code)
    else:
        verification.use_code(pool, user, verification.SECOND_FACTOR, code)
        amr = levels.PASSWORD_AND_CODE
    verification.use_code(pool, user, verification.PASSED, form.get("session", ""))
    if _required(pool, auth_request, user, amr):
        raise UserError("NotAuthorizedException", "Another factor is required.")
    return finish(pool, auth_request, user, "with a password and a code", amr)


def _code_first(
    pool: Pool, auth_request: AuthorizationRequest, username: str, code: str
) -> Response:
    user = users.find(pool, username)
    if user is None:
        raise UserError("CodeMismatchException", verification.WRONG)
    verification.use_code(pool, user, verification.FIRST_FACTOR, code)
    return proceed(pool, auth_request, user, "with a code", levels.CODE)


def finish(
    pool: Pool, auth_request: AuthorizationRequest, user: PoolUser, how: str, amr: tuple[str, ...]
) -> Response:
    """Start the browser's session, and redirect to the app."""
    client = auth_request.client
    secret, session = users.start_session(pool, user, amr, client, caller())
    response = back_to_app(pool, auth_request, session, how)
    set_cookie(response, "cognito", secret, sessions.max_sso_seconds(pool))
    return response


def add_passkey(pool: Pool) -> Response:
    """Register a passkey for the user of the browser's session, then return to the app."""
    client, redirect_uri = authorization.read_client(pool, request.args.to_dict())
    session = users.get_session(pool, request.cookies.get("cognito", ""))
    if session is None:
        return redirect(page_url("/login", response_type="code"))
    user, problem = users.get(pool, session.username), ""
    if request.method == "POST":
        check_form()
        try:
            passkeys.register(pool, user, json.loads(request.form.get("credential", "")))
            return redirect(redirect_uri)
        except UserError as error:
            problem = error.message
        except ValueError:
            problem = "The credential is not JSON."
    try:
        form = {
            "username": user.username,
            "options": json.dumps(passkeys.creation_options(pool, user)),
        }
    except UserError as error:
        form, problem = {"username": user.username}, error.message
    return page("passkey.html", form=form, client=client, error=problem)


ROUTES = (
    ("/login", "login", login, ["GET", "POST"]),
    ("/mfa", "mfa", form_view("second_factor.html", second_factor), ["GET", "POST"]),
    ("/passkeys/add", "passkeys", add_passkey, ["GET", "POST"]),
)
