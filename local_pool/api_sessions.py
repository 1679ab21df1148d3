"""The operations about sessions: list, end and limit them, and the length of single sign-on.

Cognito does not document the scope of the user's own operations, nor the errors if tracking is off
or for one's own session. The local pool requires ``aws.cognito.signin.user.admin``, and responds
with InvalidParameterException.
"""

from . import sessions
from .api_shapes import Body, Operations, find_client, find_user, token_owner
from .api_sign_in import is_linked
from .errors import INVALID, UserError
from .pool import Pool
from .records import PoolUser, TrackedSession


def get_user_pool_session_configuration(pool: Pool, body: Body) -> Body:
    config = pool.config
    return {
        "UserPoolId": config.id,
        "UserSessionTracking": "ENABLED" if config.session_tracking else "DISABLED",
        "TokenSession": {"MaxPerUser": config.max_sessions_per_user},
    }


def set_user_pool_session_configuration(pool: Pool, body: Body) -> Body:
    _require_plan(pool)
    maximum = body["TokenSession"]["MaxPerUser"]
    is_on = body["UserSessionTracking"] == "ENABLED"
    pool.configure(session_tracking=is_on, max_sessions_per_user=maximum)
    return get_user_pool_session_configuration(pool, body)


def get_user_pool_client_session_configuration(pool: Pool, body: Body) -> Body:
    client_id = find_client(pool, body).client_id
    minutes = pool.config.sso_minutes.get(client_id, sessions.DEFAULT_SSO_MINUTES)
    described = {"UserPoolId": pool.config.id, "ClientId": client_id}
    return described | {"SSOSession": {"MaxValidityMinutes": minutes}}


def set_user_pool_client_session_configuration(pool: Pool, body: Body) -> Body:
    _require_plan(pool)
    client = find_client(pool, body)
    if not pool.config.session_tracking:
        raise UserError(INVALID, "Session tracking is not enabled.")
    minutes = body["SSOSession"]["MaxValidityMinutes"]
    pool.configure(sso_minutes=pool.config.sso_minutes | {client.client_id: minutes})
    return get_user_pool_client_session_configuration(pool, body)


def _require_plan(pool: Pool) -> None:
    pool.require_primary()
    if pool.config.plan == "lite":
        message = "Session tracking requires the Essentials or the Plus plan."
        raise UserError("FeatureUnavailableInTierException", message)


def list_user_sessions(pool: Pool, body: Body) -> Body:
    claims, user = token_owner(pool, body)
    return {"Sessions": _describe_all(pool, user, claims["origin_jti"])}


def admin_list_user_sessions(pool: Pool, body: Body) -> Body:
    return {"Sessions": _describe_all(pool, find_user(pool, body))}


def _describe_all(pool: Pool, user: PoolUser, current: str = "") -> list[Body]:
    active = sessions.active_sessions(pool, user).items()
    return [
        _describe(pool, *item) | {"IsCurrentSession": item[1].key == current} for item in active
    ]


def _describe(pool: Pool, session_id: str, session: TrackedSession) -> Body:
    city, _, country = pool.config.location.partition(", ")
    described: Body = {
        "SessionId": session_id,
        "SessionType": "SSO" if session_id.startswith("sso") else "TOKEN",
        "ClientId": session.client_id,
        "CreateDate": session.created,
        "LastActiveDate": session.last_active,
        "DeviceType": session.device,
        "LastIPAddress": session.ip_address,
        "LastLocation": {"City": city or None, "Country": country or "unknown"},
    }
    if session_id.startswith("tkn"):
        described["OriginSessionId"] = session.origin or None
    return described


def revoke_user_session(pool: Pool, body: Body) -> None:
    claims, user = token_owner(pool, body)
    session = sessions.active_sessions(pool, user).get(body["SessionId"])
    if session is not None and session.key == claims["origin_jti"]:
        raise UserError(INVALID, "The current session cannot be revoked.")
    sessions.revoke(pool, user, body["SessionId"], linked=is_linked(body))


def admin_revoke_user_session(pool: Pool, body: Body) -> None:
    user = find_user(pool, body)
    sessions.revoke(pool, user, body["SessionId"], linked=is_linked(body))


OPERATIONS: Operations = {
    "AdminListUserSessions": admin_list_user_sessions,
    "AdminRevokeUserSession": admin_revoke_user_session,
    "GetUserPoolClientSessionConfiguration": get_user_pool_client_session_configuration,
    "GetUserPoolSessionConfiguration": get_user_pool_session_configuration,
    "ListUserSessions": list_user_sessions,
    "RevokeUserSession": revoke_user_session,
    "SetUserPoolClientSessionConfiguration": set_user_pool_client_session_configuration,
    "SetUserPoolSessionConfiguration": set_user_pool_session_configuration,
}
