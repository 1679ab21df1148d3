"""Parallel requests of an app with one expired access token.

The first request is held at the token endpoint until the others wait for it.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test import Client

from accounts.api import bearer
from accounts.core import single_flight
from accounts.models import SignIn
from accounts.sessions import app_sign_ins
from accounts.tokens import revocation_feed, revocations
from tests.accounts.api.test_spa_compat import Spa, get_caller, refreshes

pytestmark = pytest.mark.django_db(transaction=True)

REQUESTS = 8


@pytest.fixture
def spa(cognito):
    return Spa(cognito)


@pytest.fixture
def count_calls(monkeypatch):
    """Return a function that replaces a function of a module and returns the list of its calls."""

    def count(module, name):
        calls, original = [], getattr(module, name)

        def counted(*args, **options):
            calls.append(name)
            return original(*args, **options)

        monkeypatch.setattr(module, name, counted)
        return calls

    return count


@pytest.fixture
def get_in_parallel(cognito, monkeypatch):
    """Return a function that sends requests with these tokens while the first one is refreshed."""

    def send(pairs):
        waiting, post_form = threading.Semaphore(0), cognito.post_form

        def hold(url, fields, **options):
            for _ in pairs[1:]:
                assert waiting.acquire(timeout=60)
            return post_form(url, fields, **options)

        def get(pair):
            try:
                return get_caller(Client(), *pair)
            finally:
                connection.close()

        with monkeypatch.context() as patch:
            # A thread calls this function before it waits for another one.
            counter = SimpleNamespace(release_pooled_connections=waiting.release)
            patch.setattr(single_flight, "db", counter)
            patch.setattr(cognito, "post_form", hold)
            with ThreadPoolExecutor(len(pairs)) as threads:
                return list(threads.map(get, pairs))

    return send


def test_one_request_refreshes_and_stores_for_all(cognito, spa, get_in_parallel, count_calls):
    counted = [
        count_calls(bearer, "principal_factory"),
        count_calls(app_sign_ins, "record_refresh"),
    ]
    responses = get_in_parallel([(spa.expired(), spa.refresh_token)] * REQUESTS)
    assert [response.status_code for response in responses] == [200] * REQUESTS
    assert len({response.headers["X-Access-Token"] for response in responses}) == 1
    assert {response.json()["identity"]["userName"] for response in responses} == {"ada"}
    assert [len(calls) for calls in counted] == [1, 1]
    assert refreshes(cognito) == 1
    assert SignIn.objects.count() == 1


def test_each_request_has_an_instance_of_the_user(spa, get_in_parallel):
    responses = get_in_parallel([(spa.expired(), spa.refresh_token)] * 3)
    assert len({id(response.wsgi_request.user) for response in responses}) == 3


def test_other_access_token_of_the_sign_in_shares_the_call(cognito, spa, get_in_parallel):
    pairs = [(spa.expired(claims={"jti": jti}), spa.refresh_token) for jti in ("one", "two")]
    responses = get_in_parallel(pairs)
    assert len({response.headers["X-Access-Token"] for response in responses}) == 1
    assert refreshes(cognito) == 1


def test_access_token_of_another_user_gets_no_tokens(cognito, spa, get_in_parallel):
    other = Spa(cognito, "mallory")
    pairs = [(user.expired(), spa.refresh_token) for user in (spa, other)]
    responses = get_in_parallel(pairs)
    assert [response.status_code for response in responses] == [200, 401]
    assert responses[1].json()["code"] == "claim_rejected"
    assert "X-Access-Token" not in responses[1].headers


def test_other_refresh_token_does_not_get_the_result(cognito, spa, monkeypatch):
    """Send the wrong refresh token while the request with the right one waits for Cognito.

    Cognito responds once the other request has called it, too, or waits for the first one.
    """
    post_form, expired = cognito.post_form, spa.expired()
    is_called, is_other_here = threading.Event(), threading.Event()

    def hold(url, fields, **options):
        if fields["refresh_token"] == spa.refresh_token:
            is_called.set()
            assert is_other_here.wait(60)
        else:
            is_other_here.set()
        return post_form(url, fields, **options)

    def get():
        try:
            return get_caller(Client(), expired, spa.refresh_token)
        finally:
            connection.close()

    monkeypatch.setattr(cognito, "post_form", hold)
    counter = SimpleNamespace(release_pooled_connections=is_other_here.set)
    monkeypatch.setattr(single_flight, "db", counter)
    with ThreadPoolExecutor(1) as thread:
        served = thread.submit(get)
        assert is_called.wait(60)
        refused = get_caller(Client(), expired, "junk")
        assert served.result().status_code == 200
    assert (refused.status_code, refused.json()["code"]) == (401, "session_ended")
    assert "X-Access-Token" not in refused.headers


def test_sign_out_during_the_refresh_leaves_all_without_tokens(spa, get_in_parallel, monkeypatch):
    record = app_sign_ins.record_refresh

    def sign_out_afterwards(*args, **options):
        record(*args, **options)
        revocations.revoke_sign_in(spa.user.sign_in_claims["origin_jti"])
        revocation_feed.reset()

    monkeypatch.setattr(app_sign_ins, "record_refresh", sign_out_afterwards)
    responses = get_in_parallel([(spa.expired(), spa.refresh_token)] * REQUESTS)
    assert {response.json()["code"] for response in responses} == {"token_revoked"}
    assert not any("X-Access-Token" in response.headers for response in responses)


def test_failed_refresh_is_not_repeated(cognito, spa, get_in_parallel):
    responses = get_in_parallel([(spa.expired(), "junk")] * REQUESTS)
    assert {response.json()["code"] for response in responses} == {"session_ended"}
    assert refreshes(cognito) == 1
