import asyncio
import pickle
import threading
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.db import connection, connections
from django.utils import timezone

from accounts.models import SignIn
from accounts.testing import CognitoClient
from accounts.testing.fake import FakeUser
from accounts.user_tokens import RenewalUnavailable, SessionEnded, access_token

THREADS = 50


@pytest.fixture
def sign_in(cognito, db):
    client = CognitoClient()
    client.sign_in(FakeUser("ada"), cognito)
    return SignIn.objects.get()


def expire(**ago):
    past = timezone.now() - timedelta(**ago)
    SignIn.objects.update(renew_at=past, access_expires_at=past)


def test_token_is_renewed_only_if_it_is_due(sign_in, cognito):
    first = sign_in.access_token()
    assert sign_in.access_token() == access_token(sign_in.pk) == first
    assert cognito.calls.count("refresh_token") == 0
    expire(seconds=1)
    renewed = sign_in.access_token()
    assert renewed != first
    assert access_token(sign_in.pk) == renewed
    assert cognito.calls.count("refresh_token") == 1


@pytest.mark.django_db(transaction=True)
def test_async_code_gets_the_token(sign_in):
    async def token():
        try:
            return await sign_in.aaccess_token()
        finally:  # its thread stays, and so would its connection
            await sync_to_async(connections.close_all)()

    assert asyncio.run(token()) == sign_in.access_token()


@pytest.mark.django_db(transaction=True)
def test_parallel_views_and_tasks_make_one_call(sign_in, cognito):
    expire(seconds=1)
    tokens, barrier = [], threading.Barrier(THREADS)

    def call():
        barrier.wait(timeout=60)
        try:
            tokens.append(access_token(sign_in.pk))
        finally:
            connection.close()

    threads = [threading.Thread(target=call) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(tokens) == THREADS
    assert len(set(tokens)) == 1
    assert cognito.calls.count("refresh_token") == 1


def end_by_sign_out(sign_in):
    SignIn.objects.update(ended_at=timezone.now())


def end_by_deactivation(sign_in):
    get_user_model().objects.update(is_active=False)  # without a signal


def end_by_idle_time(sign_in):
    SignIn.objects.update(last_seen_at=timezone.now() - timedelta(days=30))


def end_by_deletion(sign_in):
    SignIn.objects.all().delete()


@pytest.mark.parametrize(
    "end", [end_by_sign_out, end_by_deactivation, end_by_idle_time, end_by_deletion]
)
def test_ended_sign_in_is_an_exception(sign_in, end):
    key = sign_in.pk
    end(sign_in)
    with pytest.raises(SessionEnded):
        sign_in.access_token()
    with pytest.raises(SessionEnded):
        access_token(key)


def test_sign_in_that_cognito_refuses_is_an_exception(sign_in, cognito):
    expire(seconds=1)
    cognito._refresh_tokens.clear()
    with pytest.raises(SessionEnded):
        sign_in.access_token()
    assert not SignIn.objects.live().exists()


def test_expired_token_is_never_returned_while_cognito_is_down(sign_in, cognito):
    cognito.down = True
    assert sign_in.access_token()  # valid without a renewal
    expire(seconds=1)
    with pytest.raises(RenewalUnavailable):
        sign_in.access_token()
    assert SignIn.objects.live().exists()


def test_token_is_in_no_log_repr_or_pickle(sign_in, caplog):
    expire(seconds=1)
    payload = sign_in.access_token().split(".")[1][:60]
    sign_in.refresh_from_db()
    assert payload not in caplog.text + repr(vars(sign_in))
    assert payload.encode() not in pickle.dumps(sign_in)
