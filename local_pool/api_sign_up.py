"""The operations of an app client for users who are not signed in: sign-up and a lost password."""

from . import auth_sessions, client_secrets, passwords, users, verification
from .api_shapes import Body, Operations, attributes_of, find_client
from .declarations import Client
from .errors import INVALID, UserError
from .pool import Pool
from .records import PoolUser

NO_ADDRESS = (
    "Cannot reset password for the user as there is no registered/verified email or phone_number"
)
CANNOT_RESET = "User password cannot be reset in the current state."


def _client(pool: Pool, body: Body) -> Client:
    """Return the app client, whose SECRET_HASH must be correct."""
    client = find_client(pool, body)
    client_secrets.check_hash(pool, client, (body["Username"],), body.get("SecretHash"))
    return client


def _find(pool: Pool, client: Client, body: Body) -> PoolUser | None:
    """Return the user, or None if the client must not learn that there is none."""
    user = users.find(pool, body["Username"])
    if user is None and not pool.config_for(client).prevent_user_existence_errors:
        raise UserError("UserNotFoundException", verification.UNKNOWN)
    return user


def _delivery(pool: Pool, user: PoolUser | str) -> Body:
    return {"CodeDeliveryDetails": verification.delivery_details(user)}


def sign_up(pool: Pool, body: Body) -> Body:
    client, password = _client(pool, body), body.get("Password", "")
    without_password = "EMAIL_OTP" in pool.config.first_auth_factors
    if not password and without_password:
        password = passwords.random_password(pool.config)  # the user never learns it
    user = verification.sign_up(pool, client, body["Username"], password, attributes_of(body))
    result = {"UserConfirmed": False, "UserSub": user.sub}
    if without_password:
        result["Session"] = auth_sessions.start(pool, client, "SIGNED_UP", user)
    return result | (_delivery(pool, user) if "email" in user.attributes else {})


def confirm_sign_up(pool: Pool, body: Body) -> Body:
    """Confirm a user. The session of SignUp becomes one that InitiateAuth accepts."""
    client = _client(pool, body)
    if _find(pool, client, body) is None:
        raise UserError("ExpiredCodeException", verification.EXPIRED)
    takes_alias, code = bool(body.get("ForceAliasCreation")), body["ConfirmationCode"]
    user = verification.confirm(pool, body["Username"], code, takes_alias=takes_alias)
    if not body.get("Session"):
        return {}
    auth_sessions.read(pool, client, "SIGNED_UP", body["Session"])
    auth_sessions.use_up(pool, body["Session"])
    return {"Session": auth_sessions.start(pool, client, "CONFIRMED", user)}


def resend_confirmation_code(pool: Pool, body: Body) -> Body:
    client = _client(pool, body)
    user = _find(pool, client, body)
    if user is not None and user.status != "UNCONFIRMED":
        raise UserError(INVALID, "User is already confirmed.")
    if user is not None and "email" in user.attributes:
        verification.resend(pool, user.username)
    return _delivery(pool, user or body["Username"])


def forgot_password(pool: Pool, body: Body) -> Body:
    client = _client(pool, body)
    user = _find(pool, client, body)
    pool.require_primary()
    if user is None or not user.enabled:
        return _delivery(pool, body["Username"])
    require_resettable(user)
    verification.forgot(pool, client, user.username)
    return _delivery(pool, user)


def require_resettable(user: PoolUser) -> None:
    """Raise UserError unless the user has a password and a verified email address."""
    if user.status == "FORCE_CHANGE_PASSWORD":
        raise UserError("NotAuthorizedException", CANNOT_RESET)
    if not user.verified_email:
        raise UserError(INVALID, NO_ADDRESS)


def confirm_forgot_password(pool: Pool, body: Body) -> None:
    client = _client(pool, body)
    _find(pool, client, body)
    verification.reset(pool, body["Username"], body["ConfirmationCode"], body["Password"])


OPERATIONS: Operations = {
    "ConfirmForgotPassword": confirm_forgot_password,
    "ConfirmSignUp": confirm_sign_up,
    "ForgotPassword": forgot_password,
    "ResendConfirmationCode": resend_confirmation_code,
    "SignUp": sign_up,
}
