"""The sessions that Cognito tracks: list and end those of the user who owns an access token.

The pool must have session tracking. The operations ListUserSessions, RevokeUserSession and
RevokeToken need no AWS credentials, the first two an access token with `OWN_ACCOUNT_SCOPE`.
https://docs.aws.amazon.com/cognito/latest/developerguide/managing-user-sessions.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .config import CognitoConfig
from .errors import CognitoUnavailable, RequestRejected
from .transport import Transport

OWN_ACCOUNT_SCOPE = "aws.cognito.signin.user.admin"
MAX_SESSIONS = 125  # of one user, as many as Cognito returns


@dataclass(frozen=True, kw_only=True)
class UserSession:
    """A session at Cognito: that of a browser at the hosted UI, or one with a refresh token.

    ``device``, ``ip_address`` and ``place`` are of the last activity, "" if unknown. For a session
    with a refresh token, that is usually the app's server. ``origin`` is the ID of the browser's
    session that it came from, or "".
    """

    session_id: str
    is_browser: bool
    client_id: str = ""
    device: str = ""
    ip_address: str = ""
    place: str = ""
    last_active_at: datetime | None = None
    origin: str = ""
    is_current: bool = False


def parse_sessions(body: Mapping[str, Any]) -> list[UserSession]:
    """Return the sessions of a response in the order of Cognito. Malformed members are left out."""
    sessions = body.get("Sessions")
    items = sessions[:MAX_SESSIONS] if isinstance(sessions, list) else []
    return [_session(item) for item in items if isinstance(item, dict) and _text(item, "SessionId")]


def _session(item: Mapping[str, Any]) -> UserSession:
    location = item.get("LastLocation")
    where = location if isinstance(location, dict) else {}
    return UserSession(
        session_id=_text(item, "SessionId"),
        is_browser=item.get("SessionType") == "SSO",
        client_id=_text(item, "ClientId"),
        device=_text(item, "DeviceType"),
        ip_address=_text(item, "LastIPAddress"),
        place=", ".join(filter(None, (_text(where, "City"), _text(where, "Country")))),
        last_active_at=_time(item.get("LastActiveDate")),
        origin=_text(item, "OriginSessionId"),
        is_current=item.get("IsCurrentSession") is True,
    )


def _time(value: object) -> datetime | None:
    """Return a time that is in seconds since the epoch, or that boto3 has converted."""
    if isinstance(value, int | float):
        try:
            return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            return None
    return value if isinstance(value, datetime) else None


def _text(item: Mapping[str, Any], name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) and value != "unknown" else ""


class SessionApi:
    """The operations of the cognito-idp API for one's own sessions. Thread-safe.

    ``timeout`` limits a whole call, in seconds. All calls raise

        RequestRejected: Cognito does not accept the token, or the pool does not track sessions.
        CognitoUnavailable: there is no usable response.
    """

    def __init__(self, config: CognitoConfig, transport: Transport) -> None:
        self._config = config
        self._transport = transport

    def list_sessions(self, access_token: str, *, timeout: float) -> list[UserSession]:
        """Return the active sessions of the token's user, of all app clients."""
        return parse_sessions(self._call("ListUserSessions", timeout, AccessToken=access_token))

    def revoke_session(self, access_token: str, session_id: str, *, timeout: float) -> None:
        """End a session and those that belong to it, but not the session of the token itself."""
        self._call(
            "RevokeUserSession",
            timeout,
            AccessToken=access_token,
            SessionId=session_id,
            RevokeAssociatedSessions="LINKED",
        )

    def revoke_token(
        self, refresh_token: str, *, client_secret: str = "", timeout: float | None = None
    ) -> None:
        """Revoke a refresh token, and end the session of the browser that it came from.

        ``client_secret`` is empty for a public client.
        """
        self._call(
            "RevokeToken",
            timeout,
            Token=refresh_token,
            ClientId=self._config.client_id,
            **({"ClientSecret": client_secret} if client_secret else {}),
            RevokeAssociatedSessions="LINKED",
        )

    def _call(self, operation: str, timeout: float | None, **body: str) -> dict[str, Any]:
        response = self._transport.post_json(
            self._config.api_url,
            body,
            target=f"AWSCognitoIdentityProviderService.{operation}",
            timeout=timeout,
        )
        result = response.json_object()
        if response.status < 400:
            return result
        error = str(result.get("__type", ""))[:100]
        if not error.endswith("Exception") or error == "TooManyRequestsException":
            message = f"{operation} failed with status {response.status}"
            raise CognitoUnavailable(message, status=response.status)
        name = error.rpartition("#")[2]
        raise RequestRejected(f"Cognito refused {operation} ({name})", error=name)
