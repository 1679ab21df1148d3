"""A site with an additional form, and helpers to let time pass."""

import os
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
import redis
from django.db import connection
from django.db.models import F

from accounts.models import RefreshResult, SignIn
from local_pool.testing import LocalPool


@pytest.fixture
def pool_settings():
    """Settings of the pool, for test files to override."""
    return {}


@pytest.fixture
def pool(live_server, pool_settings):
    with LocalPool(public_url=live_server.url, **pool_settings) as running:
        yield running


@pytest.fixture
def site(site, settings):
    settings.ROOT_URLCONF = "tests.flows.sessions.urls"
    templates = {**settings.TEMPLATES[0]}
    templates["DIRS"] = [*templates["DIRS"], Path(__file__).parent / "templates"]
    settings.TEMPLATES = [templates]
    return site


def let_pass(seconds=0, *, minutes=0):
    """Let time pass for sign-ins and shared refreshes. Access tokens live for one hour."""
    passed = timedelta(seconds=seconds, minutes=minutes)
    SignIn.objects.update(
        access_expires_at=F("access_expires_at") - passed,
        renew_at=F("renew_at") - passed,
    )
    RefreshResult.objects.update(
        lease_until=F("lease_until") - passed, expires_at=F("expires_at") - passed
    )
    if url := os.environ.get("REDIS_URL"):  # what the servers of a test cached, too
        with redis.Redis.from_url(url) as client:
            for name in client.scan_iter("*:refresh:*"):
                client.delete(name)


def until_due():
    """Let time pass until the access token is due for renewal, but still valid."""
    let_pass(minutes=59, seconds=30)


def until_expired():
    let_pass(minutes=61)


def beyond_grace():
    let_pass(minutes=60 + 16)


def at_once(*calls):
    """Make these calls at the same time, and return their results in order."""
    results = [None] * len(calls)

    def run(number, call):
        try:
            results[number] = call()
        finally:
            connection.close()

    threads = [Thread(target=run, args=item) for item in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def refreshes(pool):
    return pool.counts()["token:refresh_token"]
