"""The rows of the lists of users and events (see ../inside.py)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from accounts.models import EventKind, Identity, SignInEvent
from accounts.provider import provider

ROWS = 60  # more than a page
_DEVICE = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
_KINDS = (
    (EventKind.SIGNED_IN, ""),
    (EventKind.REFUSED, "token_expired"),
    (EventKind.SIGNED_OUT, "ended_by_user"),
)


def main(order: dict[str, Any]) -> dict[str, Any]:
    """Store users with an identity each, and their events."""
    model, now, pool = get_user_model(), timezone.now(), provider().pool
    users = model.objects.bulk_create(
        model(
            username=f"user-{number}",
            first_name="User",
            last_name=f"Number {number}",
            email=f"user-{number}@example.com",
            last_login=now - timedelta(hours=number),
        )
        for number in range(ROWS)
    )
    Identity.objects.bulk_create(
        Identity(
            user=user,
            pool_id=pool.pool_id,
            issuer=f"{pool.pool_id}/issuer",
            subject=f"subject-{number}",
            username=f"user-{number}",
            email=user.email,
        )
        for number, user in enumerate(users)
    )
    SignInEvent.objects.bulk_create(
        SignInEvent(
            at=now - timedelta(minutes=number),
            kind=_KINDS[number % 3][0],
            reason=_KINDS[number % 3][1],
            user=user,
            pool_username=f"user-{number}",
            reference=f"{number:016x}",
            ip_address="192.0.2.1",
            device=_DEVICE,
        )
        for number, user in enumerate(users)
    )
    return {}
