"""Long-lived connections of a signed-in browser, such as WebSockets.

Middleware sees only the request that opens a connection. So the connection has to check by itself
whether its sign-in has ended. The checks renew the tokens as requests do, but they do not count as
use of the session.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from asgiref.sync import sync_to_async
from django.db import close_old_connections

from ..cognito.errors import CognitoError
from ..models import SignIn
from ..models.users import has_access
from . import browser_session, ending, limits, renewal

CHECK_INTERVAL_SECONDS = 5.0

_log = logging.getLogger(__name__)


async def sign_in_of(scope: Mapping[str, Any]) -> SignIn | None:
    """Return the live sign-in of the browser that opens a connection, or None.

    `scope` is an ASGI scope with a `session`, as Channels' SessionMiddleware sets it.
    """
    return await sync_to_async(_in_own_connection)(_current, scope["session"])


async def until_ended(sign_in: SignIn) -> None:
    """Wait until the sign-in has ended, or cannot be confirmed. Close the connection then."""
    try:
        while await sync_to_async(_in_own_connection)(_live, sign_in.pk) is not None:
            await asyncio.sleep(CHECK_INTERVAL_SECONDS)
    except Exception:  # the caller must close a connection that is no longer checked
        _log.exception("Sign-in %s can no longer be checked for a connection.", sign_in.pk)


def _in_own_connection(function: Callable[[Any], SignIn | None], argument: Any) -> SignIn | None:
    """Call the function as Django handles a request: no database connection is kept too long."""
    close_old_connections()
    try:
        return function(argument)
    finally:
        close_old_connections()


def _current(session: Any) -> SignIn | None:
    request: Any = SimpleNamespace(session=session)
    sign_in = browser_session.current_sign_in(request)
    return _live(sign_in.pk) if sign_in is not None else None


def _live(sign_in_id: int) -> SignIn | None:
    """Return the sign-in with its user, or None if it has ended or cannot be confirmed."""
    sign_in = SignIn.objects.live().select_related("user").filter(pk=sign_in_id).first()
    if sign_in is None or not has_access(sign_in.user):
        return None
    if reason := limits.limit_reached(sign_in):
        ending.end_sign_in(sign_in, reason=reason)
        return None
    try:
        is_renewed = renewal.renew_if_due(sign_in) is not None
    except CognitoError:  # the grace period is over, and a page would respond with 503
        return None
    return sign_in if is_renewed else None
