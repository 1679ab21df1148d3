"""Measure token checks with many users in the database (see ../inside.py)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from accounts.api.bearer import authenticate_token
from accounts.api.principals import principal_factory
from accounts.cognito.token_cache import TokenCache
from accounts.models import Identity, Revocation
from accounts.provider import provider
from accounts.tokens import revocation_feed

from ..measuring import in_turn

AGAIN = 1000


def main(order: dict[str, Any]) -> dict[str, list[float]]:
    """Return seconds by name and round."""
    fill(order["people"])
    token = order["token"]
    authenticate_token(token)

    def again() -> None:
        for _ in range(AGAIN):
            authenticate_token(token)

    def first() -> None:
        TokenCache(provider().access_verifier).verify(token, principal_of=principal_factory)

    feed = revocation_feed.RevocationFeed()
    feed._read(time.monotonic())

    def recent() -> None:
        feed._read(time.monotonic())

    def whole() -> None:
        revocation_feed.RevocationFeed()._read(time.monotonic())

    subjects = {"again": (again, AGAIN), "first": (first, 1), "feed": (recent, 1)}
    measures = {name: seconds_of(work, times) for name, (work, times) in subjects.items()}
    measures["whole_feed"] = seconds_of(whole, 1)
    return {name: series.values for name, series in in_turn(measures, order["rounds"]).items()}


def seconds_of(work: Callable[[], None], times: int) -> Callable[[], float]:
    def measure() -> float:
        started = time.perf_counter()
        work()
        return (time.perf_counter() - started) / times

    return measure


def fill(count: int) -> None:
    """Create users with an identity; every tenth signed out everywhere two hours ago."""
    users, issuer, now = get_user_model(), provider().config.issuer, timezone.now()
    created = users.objects.bulk_create(
        [users(username=f"crowd-{number}") for number in range(count)], batch_size=1000
    )
    subjects = [f"00000000-0000-4000-8000-{number:012d}" for number in range(count)]
    Identity.objects.bulk_create(
        [
            Identity(user=user, issuer=issuer, subject=subject)
            for user, subject in zip(created, subjects, strict=True)
        ],
        batch_size=1000,
    )
    Revocation.objects.bulk_create(
        [
            Revocation(
                kind=Revocation.Kind.USER,
                issuer=issuer,
                subject=subject,
                not_before=int(now.timestamp()) - 7200,
                expires_at=now + timedelta(hours=22),
            )
            for subject in subjects[::10]
        ],
        batch_size=1000,
    )
    Revocation.objects.update(at=now - timedelta(hours=2))
