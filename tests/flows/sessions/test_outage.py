"""Outages: Cognito is unavailable, slow or malformed, or our secret is wrong. No session ends."""

import logging
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.html import escape

from accounts.models import RefreshResult, SignIn
from accounts.provider import provider
from accounts.sessions.sign_out import UNREACHED_FOR_USERS
from tests.flows.sessions.conftest import (
    at_once,
    beyond_grace,
    let_pass,
    refreshes,
    until_due,
    until_expired,
)

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def impatient():
    """Limit calls to Cognito to half a second, so that tests do not wait for a missing response.

    The usual limit holds outside of the block, because a busy machine may need longer.
    """
    transport = provider().token_endpoint._transport
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transport, "_read_seconds", 0.4)
        patch.setattr(transport, "total_seconds", 0.5)
        yield


def still_signed_in():
    return SignIn.objects.get().ended_at is None


@pytest.mark.parametrize("kind", ["503", "429", "garbage", "empty", "redirect", "close", "slow"])
def test_session_works_in_the_grace_period_then_503_then_works_again(visitor, kind):
    visitor.sign_in()
    visitor.get("/profile/")
    session_id = visitor.http.cookies["sessionid"]
    visitor.pool.faults.add("token", kind, seconds=1)
    until_expired()
    with impatient():
        assert visitor.get("/profile/").status_code == 200
        beyond_grace()
        response = visitor.get("/profile/?tab=2")
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "You are still signed in" in response.text
    assert 'href="/profile/?tab=2" data-try-again>Try again' in response.text
    visitor.pool.faults.clear()
    let_pass(minutes=2)
    assert visitor.get("/profile/").status_code == 200
    assert visitor.http.cookies["sessionid"] == session_id
    assert still_signed_in()


@pytest.mark.parametrize("spoilt", ["id-token", "access-token"])
@pytest.mark.parametrize("kind", ["wrong-key", "unknown-key", "wrong-issuer", "missing-sub"])
def test_renewed_tokens_that_do_not_verify_are_not_taken(visitor, spoilt, kind):
    visitor.sign_in()
    sealed = SignIn.objects.get().sealed_tokens
    visitor.pool.faults.add(spoilt, kind)
    until_due()
    assert visitor.get("/profile/").status_code == 200
    assert SignIn.objects.get().sealed_tokens == sealed
    assert still_signed_in()


def test_ten_minutes_of_outage_end_no_session(visitor):
    visitor.sign_in()
    until_due()
    visitor.pool.stop()
    for _ in range(10):
        assert visitor.get("/profile/").status_code == 200
        let_pass(minutes=1)
    visitor.pool.start()
    assert visitor.get("/profile/").status_code == 200
    assert SignIn.objects.get().access_expires_at > timezone.now() + timedelta(minutes=50)


def test_outage_is_detected_once_and_not_by_every_request(visitor):
    visitor.sign_in()
    until_expired()
    visitor.pool.faults.add("token", "slow", seconds=1)
    with impatient():
        visitor.get("/profile/")
    tried = refreshes(visitor.pool)
    for _ in range(5):
        assert visitor.get("/profile/").status_code == 200
    assert refreshes(visitor.pool) == tried


def test_fifty_requests_beyond_the_grace_get_503_with_one_call(visitor):
    visitor.sign_in()
    beyond_grace()
    visitor.pool.faults.add("token", "garbage")
    responses = at_once(*[lambda: visitor.get("/profile/")] * 10)
    assert {response.status_code for response in responses} == {503}
    assert refreshes(visitor.pool) == 1
    assert still_signed_in()


def test_api_client_gets_503_in_json(visitor):
    visitor.sign_in()
    beyond_grace()
    visitor.pool.stop()
    response = visitor.get("/profile/", headers={"Sec-Fetch-Mode": "cors"})
    assert response.status_code == 503
    assert response.json()["code"] == "renewal_unavailable"
    assert response.json()["error"] == response.json()["detail"]
    assert int(response.headers["Retry-After"]) > 0
    assert response.headers["Cache-Control"] == "no-store"


def test_wrong_secret_is_an_alert_and_ends_no_session(visitor, settings, caplog):
    visitor.sign_in()
    settings.COGNITO = settings.COGNITO | {"CLIENT_SECRET": "not-the-secret-of-this-client"}
    until_expired()
    assert visitor.get("/profile/").status_code == 200
    alerts = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert any("client_rejected" in record.getMessage() for record in alerts)
    beyond_grace()
    response = visitor.get("/profile/")
    assert response.status_code == 503
    assert "This site isn&#x27;t set up correctly" in response.text
    settings.COGNITO = settings.COGNITO | {"CLIENT_SECRET": visitor.pool.client_secret}
    let_pass(minutes=2)
    assert visitor.get("/profile/").status_code == 200
    assert still_signed_in()


def test_signing_out_works_during_an_outage(visitor):
    visitor.sign_in()
    visitor.get("/profile/")
    beyond_grace()
    visitor.pool.stop()
    assert visitor.get("/profile/").status_code == 503
    response = visitor.post("/accounts/logout/")
    assert response.headers["Location"] == "/signout?unreached=1"
    page = visitor.get("/signout?unreached=1").text
    assert escape(UNREACHED_FOR_USERS) in page
    assert SignIn.objects.get().end_reason == "signed_out"


def test_lease_of_a_dead_process_runs_out(visitor):
    visitor.sign_in()
    until_expired()
    sign_in, lease_until = SignIn.objects.get(), timezone.now() + timedelta(seconds=45)
    key = f"sign-in:{sign_in.pk}:{sign_in.version}"
    RefreshResult.objects.create(
        key=key, owner="dead", lease_until=lease_until, expires_at=lease_until
    )
    started = timezone.now()
    assert visitor.get("/profile/").status_code == 200  # waited, then continued in the grace period
    assert timezone.now() - started < timedelta(seconds=20)  # the lease has 45
    assert refreshes(visitor.pool) == 0
    let_pass(seconds=46)
    assert visitor.get("/profile/").status_code == 200
    assert refreshes(visitor.pool) == 1
