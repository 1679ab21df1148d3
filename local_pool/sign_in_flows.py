"""Signing in through the API: InitiateAuth and RespondToAuthChallenge as a state machine.

Each function returns a Step: tokens, or a challenge whose session leads to the next step.
"""

import json
from collections.abc import Callable
from dataclasses import replace

from . import (
    attributes,
    auth_sessions,
    client_secrets,
    grants,
    levels,
    passkeys,
    passwords,
    second_factors,
    srp_proof,
    step_up,
    users,
)
from .errors import INVALID, UserError
from .pool import NO_USER, Pool
from .records import AuthSession, PoolUser
from .sign_in_steps import Request, Step, ask, finish, open_session, proceed


def initiate(pool: Pool, flow: str, request: Request) -> Step:
    """Start a sign-in, or refresh tokens. The client's ExplicitAuthFlows must allow the flow."""
    if flow == "CUSTOM_AUTH":
        message = "Custom auth lambda trigger is not configured for the user pool."
        raise UserError(INVALID, message)
    if flow == "USER_AUTH" and pool.config.plan == "lite":
        raise UserError("FeatureUnavailableInTierException", "The Lite plan has no USER_AUTH.")
    required, start = FLOWS[flow]
    if flow.startswith("ADMIN_") and not request.is_admin:
        raise UserError(INVALID, "Initiate Auth method not supported.")
    rotates = pool.config_for(request.client).rotate_refresh_tokens
    is_refused = rotates and required == "ALLOW_REFRESH_TOKEN_AUTH"
    if required not in request.client.auth_flows or is_refused:
        raise UserError(INVALID, f"{flow} flow not enabled for this client")
    return start(pool, request)


def respond(pool: Pool, challenge: str, request: Request) -> Step:
    """Answer a challenge. A session works once, but stays after a wrong code or weak password."""
    answer = ANSWERS.get(challenge)
    if answer is None:
        raise UserError(INVALID, f"The local pool never sends the challenge {challenge}.")
    is_srp = challenge == "PASSWORD_VERIFIER"
    secret = request["PASSWORD_CLAIM_SECRET_BLOCK"] if is_srp else request.session
    session = auth_sessions.read(pool, request.client, challenge, secret)
    names = (request["USERNAME"], session.username)
    named = users.find(pool, request["USERNAME"])
    if named is not None and named.sub != session.sub:
        raise UserError("NotAuthorizedException", "Invalid session for the user.")
    client_secrets.check_hash(pool, request.client, names, request.sent.get("SECRET_HASH"))
    if challenge not in (*second_factors.CODES, "NEW_PASSWORD_REQUIRED"):
        auth_sessions.use_up(pool, secret)
    level = int(session.data.get("level", "1"))
    return answer(pool, replace(request, level=level), session)


def _find_user(pool: Pool, request: Request) -> PoolUser | None:
    """Return the user, or None if the client must not learn that there is none."""
    name = request["USERNAME"]
    sent = request.sent.get("SECRET_HASH")
    client_secrets.check_hash(pool, request.client, (name,), sent)
    user = users.find(pool, name)
    if user is None and not pool.config_for(request.client).prevent_user_existence_errors:
        raise UserError("UserNotFoundException", NO_USER)
    if user is not None and not user.enabled:
        raise UserError("NotAuthorizedException", "User is disabled.")
    return user


def _password(pool: Pool, request: Request) -> Step:
    _find_user(pool, request)
    user = users.authenticate(pool, request.client, request["USERNAME"], request["PASSWORD"])
    return proceed(pool, request, user, levels.PASSWORD)


def _start_srp(pool: Pool, request: Request) -> Step:
    user, name = _find_user(pool, request), request["USERNAME"]
    parameters, data = srp_proof.challenge(pool, user, name, request["SRP_A"])
    challenge = "PASSWORD_VERIFIER"
    session = open_session(pool, request, challenge, user or name, (), **data)
    return Step({}, challenge, session, parameters | {"SECRET_BLOCK": session})


def _answer_srp(pool: Pool, request: Request, session: AuthSession) -> Step:
    names = ("PASSWORD_CLAIM_SECRET_BLOCK", "TIMESTAMP", "PASSWORD_CLAIM_SIGNATURE")
    users.check_attempts(pool, session.username)
    is_proved = srp_proof.is_proved(pool, session.data, *(request[name] for name in names))
    user = auth_sessions.owner(pool, session)
    if user is None or not user.srp or not is_proved:
        raise users.wrong_password(pool, session.username)
    return proceed(pool, request, user, levels.PASSWORD)


def _choose(pool: Pool, request: Request) -> Step:
    """Start the preferred factor of USER_AUTH, or let the user choose one."""
    confirmed = second_factors.just_confirmed(pool, request.client, request.session)
    if confirmed is not None:
        return proceed(pool, request, confirmed, levels.CODE)
    user, preferred = _find_user(pool, request), request.sent.get("PREFERRED_CHALLENGE")
    level, proved = step_up.read(pool, user, request.sent)
    request = replace(request, level=level)
    if user is not None and "pwd" in proved:
        return proceed(pool, request, user, levels.PASSWORD)
    choices = second_factors.first_factors(pool, user, level)
    if preferred in choices:
        return _start_factor(pool, request, preferred, user)
    name = user or request["USERNAME"]
    session = open_session(pool, request, "SELECT_CHALLENGE", name)
    return Step({}, "SELECT_CHALLENGE", session, choices=choices)


def _chosen(pool: Pool, request: Request, session: AuthSession) -> Step:
    user = auth_sessions.owner(pool, session)
    if request["ANSWER"] not in second_factors.first_factors(pool, user, request.level):
        raise UserError(INVALID, f"The challenge {request['ANSWER']} is not available.")
    return _start_factor(pool, request, request["ANSWER"], user)


def _start_factor(pool: Pool, request: Request, factor: str, user: PoolUser | None) -> Step:
    name = user or request["USERNAME"]
    if factor == "EMAIL_OTP":
        return ask(pool, request, factor, name, ())
    if factor == "WEB_AUTHN" and user is not None:
        options, challenge = passkeys.request_options(pool, user)
        session = open_session(pool, request, factor, user, ceremony=challenge)
        return Step({}, factor, session, {"CREDENTIAL_REQUEST_OPTIONS": json.dumps(options)})
    proof, start = ("SRP_A", _start_srp) if factor == "PASSWORD_SRP" else ("PASSWORD", _password)
    if request.sent.get(proof):
        return start(pool, request)
    return Step({}, factor, open_session(pool, request, factor, name))


def _new_password(pool: Pool, request: Request, session: AuthSession) -> Step:
    user = second_factors.require_owner(pool, session)
    prefix = "userAttributes."
    sent = {k[len(prefix) :]: v for k, v in request.sent.items() if k.startswith(prefix)}
    changes = attributes.check(pool, sent, request.client)
    passwords.check_policy(pool.config, request["NEW_PASSWORD"])
    auth_sessions.use_up(pool, request.session)
    user = users.set_password(pool, user, request["NEW_PASSWORD"])
    if changes:
        user = users.update(pool, user, attributes=attributes.apply(user, changes))
    return proceed(pool, request, user, session.amr)


def _code(pool: Pool, request: Request, session: AuthSession) -> Step:
    """Check the code of an authenticator app or of an email."""
    code = request[f"{session.challenge}_CODE"]
    user, amr = second_factors.check_code(pool, session, code)
    auth_sessions.use_up(pool, request.session)
    next_step = finish if session.amr else proceed
    return next_step(pool, request, user, amr)


def _passkey(pool: Pool, request: Request, session: AuthSession) -> Step:
    user = second_factors.require_owner(pool, session)
    amr = passkeys.check(pool, user, session.data["ceremony"], request["CREDENTIAL"])
    return proceed(pool, request, user, amr)


def _select_mfa(pool: Pool, request: Request, session: AuthSession) -> Step:
    user = second_factors.require_owner(pool, session)
    if request["ANSWER"] not in user.mfa:
        raise UserError("MFAMethodNotFoundException", "The user has not set up this factor.")
    return ask(pool, request, request["ANSWER"], user, session.amr)


def _mfa_setup(pool: Pool, request: Request, session: AuthSession) -> Step:
    user = second_factors.require_owner(pool, session)
    if session.data.get("is_verified") != "1":
        raise UserError("NotAuthorizedException", "Invalid session for the user.")
    return finish(pool, request, user, levels.PASSWORD_AND_TOTP)


def _refresh(pool: Pool, request: Request) -> Step:
    form = {"refresh_token": request["REFRESH_TOKEN"]}
    if names := grants.owner_names(pool, form["refresh_token"]):
        client_secrets.check_hash(pool, request.client, names, request.sent.get("SECRET_HASH"))
    return Step(grants.refresh(pool, request.client, form, request.caller))


FLOWS: dict[str, tuple[str, Callable[[Pool, Request], Step]]] = {
    "USER_PASSWORD_AUTH": ("ALLOW_USER_PASSWORD_AUTH", _password),
    "ADMIN_USER_PASSWORD_AUTH": ("ALLOW_ADMIN_USER_PASSWORD_AUTH", _password),
    "ADMIN_NO_SRP_AUTH": ("ALLOW_ADMIN_USER_PASSWORD_AUTH", _password),
    "USER_SRP_AUTH": ("ALLOW_USER_SRP_AUTH", _start_srp),
    "USER_AUTH": ("ALLOW_USER_AUTH", _choose),
    "REFRESH_TOKEN_AUTH": ("ALLOW_REFRESH_TOKEN_AUTH", _refresh),
    "REFRESH_TOKEN": ("ALLOW_REFRESH_TOKEN_AUTH", _refresh),
}
ANSWERS: dict[str, Callable[[Pool, Request, AuthSession], Step]] = {
    "EMAIL_OTP": _code,
    "MFA_SETUP": _mfa_setup,
    "NEW_PASSWORD_REQUIRED": _new_password,
    "PASSWORD": lambda pool, request, _: _password(pool, request),
    "PASSWORD_SRP": lambda pool, request, _: _start_srp(pool, request),
    "PASSWORD_VERIFIER": _answer_srp,
    "SELECT_CHALLENGE": _chosen,
    "SELECT_MFA_TYPE": _select_mfa,
    "SOFTWARE_TOKEN_MFA": _code,
    "WEB_AUTHN": _passkey,
}
