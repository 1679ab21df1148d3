"""Six-digit codes by email, for new accounts and forgotten passwords; invitations.

No email is sent. Emails are logged, and stored for the console and for tests.
"""

import hmac
import secrets
from dataclasses import replace

from . import attributes, passwords, users
from .declarations import Client
from .errors import UserError
from .pool import Pool
from .records import Challenge, Mail, PoolUser

CONFIRM, RESET, NEW_PASSWORD = "confirm", "reset", "new-password"
SECOND_FACTOR, PASSED = "second-factor", "first-factor-passed"
FIRST_FACTOR = "first-factor"
VERIFY, TOTP = "verify-email", "totp-secret"
SECONDS = {CONFIRM: 24 * 3600, RESET: 3600, VERIFY: 24 * 3600}
DEFAULT_SECONDS = 180
MAILS = {
    CONFIRM: ("Your verification code", "Your confirmation code is {}"),
    FIRST_FACTOR: ("Your authentication code", "Your authentication code is {}"),
    SECOND_FACTOR: ("Your authentication code", "Your authentication code is {}"),
    RESET: ("Your password reset code", "Your password reset code is {}"),
    VERIFY: ("Your verification code", "Your verification code is {}"),
}
UNKNOWN = "Username/client id combination not found."
EXPIRED = "Invalid code provided, please request a code again."
WRONG = "Invalid verification code provided, please try again."


def send_mail(pool: Pool, user: PoolUser, subject: str, body: str, code: str) -> None:
    to = user.attributes.get("email", user.username)
    with pool.change() as state:
        number = int(next(reversed(state.mails), "0")) + 1
        state.mails[str(number)] = Mail(to, subject, body, pool.clock(), code)
    pool.journal.line(f"mail      to {to}: {body}")


def challenge(pool: Pool, user: PoolUser, purpose: str, code: str) -> None:
    record = Challenge(code, pool.clock() + SECONDS.get(purpose, DEFAULT_SECONDS))
    with pool.change() as state:
        state.challenges[f"{purpose}:{user.username.lower()}"] = record


def send_code(pool: Pool, user: PoolUser, purpose: str) -> None:
    code = f"{secrets.randbelow(10**6):06}"
    challenge(pool, user, purpose, code)
    subject, body = MAILS[purpose]
    send_mail(pool, user, subject, body.format(code), code)


def use_code(pool: Pool, user: PoolUser, purpose: str, code: str) -> None:
    """Use up the code. Raises UserError if it is wrong or expired, or after five wrong codes."""
    key = f"{purpose}:{user.username.lower()}"
    with pool.change() as state:
        stored = state.challenges.pop(key, None)
        if stored is None or stored.expires_at <= pool.clock():
            raise UserError("ExpiredCodeException", EXPIRED)
        is_correct = hmac.compare_digest(stored.code.encode(), code.strip().encode())
        if not is_correct or not stored.tries_left:
            state.challenges[key] = replace(stored, tries_left=max(stored.tries_left - 1, 0))
    if not stored.tries_left:
        message = "Attempt limit exceeded, please try after some time."
        raise UserError("LimitExceededException", message)
    if not is_correct:
        raise UserError("CodeMismatchException", WRONG)


def take(pool: Pool, user: PoolUser, purpose: str) -> Challenge | None:
    """Delete and return what is pending for a user, or None if there is nothing or it expired."""
    with pool.change() as state:
        pending = state.challenges.pop(f"{purpose}:{user.username.lower()}", None)
    return pending if pending and pending.expires_at > pool.clock() else None


def delivery_details(user: PoolUser | str) -> dict[str, str]:
    """Return where a code is sent, with most letters hidden. A string is an unknown user."""
    email = f"{user}@example.com" if isinstance(user, str) else user.attributes.get("email", "")
    name, _, domain = email.partition("@")
    destination = f"{name[:1]}***@{domain[:1]}***"
    return {"Destination": destination, "DeliveryMedium": "EMAIL", "AttributeName": "email"}


def sign_up(
    pool: Pool, client: Client, username: str, password: str, sent: dict[str, str]
) -> PoolUser:
    """Create an unconfirmed user, and send a code if there is an email address."""
    changes = {k: v.strip() for k, v in sent.items() if v.strip()}
    if pool.config.email_is_username:
        changes["email"] = users.check_name(pool, username)
    checked = attributes.check(pool, changes, client, is_new=True)
    unverified = {"email_verified": "false"} if "email" in checked else {}
    user = users.create(pool, username, password, checked | unverified, "UNCONFIRMED")
    if unverified:
        send_code(pool, user, CONFIRM)
    return user


def confirm(pool: Pool, username: str, code: str, *, takes_alias: bool = False) -> PoolUser:
    """Confirm a new user, whose email address must not be verified for another user.

    With ``takes_alias``, the other user's address becomes unverified instead.
    """
    user = users.find(pool, username)
    if user is None:
        raise UserError("UserNotFoundException", UNKNOWN)
    if user.status != "UNCONFIRMED":
        message = f"User cannot be confirmed. Current status is {user.status}"
        raise UserError("NotAuthorizedException", message)
    if not takes_alias:
        users.require_free_alias(pool, user, user.attributes.get("email", ""))
    use_code(pool, user, CONFIRM, code)
    users.release_alias(pool, user, user.attributes.get("email", ""))
    verified = user.attributes | {"email_verified": "true"}
    return users.update(pool, user, status="CONFIRMED", attributes=verified)


def resend(pool: Pool, username: str) -> None:
    """Send another confirmation code. The response does not reveal whether the user exists."""
    user = users.find(pool, username)
    if user is not None and user.status == "UNCONFIRMED":
        send_code(pool, user, CONFIRM)


def forgot(pool: Pool, client: Client, username: str) -> None:
    """Send a reset code to a verified email address.

    The app client decides whether the response reveals that there is no such user.
    """
    pool.require_primary()
    user = users.find(pool, username)
    if user is not None and user.enabled and user.verified_email:
        send_code(pool, user, RESET)
    elif not pool.config_for(client).prevent_user_existence_errors:
        raise UserError("UserNotFoundException", UNKNOWN)


def reset(pool: Pool, username: str, code: str, password: str) -> PoolUser:
    """Set the password. As at Cognito, existing sign-ins continue."""
    passwords.check_policy(pool.config, password)
    user = users.find(pool, username)
    if user is None:
        raise UserError("CodeMismatchException", WRONG)
    use_code(pool, user, RESET, code)
    return users.set_password(pool, user, password)


def invite(
    pool: Pool, username: str, attributes: dict[str, str], password: str = "", *, mail: bool = True
) -> PoolUser:
    """Create a user with a temporary password, which the first sign-in replaces."""
    temporary = password or passwords.random_password(pool.config)
    user = users.create(pool, username, temporary, attributes, "FORCE_CHANGE_PASSWORD")
    if mail:
        _mail_temporary_password(pool, user, temporary)
    return user


def resend_invitation(pool: Pool, user: PoolUser, password: str = "") -> PoolUser:
    """Send a new temporary password to a user who has not used the first one."""
    if user.status != "FORCE_CHANGE_PASSWORD":
        raise UserError(
            "UnsupportedUserStateException",
            f"Resend not possible. {user.username} status is not FORCE_CHANGE_PASSWORD",
        )
    temporary = password or passwords.random_password(pool.config)
    user = users.set_password(pool, user, temporary, "FORCE_CHANGE_PASSWORD")
    _mail_temporary_password(pool, user, temporary)
    return user


def _mail_temporary_password(pool: Pool, user: PoolUser, temporary: str) -> None:
    body = f"Your username is {user.username} and temporary password is {temporary}"
    send_mail(pool, user, "Your temporary password", body, temporary)
