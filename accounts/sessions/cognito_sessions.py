"""The user's sessions at Cognito, if the pool tracks them: list them, end them, explain their end.

`COGNITO_SESSIONS_PER_USER` declares that it does. Cognito is called with AWS credentials if this
server has some. Otherwise a stored access token of the user is used, which requires the scope
`aws.cognito.signin.user.admin` in `COGNITO_SCOPES`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import ngettext

from ..cognito.errors import CognitoError, CognitoUnavailable
from ..cognito.user_sessions import OWN_ACCOUNT_SCOPE, UserSession
from ..core import navigation
from ..core.encryption import DecryptionError
from ..models import SignIn
from ..provider import provider, user_pool
from ..provider.aws import AwsError
from ..provider.settings import SIGN_OUT_SECONDS
from ..tokens import storage
from ..users.provisioning import own_pool_identities

_log = logging.getLogger(__name__)


def are_tracked() -> bool:
    """Return True if the settings say that the pool tracks sessions."""
    return provider().limits.sessions_per_user > 0


def list_sessions(user: Any, sign_in: SignIn | None = None) -> list[UserSession]:
    """Return the sessions of browsers and of other apps, which this site does not list itself.

    The result is empty if the pool tracks no sessions, or they cannot be read. `sign_in` is that
    of the current browser.
    """
    try:
        sessions = _list(user, _access_token(user, sign_in), _deadline())
    except (CognitoError, AwsError) as error:
        _log.warning("The sessions at Cognito could not be listed. %s", error)
        return []
    own = provider().config.client_id
    return [item for item in sessions if item.is_browser or item.client_id != own]


def end_sessions(user: Any, *, access_token: str) -> None:
    """End the sessions of the user's browsers at Cognito, and of apps that signed in with them.

    Call it before refresh tokens are revoked, because that invalidates `access_token`. That token's
    own browser is left out: its session ends with the linked refresh token. A failure is logged.
    """
    ends_at = _deadline()
    try:
        sessions = _list(user, access_token, ends_at)
        current = next((item for item in sessions if item.is_current), None)
        for item in sessions:
            if _must_be_ended(item, current):
                if time.monotonic() >= ends_at:
                    raise CognitoUnavailable("Cognito did not respond in time")
                _end(user, item, access_token, ends_at)
    except (CognitoError, AwsError) as error:
        _log.warning("Not all sessions at Cognito could be ended. %s", error)


def _must_be_ended(item: UserSession, current: UserSession | None) -> bool:
    """Return True for a session that no other call ends.

    The session of a browser takes its apps along. So the other ones are those without a browser,
    and those of the current browser.
    """
    origin = current.origin if current else ""
    if item.is_browser:
        return item.session_id != origin
    return not item.is_current and item.origin in ("", origin)


def current_access_token(user: Any, sign_in: SignIn | None) -> str:
    """Return an access token for `end_sessions`, or "" if none is needed or available."""
    return _access_token(user, sign_in) if are_tracked() else ""


def _access_token(user: Any, sign_in: SignIn | None) -> str:
    """Return the newest valid access token of our own sign-ins of this user, or ""."""
    config = provider().config
    if user_pool.has_credentials() or OWN_ACCOUNT_SCOPE not in config.scopes:
        return ""
    live = SignIn.objects.live().filter(
        user=user, pool_id=config.pool_id, access_expires_at__gt=timezone.now()
    )
    current = live.filter(pk=sign_in.pk).first() if sign_in else None
    candidate = current or live.order_by("-access_expires_at").first()
    try:
        return storage.open_tokens(candidate).access_token if candidate else ""
    except DecryptionError:
        return ""


def _list(user: Any, access_token: str, ends_at: float) -> list[UserSession]:
    if not are_tracked():
        return []
    if user_pool.has_credentials():
        names = [identity.username for identity in own_pool_identities(user=user)]
        return [item for name in names if name for item in user_pool.list_sessions(name)]
    if not access_token:
        return []
    sessions: list[UserSession] = _bounded(
        provider().session_api.list_sessions, access_token, ends_at=ends_at
    )
    return sessions


def _end(user: Any, item: UserSession, access_token: str, ends_at: float) -> None:
    if access_token:
        revoke = provider().session_api.revoke_session
        _bounded(revoke, access_token, item.session_id, ends_at=ends_at)
        return
    for identity in own_pool_identities(user=user):
        user_pool.revoke_session(identity.username, item.session_id)


def _bounded(call: Callable[..., Any], *arguments: str, ends_at: float) -> Any:
    with provider().token_endpoint.bounded("sessions"):
        return call(*arguments, timeout=max(ends_at - time.monotonic(), 0.1))


def _deadline() -> float:
    return time.monotonic() + SIGN_OUT_SECONDS


def explain_end(request: HttpRequest, sign_in: SignIn) -> None:
    """Show what is known about the end of a sign-in: on the next page, or in a script's 401."""
    message = _end_message(sign_in)
    if message and navigation.is_page_request(request):
        messages.warning(request, message, fail_silently=True)
    elif message:
        request.session_end_message = message  # type: ignore[attr-defined]


def _end_message(sign_in: SignIn) -> str:
    """Return what is known about a sign-in that Cognito no longer renews, or "".

    Cognito refuses the refresh token of an evicted session like any other one. With as many more
    recently used sign-ins here as the pool allows, the session must have been evicted.
    """
    limit = provider().limits.sessions_per_user
    if not limit or sign_in.end_reason != SignIn.EndReason.REFUSED:
        return ""
    newer = SignIn.objects.live().filter(
        user=sign_in.user_id,
        pool_id=sign_in.pool_id,
        subject=sign_in.subject,
        access_expires_at__gte=sign_in.access_expires_at,  # in whole seconds
    )
    if newer.count() >= limit:
        message = ngettext(
            "Your session ended because you signed in on more than %(limit)d device.",
            "Your session ended because you signed in on more than %(limit)d devices.",
            limit,
        )
    else:
        message = ngettext(
            "Cognito ended your session. That happens if someone ends it there, or if you sign in"
            " on more than %(limit)d device.",
            "Cognito ended your session. That happens if someone ends it there, or if you sign in"
            " on more than %(limit)d devices.",
            limit,
        )
    return message % {"limit": limit}
