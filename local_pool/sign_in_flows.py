"""Signing in through the API: InitiateAuth and RespondToAuthChallenge as a state machine.

Each function returns a Step: tokens, or a challenge whose session leads to the next step.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import (
    attributes,
    auth_sessions,
    client_secrets,
    grants,
    levels,
    passwords,
    second_factors,
    srp_proof,
    users,
)
from .declarations import Client
from .errors import INVALID, UserError
from .pool import Pool
from .records import AuthSession, PoolUser
from .sessions import DIRECT, Caller

SCOPES = ("aws.cognito.signin.user.admin",)


@dataclass(frozen=True)
class Request:
    """A call of an app client. ``sent`` are AuthParameters or ChallengeResponses."""

    client: Client
    sent: dict[str, str]
    session: str = ""
    caller: Caller = DIRECT
    is_admin: bool = False

    def __getitem__(self, name: str) -> str:
        """Return a required parameter, or raise UserError."""
        if not self.sent.get(name):
            raise UserError(INVALID, f"Missing required parameter {name}")
        return self.sent[name]


@dataclass(frozen=True)
class Step:
    """What a call returns: ``tokens``, or a challenge."""

    tokens: dict[str, Any] = field(default_factory=dict)
    challenge: str = ""
    session: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    choices: tuple[str, ...] = ()


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
    client_secrets.check_hash(pool, request.client, names, request.sent.get("SECRET_HASH"))
    if challenge not in (*second_factors.CODES, "NEW_PASSWORD_REQUIRED"):
        auth_sessions.use_up(pool, secret)
    return answer(pool, request, session)


def _find_user(pool: Pool, request: Request) -> PoolUser | None:
    """Return the user, or None if the client must not learn that there is none."""
    name = request["USERNAME"]
    sent = request.sent.get("SECRET_HASH")
    client_secrets.check_hash(pool, request.client, (name,), sent)
    user = users.find(pool, name)
    if user is None and not pool.config_for(request.client).prevent_user_existence_errors:
        raise UserError("UserNotFoundException", "User does not exist.")
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
    session = auth_sessions.start(pool, request.client, challenge, user or name, data=data)
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
    choices = second_factors.first_factors(pool, user)
    if preferred in choices:
        return _start_factor(pool, request, preferred, user)
    name = user or request["USERNAME"]
    session = auth_sessions.start(pool, request.client, "SELECT_CHALLENGE", name)
    return Step({}, "SELECT_CHALLENGE", session, choices=choices)


def _chosen(pool: Pool, request: Request, session: AuthSession) -> Step:
    user = auth_sessions.owner(pool, session)
    if request["ANSWER"] not in second_factors.first_factors(pool, user):
        raise UserError(INVALID, f"The challenge {request['ANSWER']} is not available.")
    return _start_factor(pool, request, request["ANSWER"], user)


def _start_factor(pool: Pool, request: Request, factor: str, user: PoolUser | None) -> Step:
    name = user or request["USERNAME"]
    if factor == "EMAIL_OTP":
        return _ask(pool, request, factor, name, ())
    proof, start = ("SRP_A", _start_srp) if factor == "PASSWORD_SRP" else ("PASSWORD", _password)
    if request.sent.get(proof):
        return start(pool, request)
    return Step({}, factor, auth_sessions.start(pool, request.client, factor, name))


def _ask(
    pool: Pool, request: Request, challenge: str, user: PoolUser | str, amr: tuple[str, ...]
) -> Step:
    parameters = second_factors.prepare(pool, challenge, user)
    session = auth_sessions.start(pool, request.client, challenge, user, amr)
    return Step({}, challenge, session, parameters)


def proceed(pool: Pool, request: Request, user: PoolUser, amr: tuple[str, ...]) -> Step:
    """Return tokens for an authenticated user, or the challenge that must come first."""
    if not user.enabled:
        raise UserError("NotAuthorizedException", "User is disabled.")
    if user.status == "UNCONFIRMED":
        raise UserError("UserNotConfirmedException", "User is not confirmed.")
    if user.status == "RESET_REQUIRED":
        raise UserError("PasswordResetRequiredException", users.RESET_REQUIRED)
    if user.status == "FORCE_CHANGE_PASSWORD":
        return _ask(pool, request, "NEW_PASSWORD_REQUIRED", user, amr)
    challenge = second_factors.required(pool, user, amr)
    if challenge:
        return _ask(pool, request, challenge, user, amr)
    return _finish(pool, request, user, amr)


def _finish(pool: Pool, call: Request, user: PoolUser, amr: tuple[str, ...]) -> Step:
    return Step(grants.sign_in_directly(pool, user, call.client, SCOPES, amr, call.caller))


def _new_password(pool: Pool, request: Request, session: AuthSession) -> Step:
    user = second_factors.require_owner(pool, session)
    prefix = "userAttributes."
    sent = {k[len(prefix) :]: v for k, v in request.sent.items() if k.startswith(prefix)}
    changes = attributes.check(pool, sent, is_admin=False)
    passwords.check_policy(request["NEW_PASSWORD"])
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
    next_step = _finish if session.amr else proceed
    return next_step(pool, request, user, amr)


def _select_mfa(pool: Pool, request: Request, session: AuthSession) -> Step:
    user = second_factors.require_owner(pool, session)
    if request["ANSWER"] not in user.mfa:
        raise UserError("MFAMethodNotFoundException", "The user has not set up this factor.")
    return _ask(pool, request, request["ANSWER"], user, session.amr)


def _mfa_setup(pool: Pool, request: Request, session: AuthSession) -> Step:
    user = second_factors.require_owner(pool, session)
    if session.data.get("is_verified") != "1":
        raise UserError("NotAuthorizedException", "Invalid session for the user.")
    return _finish(pool, request, user, levels.PASSWORD_AND_TOTP)


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
}
