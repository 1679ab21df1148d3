"""Six-digit codes by mail, and what they prove: a new account's address, a forgotten password.

Mails go nowhere: they are printed, and kept for the console and for tests.
"""

import hmac
import secrets
from dataclasses import replace

from . import passwords, people
from .errors import PersonRefused
from .pool import Pool
from .records import Challenge, Mail, Person

CONFIRM, RESET, NEW_PASSWORD = "confirm", "reset", "new-password"
SECONDS = {CONFIRM: 24 * 3600, RESET: 3600, NEW_PASSWORD: 180}
MAILS = {
    CONFIRM: ("Your verification code", "Your confirmation code is {}"),
    RESET: ("Your password reset code", "Your password reset code is {}"),
}
UNKNOWN = "Username/client id combination not found."
WRONG = "Invalid verification code provided, please try again."


def send_mail(pool: Pool, person: Person, subject: str, body: str, code: str) -> None:
    to = person.attributes.get("email", person.username)
    with pool.change() as state:
        number = int(next(reversed(state.mails), "0")) + 1
        state.mails[str(number)] = Mail(to, subject, body, pool.clock(), code)
    pool.journal.line(f"mail      to {to}: {body}")


def challenge(pool: Pool, person: Person, purpose: str, code: str) -> None:
    record = Challenge(code, pool.clock() + SECONDS[purpose])
    with pool.change() as state:
        state.challenges[f"{purpose}:{person.username.lower()}"] = record


def send_code(pool: Pool, person: Person, purpose: str) -> None:
    code = f"{secrets.randbelow(10**6):06}"
    challenge(pool, person, purpose, code)
    subject, body = MAILS[purpose]
    send_mail(pool, person, subject, body.format(code), code)


def use_code(pool: Pool, person: Person, purpose: str, code: str) -> None:
    """Spend the code. Raises PersonRefused when it is wrong, too old, or was tried five times."""
    key = f"{purpose}:{person.username.lower()}"
    with pool.change() as state:
        known = state.challenges.pop(key, None)
        if known is None or known.expires_at <= pool.clock():
            again = "Invalid code provided, please request a code again."
            raise PersonRefused("ExpiredCodeException", again)
        right = hmac.compare_digest(known.code.encode(), code.strip().encode())
        if not right or not known.tries_left:
            state.challenges[key] = replace(known, tries_left=max(known.tries_left - 1, 0))
    if not known.tries_left:
        later = "Attempt limit exceeded, please try after some time."
        raise PersonRefused("LimitExceededException", later)
    if not right:
        raise PersonRefused("CodeMismatchException", WRONG)


def sign_up(pool: Pool, username: str, password: str, attributes: dict[str, str]) -> Person:
    if "@" not in attributes.get("email", ""):
        raise PersonRefused("InvalidParameterException", "Invalid email address format.")
    attributes = {k: v.strip()[:2048] for k, v in attributes.items() if v.strip()}
    unverified = attributes | {"email_verified": "false"}
    person = people.create(pool, username, password, unverified, "UNCONFIRMED")
    send_code(pool, person, CONFIRM)
    return person


def confirm(pool: Pool, username: str, code: str) -> Person:
    person = people.find(pool, username)
    if person is None:
        raise PersonRefused("UserNotFoundException", UNKNOWN)
    other = people.find(pool, person.attributes.get("email", ""))
    if other is not None and other.sub != person.sub:
        taken = "An account with the given email already exists."
        raise PersonRefused("AliasExistsException", taken)
    use_code(pool, person, CONFIRM, code)
    verified = person.attributes | {"email_verified": "true"}
    return people.update(pool, person, status="CONFIRMED", attributes=verified)


def resend(pool: Pool, username: str) -> None:
    """Answers alike whether there is somebody to confirm or not."""
    person = people.find(pool, username)
    if person is not None and person.status == "UNCONFIRMED":
        send_code(pool, person, CONFIRM)


def forgot(pool: Pool, username: str) -> None:
    """Mail a reset code to a verified address; an unknown name is answered like a known one."""
    person = people.find(pool, username)
    if person is not None and person.enabled and person.verified_email:
        send_code(pool, person, RESET)
    elif not pool.config.prevent_user_existence_errors:
        raise PersonRefused("UserNotFoundException", UNKNOWN)


def reset(pool: Pool, username: str, code: str, password: str) -> Person:
    """Sets the password; sign-ins made with the old one go on, as at Cognito."""
    passwords.check_policy(password)
    person = people.find(pool, username)
    if person is None:
        raise PersonRefused("CodeMismatchException", WRONG)
    use_code(pool, person, RESET, code)
    return people.set_password(pool, person, password)


def invite(
    pool: Pool, username: str, attributes: dict[str, str], password: str = "", *, mail: bool = True
) -> Person:
    """An administrator's new person, asked for a new password at the first sign-in."""
    temporary = password or f"Aa1-{secrets.token_hex(4)}"
    person = people.create(pool, username, temporary, attributes, "FORCE_CHANGE_PASSWORD")
    if mail:
        _mail_temporary_password(pool, person, temporary)
    return person


def invite_again(pool: Pool, person: Person, password: str = "") -> Person:
    """Another mail with another temporary password, for somebody who never used theirs."""
    if person.status != "FORCE_CHANGE_PASSWORD":
        raise PersonRefused(
            "UnsupportedUserStateException",
            f"Resend not possible. {person.username} status is not FORCE_CHANGE_PASSWORD",
        )
    temporary = password or f"Aa1-{secrets.token_hex(4)}"
    passwords.check_policy(temporary)
    person = people.update(pool, person, password=passwords.hash_password(temporary))
    _mail_temporary_password(pool, person, temporary)
    return person


def _mail_temporary_password(pool: Pool, person: Person, temporary: str) -> None:
    body = f"Your username is {person.username} and temporary password is {temporary}"
    send_mail(pool, person, "Your temporary password", body, temporary)
