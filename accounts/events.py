"""The record of sign-ins: one row for each attempt that came to an end, one for each sign-out.

Rows carry the steps that `journal` noted on the way, so that `manage.py explain_sign_in` can retell
an attempt from its reference. What strangers can cause is bounded: beginning a sign-in writes
nothing, only a callback with a genuine attempt's cookie does, and of refusals of people nobody
knows at most MOST_OF_STRANGERS rows an hour are kept for each reason. The log has them all.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import DatabaseError, transaction
from django.http import HttpRequest
from django.utils import timezone

from . import journal, signals
from .client_address import client_address
from .current_request import current_request
from .models import SignInEvent

MOST_OF_STRANGERS = 500  # refusals an hour, of each reason

_log = logging.getLogger(__name__)


def record(
    kind: str,
    *,
    reference: str = "",
    user: Any = None,
    person: str = "",
    reason: str = "",
    request: HttpRequest | None = None,
    level: int = logging.INFO,
    **details: object,
) -> None:
    """Write one event into the log and, with the attempt's steps, into the record.

    `kind` and `reason` are stable words for programs; `details` must hold no token, code or secret.
    A user among the details (`by`) is kept by name and, as `by_id`, by key: names change.
    Without a `request` it is the one being answered, if there is one.
    A record that cannot be written is no reason to refuse a sign-in: that is logged.
    """
    request = request or current_request()
    journal.note(reference, kind, level=level, person=person, reason=reason, **details)
    steps = journal.taken_steps(reference)
    known = {"reference": reference, "user": user, "person": person[:255], "reason": reason}
    content = _stored(details)
    _keep(kind, known, content | ({"steps": steps} if steps else {}), request)
    _announce(kind, **known, details=content, request=request)


def _stored(details: dict[str, object]) -> dict[str, str]:
    content = {name: str(value)[:500] for name, value in details.items() if value}
    people = {name: value for name, value in details.items() if isinstance(value, AbstractBaseUser)}
    return content | {f"{name}_id": str(user.pk) for name, user in people.items()}


def _keep(
    kind: str, known: dict[str, Any], details: dict[str, Any], request: HttpRequest | None
) -> None:
    refused_stranger = kind == "refused" and known["user"] is None
    if refused_stranger and _too_many_of_strangers(known["reason"]):
        return
    try:
        with transaction.atomic():
            SignInEvent.objects.create(
                kind=kind,
                **known,
                details=details,
                address=client_address(request) if request else None,
                device=request.headers.get("User-Agent", "")[:255] if request else "",
            )
    except DatabaseError as error:
        _log.error("An event of the record of sign-ins could not be written: %s", error)


def _announce(kind: str, **known: Any) -> None:
    """Tell the project's own receivers, when what happened is certain."""

    def send() -> None:
        if kind in signals.BY_KIND:
            signals.BY_KIND[kind].send_robust(SignInEvent, **known)
        signals.event_recorded.send_robust(SignInEvent, kind=kind, **known)

    transaction.on_commit(send, robust=True)


def _too_many_of_strangers(reason: str) -> bool:
    hour_ago = timezone.now() - timedelta(hours=1)
    of_strangers = SignInEvent.objects.order_by().filter(
        kind="refused", user=None, reason=reason, at__gte=hour_ago
    )
    return of_strangers[MOST_OF_STRANGERS - 1 : MOST_OF_STRANGERS].exists()
