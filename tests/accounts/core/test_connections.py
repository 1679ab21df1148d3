"""Pooled database connections are released before a wait for Cognito or for another thread."""

import threading

import pytest
from django.db import connection, transaction
from django.db import connections as databases

from accounts.core import db
from accounts.core.single_flight import single_flight
from accounts.provider import provider
from accounts.provider.bounded_endpoint import BoundedTokenEndpoint


@pytest.fixture
def closed(monkeypatch):
    """The aliases of the connections that this thread closed, in order."""
    aliases = []
    monkeypatch.setattr(databases["default"], "close", lambda: aliases.append("default"))
    return aliases


@pytest.fixture
def pooled(monkeypatch):
    connection.ensure_connection()
    options = {**connection.settings_dict.get("OPTIONS", {}), "pool": {"max_size": 2}}
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", options)


@pytest.mark.django_db(transaction=True)
def test_pooled_connection_is_released(closed, pooled):
    db.release_pooled_connections()
    assert closed == ["default"]


@pytest.mark.django_db(transaction=True)
def test_connection_without_a_pool_stays_open(closed):
    db.release_pooled_connections()
    assert closed == []


@pytest.mark.django_db(transaction=True)
def test_connection_stays_open_inside_a_transaction(closed, monkeypatch):
    with transaction.atomic(), monkeypatch.context() as patched:
        patched.setitem(connection.settings_dict, "OPTIONS", {"pool": True})
        db.release_pooled_connections()
    assert closed == []


@pytest.mark.django_db(transaction=True)
def test_connection_is_released_before_a_call_and_before_a_wait(
    closed, pooled, cognito, monkeypatch
):
    endpoint = BoundedTokenEndpoint(provider().config, None, None, calls_at_once=1)
    with endpoint.bounded("refresh"):
        assert closed == ["default"]
    with single_flight("renewal", seconds=5):
        assert closed == ["default"]  # no other thread to wait for
        waited = threading.Event()
        monkeypatch.setattr(db, "release_pooled_connections", waited.set)

        def wait():
            with single_flight("renewal", seconds=5):
                pass

        thread = threading.Thread(target=wait)
        thread.start()
        assert waited.wait(5)
    thread.join(5)
    assert not thread.is_alive()
