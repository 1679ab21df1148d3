"""The audit log: one event for each completed attempt, each sign-out and each change of rights.

An event holds the steps of its attempt, so `manage.py cognito_explain_sign_in` can explain an
attempt from its reference. An anonymous client cannot fill the log: only a callback with the cookie
of a genuine attempt stores an event. Refusals of unknown users are stored up to a limit per hour,
subnet and reason, and up to a limit in all. Beyond it, one event REFUSALS_OMITTED says so. The
server log has all of them.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import DatabaseError, router, transaction
from django.http import HttpRequest
from django.utils import timezone

from .. import signals
from ..cognito.claims import AccessClaims
from ..core import request_meta
from ..core.db import savepoint
from ..core.request_context import current_request
from ..models import EventKind, SignInEvent, rate_limit
from . import attempt_log

MAX_SUBNET_REFUSALS = 50  # of unknown users, per hour, subnet and reason
MAX_REFUSALS = 2_000  # of unknown users, per hour
_HOUR = 3600  # seconds
SIGNALS = {  # the kinds that have a signal of their own
    EventKind.SIGNED_IN: signals.signed_in,
    EventKind.REFUSED: signals.sign_in_refused,
    EventKind.SIGNED_OUT: signals.signed_out,
    EventKind.RIGHTS_CHANGED: signals.rights_changed,
}

_log = logging.getLogger(__name__)


def record_event(
    kind: EventKind,
    *,
    reference: str = "",
    user: Any = None,
    pool_username: str = "",
    reason: str = "",
    request: HttpRequest | None = None,
    level: int = logging.INFO,
    **details: object,
) -> None:
    """Log one event, and store it with the steps of its attempt.

    `reason` is a stable code. `details` must not hold a token, code or secret. A user among them,
    such as `by`, is stored by name and, as `by_id`, by primary key, because names change. `request`
    is the current request by default. If its access token has an actor, the details include
    `actor`. If the event cannot be stored, an error is logged and the caller continues.
    """
    request = request or current_request()
    claims = getattr(request, "auth", None)
    if isinstance(claims, AccessClaims) and claims.actor:
        details["actor"] = claims.actor
    attempt_log.log_step(
        reference, kind, level=level, pool_username=pool_username, reason=reason, **details
    )
    steps = attempt_log.pop_steps(reference)
    columns = {
        "reference": reference,
        "user": user,
        "pool_username": pool_username[:255],
        "reason": reason,
    }
    content = _stored(details)
    _store(kind, columns, content | ({"steps": steps} if steps else {}), request)
    _send_signals(kind, **columns, details=content, request=request)


def _stored(details: dict[str, object]) -> dict[str, str]:
    content = {name: str(value)[:500] for name, value in details.items() if value}
    users = {name: value for name, value in details.items() if isinstance(value, AbstractBaseUser)}
    return content | {f"{name}_id": str(user.pk) for name, user in users.items()}


def _store(
    kind: EventKind, columns: dict[str, Any], details: dict[str, Any], request: HttpRequest | None
) -> None:
    is_unknown_user = kind == EventKind.REFUSED and columns["user"] is None
    try:
        with savepoint(SignInEvent):
            if is_unknown_user and not _has_room(columns["reason"], request):
                return
            SignInEvent.objects.create(
                kind=kind,
                **columns,
                details=details,
                **(request_meta.sender_fields(request) if request else {}),
            )
    except DatabaseError as error:
        _log.error("An audit event could not be stored: %s", error)


def _send_signals(kind: EventKind, **arguments: Any) -> None:
    """Send the signals of an event once the transaction is committed."""

    def send() -> None:
        if kind in SIGNALS:
            SIGNALS[kind].send_robust(SignInEvent, **arguments)
        signals.event_recorded.send_robust(SignInEvent, kind=kind, **arguments)

    transaction.on_commit(send, using=router.db_for_write(SignInEvent), robust=True)


def _has_room(reason: str, request: HttpRequest | None) -> bool:
    """Return True if another refusal of an unknown user may be stored in this hour.

    The subnet is counted first, so that one subnet cannot use the share of the others. Break-glass
    has a lower limit of its own.
    """
    hour = f"{time.time() // _HOUR:.0f}"
    if reason != BREAK_GLASS_REASON:
        subnet = request_meta.subnet_of(request) if request else ""
        key = f"refused:{hour}:{subnet}:{reason}"
        if not rate_limit.take(key, limit=MAX_SUBNET_REFUSALS, seconds=_HOUR):
            if rate_limit.is_first_refusal(key, limit=MAX_SUBNET_REFUSALS):
                _note_omission(f"{MAX_SUBNET_REFUSALS} of this reason from {subnet}", reason)
            return False
    hour_ago = timezone.now() - timedelta(seconds=_HOUR)
    stored = SignInEvent.objects.order_by().filter(
        kind=EventKind.REFUSED, user=None, at__gte=hour_ago
    )
    if stored[MAX_REFUSALS - 1 : MAX_REFUSALS].exists():
        if rate_limit.take(f"refused:{hour}", limit=1, seconds=_HOUR):
            _note_omission(f"{MAX_REFUSALS} of unknown users", reason)
        return False
    return True


def _note_omission(limit: str, reason: str) -> None:
    why = f"more refusals than {limit} in one hour; the log has them all"
    SignInEvent.objects.create(kind=EventKind.REFUSALS_OMITTED, reason=reason, details={"why": why})


BREAK_GLASS_REASON = "break_glass"
