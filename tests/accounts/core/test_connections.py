"""Who waits for Cognito holds no connection that others could use."""

import threading

import pytest
from django.db import connection, transaction
from django.db import connections as databases

from accounts.core import db
from accounts.core.single_flight import turn
from accounts.provider import provider
from accounts.provider.bounded_endpoint import WatchedTokenEndpoint


@pytest.fixture
def closed(monkeypatch):
    """How often this thread's connection was given back."""
    times = []
    monkeypatch.setattr(databases["default"], "close", lambda: times.append("default"))
    return times


@pytest.fixture
def shared(monkeypatch):
    connection.ensure_connection()
    options = {**connection.settings_dict.get("OPTIONS", {}), "pool": {"max_size": 2}}
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", options)


@pytest.mark.django_db(transaction=True)
def test_shared_connection_is_given_back(closed, shared):
    db.give_back()
    assert closed == ["default"]


@pytest.mark.django_db(transaction=True)
def test_connection_of_the_threads_own_is_kept(closed):
    db.give_back()
    assert closed == []


@pytest.mark.django_db(transaction=True)
def test_transaction_keeps_its_connection(closed, monkeypatch):
    with transaction.atomic(), monkeypatch.context() as patched:
        patched.setitem(connection.settings_dict, "OPTIONS", {"pool": True})
        db.give_back()
    assert closed == []


@pytest.mark.django_db(transaction=True)
def test_it_is_given_back_before_a_call_and_before_waiting_for_another_thread(
    closed, shared, cognito, monkeypatch
):
    endpoint = WatchedTokenEndpoint(provider().config, None, calls_at_once=1)
    with endpoint._watched("refresh"):
        assert closed == ["default"]
    with turn("renewal", seconds=5):
        assert closed == ["default"]  # nobody to wait for
        waited = threading.Event()
        monkeypatch.setattr(db, "give_back", waited.set)

        def wait():
            with turn("renewal", seconds=5):
                pass

        thread = threading.Thread(target=wait)
        thread.start()
        assert waited.wait(5)
    thread.join(5)
    assert not thread.is_alive()
