"""The factors of a sign-in: which ones a user has, their codes, and TOTP set-up."""

import json
from dataclasses import replace

from . import auth_sessions, levels, passkeys, totp, users, verification
from .declarations import Client
from .errors import INVALID, UserError
from .pool import Pool
from .records import AuthSession, PoolUser

CODES = ("SOFTWARE_TOKEN_MFA", "EMAIL_OTP")
WRONG_CODE = "Invalid code received for user"


def first_factors(pool: Pool, user: PoolUser | None, level: int = 1) -> tuple[str, ...]:
    """Return the choices that can lead to this level of authentication.

    An unknown user seems to have a password and an email address.
    """
    has_email = user is None or bool(user.verified_email)
    may_use_code = pool.config.mfa != "on" and (user is None or not user.mfa)
    is_allowed = "EMAIL_OTP" in pool.config.first_auth_factors and level < 3
    code = ("EMAIL_OTP",) if is_allowed and may_use_code and has_email else ()
    has_passkey = user is not None and level < 4 and may_use_code and _has_passkey(pool, user)
    return ("PASSWORD", "PASSWORD_SRP", *code, *(("WEB_AUTHN",) if has_passkey else ()))


def _has_passkey(pool: Pool, user: PoolUser) -> bool:
    return passkeys.is_enabled(pool) and bool(passkeys.owned_by(pool, user))


def highest_level(pool: Pool, user: PoolUser) -> int:
    """Return the highest level of authentication that the user can reach."""
    if user.totp:
        return 4
    return 3 if user.verified_email or _has_passkey(pool, user) else 1


def required(pool: Pool, user: PoolUser, amr: tuple[str, ...], level: int = 1) -> str:
    """Return the challenge that must follow, or "" if the sign-in is complete."""
    if level > levels.level_of(amr):
        by_email = level < 4 and user.verified_email
        return "EMAIL_OTP" if by_email or not user.totp else "SOFTWARE_TOKEN_MFA"
    if pool.config.mfa == "off" or amr != levels.PASSWORD:
        return ""
    factors = user.mfa or (("SOFTWARE_TOKEN_MFA",) if pool.config.mfa == "on" and user.totp else ())
    if user.preferred_mfa in factors:
        return user.preferred_mfa
    if len(factors) > 1:
        return "SELECT_MFA_TYPE"
    if factors:
        return factors[0]
    return "MFA_SETUP" if pool.config.mfa == "on" else ""


def prepare(pool: Pool, challenge: str, user: PoolUser | str) -> dict[str, str]:
    """Send the code if the challenge needs one, and return the ChallengeParameters."""
    if challenge == "EMAIL_OTP":
        if isinstance(user, PoolUser):
            verification.send_code(pool, user, verification.SECOND_FACTOR)
        details = verification.delivery_details(user)
        return {
            "CODE_DELIVERY_DELIVERY_MEDIUM": details["DeliveryMedium"],
            "CODE_DELIVERY_DESTINATION": details["Destination"],
        }
    if challenge == "NEW_PASSWORD_REQUIRED" and isinstance(user, PoolUser):
        return {
            "USER_ID_FOR_SRP": user.username,
            "requiredAttributes": "[]",
            "userAttributes": json.dumps(user.attributes),
        }
    if challenge == "SELECT_MFA_TYPE" and isinstance(user, PoolUser):
        return {"MFAS_CAN_CHOOSE": json.dumps(user.mfa)}
    return {"MFAS_CAN_SETUP": '["SOFTWARE_TOKEN_MFA"]'} if challenge == "MFA_SETUP" else {}


def check_code(pool: Pool, session: AuthSession, code: str) -> tuple[PoolUser, tuple[str, ...]]:
    """Return the user of a correct code, and the methods of authentication so far."""
    user = auth_sessions.owner(pool, session)
    if user is None:
        raise UserError("CodeMismatchException", verification.WRONG)
    if session.challenge == "EMAIL_OTP":
        verification.use_code(pool, user, verification.SECOND_FACTOR, code)
        return user, levels.PASSWORD_AND_CODE if session.amr else levels.CODE
    check_totp(pool, user, code)
    return user, levels.PASSWORD_AND_TOTP


def check_totp(pool: Pool, user: PoolUser, code: str) -> None:
    """Use up the current code of an authenticator app, or raise UserError."""
    users.check_attempts(pool, user.username)
    step = totp.matching_step(user.totp, code, pool.clock())
    if step is None:
        users.wrong_password(pool, user.username)  # counts as one
        raise UserError("CodeMismatchException", WRONG_CODE)
    with pool.change() as state:
        current = state.people[user.username.lower()]
        if step <= current.totp_step:
            message = "Your software token has already been used once."
            raise UserError("ExpiredCodeException", message)
        state.people[user.username.lower()] = replace(current, totp_step=step)


def require_owner(pool: Pool, session: AuthSession) -> PoolUser:
    user = auth_sessions.owner(pool, session)
    if user is None:
        raise UserError("NotAuthorizedException", "Invalid session for the user.")
    return user


def just_confirmed(pool: Pool, client: Client, session: str) -> PoolUser | None:
    """Return the user who has just confirmed a sign-up, by the session of ConfirmSignUp."""
    if not session:
        return None
    confirmed = auth_sessions.read(pool, client, "CONFIRMED", session)
    auth_sessions.use_up(pool, session)
    return auth_sessions.owner(pool, confirmed)


def require_totp(pool: Pool) -> None:
    if pool.config.mfa == "off":
        message = "Software Token MFA has not been enabled by the userPool."
        raise UserError("SoftwareTokenMFANotFoundException", message)


def start_totp(pool: Pool, user: PoolUser) -> str:
    """Return a new secret for an authenticator app, which is valid after its first code."""
    secret = totp.new_secret()
    verification.challenge(pool, user, verification.TOTP, secret)
    return secret


def pending_totp(pool: Pool, user: PoolUser) -> str:
    """Return the secret of ``start_totp``, or that of the user if there is none."""
    pending = pool.state.challenges.get(f"{verification.TOTP}:{user.username.lower()}")
    return pending.code if pending and pending.expires_at > pool.clock() else user.totp


def verify_totp(pool: Pool, user: PoolUser, secret: str, code: str) -> PoolUser:
    """Store the secret of an authenticator app if its code is correct."""
    step = totp.matching_step(secret, code, pool.clock()) if secret else None
    if step is None:
        raise UserError("EnableSoftwareTokenMFAException", "Code mismatch")
    return users.update(pool, user, totp=secret, totp_step=step)


def set_preference(
    pool: Pool, user: PoolUser, enabled: dict[str, bool], preferred: dict[str, bool]
) -> None:
    """Turn factors on and off, and choose the preferred one. Omitted factors do not change."""
    if enabled and pool.config.mfa == "off":
        raise UserError(INVALID, "MFA is not enabled for the user pool.")
    if enabled.get("SOFTWARE_TOKEN_MFA") and not user.totp:
        raise UserError(INVALID, "User has not verified software token mfa.")
    if enabled.get("EMAIL_OTP") and not user.verified_email:
        raise UserError(INVALID, "User does not have a verified email address.")
    chosen = [name for name, is_preferred in preferred.items() if is_preferred]
    if len(chosen) > 1:
        raise UserError(INVALID, "Only one factor can be preferred.")
    factors = tuple(name for name in CODES if enabled.get(name, name in user.mfa))
    current = next(iter(chosen), user.preferred_mfa)
    if preferred.get(current) is False or current not in factors:
        current = ""
    users.update(pool, user, mfa=factors, preferred_mfa=current)
