"""The operations about second factors: an authenticator app (TOTP), and codes by email."""

from . import auth_sessions, passkeys, second_factors, users
from .api_shapes import Body, Operations, describe_mfa, find_user, token_owner
from .errors import INVALID, UserError
from .pool import Pool
from .records import AuthSession, PoolUser
from .totp import new_secret

SETTINGS = {"SoftwareTokenMfaSettings": "SOFTWARE_TOKEN_MFA", "EmailMfaSettings": "EMAIL_OTP"}
WEB_AUTHN = {"RelyingPartyId": passkeys.RELYING_PARTY, "FactorConfiguration": "SINGLE_FACTOR"}
ACCEPTED = {
    "AdminSetUserMFAPreference": (*SETTINGS, "Username"),
    "SetUserMFAPreference": (*SETTINGS, "AccessToken"),
    "SetUserPoolMfaConfig": (
        "EmailMfaConfiguration",
        "MfaConfiguration",
        "SoftwareTokenMfaConfiguration",
        "WebAuthnConfiguration",
    ),
}


def associate_software_token(pool: Pool, body: Body) -> Body:
    """Return a new secret for an authenticator app: for a user, or during a sign-in."""
    second_factors.require_totp(pool)
    if body.get("Session"):
        session, secret = auth_sessions.read(pool, None, "MFA_SETUP", body["Session"]), new_secret()
        auth_sessions.use_up(pool, body["Session"])
        return {"SecretCode": secret, "Session": _continue(pool, session, secret=secret)}
    return {"SecretCode": second_factors.start_totp(pool, _owner(pool, body))}


def verify_software_token(pool: Pool, body: Body) -> Body:
    second_factors.require_totp(pool)
    if body.get("Session"):
        session = auth_sessions.read(pool, None, "MFA_SETUP", body["Session"])
        user, secret = second_factors.require_owner(pool, session), session.data.get("secret", "")
        second_factors.verify_totp(pool, user, secret, body["UserCode"])
        auth_sessions.use_up(pool, body["Session"])
        return {"Status": "SUCCESS", "Session": _continue(pool, session, is_verified="1")}
    user = _owner(pool, body)
    secret = second_factors.pending_totp(pool, user)
    second_factors.verify_totp(pool, user, secret, body["UserCode"])
    return {"Status": "SUCCESS"}


def _continue(pool: Pool, session: AuthSession, **data: str) -> str:
    user, client = second_factors.require_owner(pool, session), pool.clients[session.client_id]
    return auth_sessions.start(pool, client, "MFA_SETUP", user, session.amr, data)


def _owner(pool: Pool, body: Body) -> PoolUser:
    if not body.get("AccessToken"):
        raise UserError(INVALID, "Either AccessToken or Session must be present.")
    return token_owner(pool, body)[1]


def _set_preference(pool: Pool, user: PoolUser, body: Body) -> None:
    sent = {factor: body[name] for name, factor in SETTINGS.items() if body.get(name) is not None}
    enabled = {factor: bool(members.get("Enabled")) for factor, members in sent.items()}
    preferred = {factor: bool(members.get("PreferredMfa")) for factor, members in sent.items()}
    second_factors.set_preference(pool, user, enabled, preferred)


def _auth_factors(pool: Pool, user: PoolUser) -> Body:
    factors = second_factors.first_factors(pool, user)
    names = [name for name in factors if name != "PASSWORD_SRP"]
    described = {"Username": user.username, "ConfiguredUserAuthFactors": names}
    return described | describe_mfa(user)


def admin_delete_software_token(pool: Pool, body: Body) -> None:
    user = find_user(pool, body)
    left = tuple(name for name in user.mfa if name != "SOFTWARE_TOKEN_MFA")
    preferred = user.preferred_mfa if user.preferred_mfa in left else ""
    users.update(pool, user, totp="", totp_step=0, mfa=left, preferred_mfa=preferred)


def get_user_pool_mfa_config(pool: Pool, body: Body) -> Body:
    is_on = pool.config.mfa != "off"
    described: Body = {"MfaConfiguration": pool.config.mfa.upper()}
    if is_on:
        described["SoftwareTokenMfaConfiguration"] = {"Enabled": True}
    if passkeys.is_enabled(pool):
        verification = {"UserVerification": pool.config.passkey_verification}
        described["WebAuthnConfiguration"] = WEB_AUTHN | verification
    return described


def set_user_pool_mfa_config(pool: Pool, body: Body) -> Body:
    pool.require_primary()
    sent = body.get("WebAuthnConfiguration") or {}
    for name, value in WEB_AUTHN.items():
        if sent.get(name, value) != value:
            raise UserError(INVALID, f"At the local pool, {name} is always {value}.")
    changes = {"mfa": body.get("MfaConfiguration", "OFF").lower()}
    if "UserVerification" in sent:
        changes["passkey_verification"] = sent["UserVerification"]
    pool.configure(**changes)
    return get_user_pool_mfa_config(pool, body)


OPERATIONS: Operations = {
    "AdminDeleteSoftwareToken": admin_delete_software_token,
    "AdminGetUserAuthFactors": lambda pool, body: _auth_factors(pool, find_user(pool, body)),
    "AdminSetUserMFAPreference": lambda pool, body: _set_preference(
        pool, find_user(pool, body), body
    ),
    "AssociateSoftwareToken": associate_software_token,
    "GetUserAuthFactors": lambda pool, body: _auth_factors(pool, _owner(pool, body)),
    "GetUserPoolMfaConfig": get_user_pool_mfa_config,
    "SetUserMFAPreference": lambda pool, body: _set_preference(pool, _owner(pool, body), body),
    "SetUserPoolMfaConfig": set_user_pool_mfa_config,
    "VerifySoftwareToken": verify_software_token,
}
