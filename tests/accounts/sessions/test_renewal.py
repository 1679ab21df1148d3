"""Renewals that fail at any step lose no token. tests/flows has the end-to-end tests."""

import json
import logging
import secrets
import time
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.utils import timezone

from accounts.cognito.errors import (
    ClientRejected,
    CognitoUnavailable,
    ConfigurationError,
    RequestRejected,
    TokenEndpointError,
)
from accounts.cognito.transport import Response, Transport
from accounts.models import PendingRevocation, RefreshResult, SignIn
from accounts.problems.errors import RenewalUnavailable
from accounts.provider import bounded_endpoint, provider
from accounts.sessions import ending, renewal
from accounts.tokens import shared_refresh
from accounts.tokens.storage import open_tokens

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = 3600


class RotatingPool:
    """A pool that replaces a refresh token with each use, without a grace period."""

    def __init__(self, cognito):
        self._cognito, self._answer = cognito, cognito.post_form
        self.was_in_transaction = False
        self.during_call = lambda: None
        self.expires_in = HOUR
        cognito.post_form = self

    def __call__(self, url, fields, **options):
        response = self._answer(url, fields, **options)
        if fields.get("grant_type") != "refresh_token":
            return response
        self.was_in_transaction |= connection.in_atomic_block
        self.during_call()
        if response.status != 200:
            return response
        successor = secrets.token_urlsafe(48)
        alive = self._cognito._refresh_tokens
        alive[successor] = alive.pop(fields["refresh_token"])
        answer = json.loads(response.body)
        answer |= {"refresh_token": successor, "expires_in": self.expires_in}
        return Response(status=200, body=json.dumps(answer).encode())

    @property
    def refreshes(self):
        return self._cognito.calls.count("refresh_token")

    @property
    def alive(self):
        """The refresh tokens that the pool accepts."""
        return list(self._cognito._refresh_tokens)

    def issues_old_tokens(self, age):
        """Issue the next tokens with this age, because the tests cannot set the clock."""
        [user] = self._cognito._refresh_tokens.values()
        now = int(time.time()) - age
        user.sign_in_claims |= {"iat": now, "exp": now + HOUR}


@pytest.fixture(autouse=True)
def no_shared_cache(settings):
    """Test without a shared cache: the database alone must be sufficient."""
    settings.COGNITO = {**settings.COGNITO, "SHARED_CACHE": ""}


@pytest.fixture
def pool(cognito):
    return RotatingPool(cognito)


@pytest.fixture
def sign_in(pool, cognito_client):
    """A sign-in whose access token and grace period are over."""
    cognito_client("ada")
    past = timezone.now() - timedelta(hours=2)
    SignIn.objects.update(access_expires_at=past, renew_at=past)
    return SignIn.objects.select_related("user").get()


REFUSED = {  # how the claims of the next tokens differ
    "auth_time": {"auth_time": 1},
    "subject": {"sub": "another-user"},
    "issuer": {"iss": "https://another.example"},
    "token_use": {"token_use": "refresh"},
    "clients": {"aud": "another", "client_id": "another"},
}


def next_request():
    return renewal.renew_if_due(SignIn.objects.select_related("user").get())


def stored_refresh_token():
    return open_tokens(SignIn.objects.get()).refresh_token


class Killed(BaseException):
    """The end of the process at this point."""


def kill_before_storing(sign_in, kill_at="verified_grant"):
    def die(*args, **options):
        raise Killed

    used = open_tokens(sign_in).refresh_token
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(renewal, kill_at, die)
        with pytest.raises(Killed):
            renewal.renew_if_due(sign_in)
    assert stored_refresh_token() == used


@pytest.mark.parametrize("kill_at", ["verified_grant", "_store", "_change"])
def test_rotated_token_survives_a_process_that_dies_before_it_is_stored(pool, sign_in, kill_at):
    used = open_tokens(sign_in).refresh_token
    kill_before_storing(sign_in, kill_at)
    assert used not in pool.alive
    renewed = next_request()
    assert renewed.access_expires_at > timezone.now()
    assert [stored_refresh_token()] == pool.alive
    assert pool.refreshes == 1


def test_rotated_token_is_stored_if_the_first_attempt_to_store_it_fails(pool, sign_in, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(SignIn.objects, "update_if_unchanged", lambda *args, **values: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            renewal.renew_if_due(sign_in)
    left = RefreshResult.objects.get().expires_at - timezone.now()
    assert left > timedelta(days=1)  # `settle` was rolled back too
    assert next_request() is not None
    assert [stored_refresh_token()] == pool.alive


def test_rotated_token_outlasts_the_access_token_that_came_with_it(pool, sign_in):
    """When the browser returns, the access token has expired, and the refresh token has not."""
    pool.issues_old_tokens(2 * HOUR)
    kill_before_storing(sign_in)
    call_command("cognito_housekeeping")
    pool.issues_old_tokens(0)
    renewed = next_request()
    assert renewed.access_expires_at > timezone.now()
    assert [stored_refresh_token()] == pool.alive
    assert pool.refreshes == 2


def test_clock_far_ahead_of_the_pools_is_a_failure_and_no_loop(pool, sign_in):
    """A new sign-in would fail, too, so this one stays until the clock is right."""
    pool.issues_old_tokens(2 * HOUR)
    for expected in (ConfigurationError, TokenEndpointError, TokenEndpointError):
        with pytest.raises(expected, match="clock of this server differs"):
            next_request()
    assert pool.refreshes == 2
    assert [stored_refresh_token()] == pool.alive


@pytest.mark.parametrize("expires_in", [10, HOUR])
def test_unstored_token_is_kept_as_long_as_the_sign_in_can_live(pool, sign_in, expires_in):
    pool.expires_in = expires_in
    kill_before_storing(sign_in)
    left = RefreshResult.objects.get().expires_at - timezone.now()
    assert left > timedelta(seconds=provider().limits.session_absolute - 60)


def test_result_is_not_kept_once_it_is_stored(pool, sign_in):
    assert renewal.renew_if_due(sign_in) is not None
    left = RefreshResult.objects.get().expires_at - timezone.now()
    assert left <= shared_refresh.SHARED_FOR


def test_unstored_token_is_encrypted(pool, sign_in):
    kill_before_storing(sign_in)
    [successor] = pool.alive
    assert successor not in repr(RefreshResult.objects.values().get())


def test_unstored_token_is_found_after_a_change_of_the_secret_key(pool, sign_in, settings):
    kill_before_storing(sign_in)
    settings.SECRET_KEY = "another-secret-key-that-signs-nothing-of-worth-0123456789-abc"
    assert next_request() is not None
    assert pool.refreshes == 1


def test_unstored_token_is_revoked_when_the_sign_in_ends(pool, sign_in):
    kill_before_storing(sign_in)
    assert ending.revoke_at_cognito(
        [ending.end_sign_in(sign_in, reason=SignIn.EndReason.SIGNED_OUT)]
    )
    assert pool.alive == []
    assert RefreshResult.objects.get().expires_at - timezone.now() <= shared_refresh.SHARED_FOR


def test_tokens_of_a_sign_in_that_ended_during_the_call_are_revoked(pool, sign_in):
    def sign_out():
        ending.end_sign_in(SignIn.objects.get(), reason=SignIn.EndReason.SIGNED_OUT)

    pool.during_call = sign_out
    assert renewal.renew_if_due(sign_in) is None
    assert pool.alive == []
    assert PendingRevocation.objects.count() == 1  # for the earlier token


def test_no_transaction_is_open_during_the_call(pool, sign_in):
    renewal.renew_if_due(sign_in)
    assert pool.refreshes == 1
    assert not pool.was_in_transaction


def test_failed_renewal_is_logged_once_and_not_repeated_for_a_moment(pool, sign_in, caplog):
    caplog.set_level(logging.WARNING, logger="accounts.sign_in")

    def fail():
        raise CognitoUnavailable("Cognito cannot be reached", retry_after=20)

    pool.during_call = fail
    for _ in range(3):
        with pytest.raises(RenewalUnavailable) as raised:
            next_request()
        assert 15 < raised.value.retry_after <= 20
    assert pool.refreshes == 1
    assert caplog.text.count("not renewed") == 1
    pool.during_call = lambda: None
    RefreshResult.objects.update(expires_at=timezone.now())
    assert next_request() is not None


@pytest.mark.parametrize(("retry_after", "seconds"), [(None, 10), (1, 10), (30, 30), (300, 60)])
def test_pause_after_a_failure_follows_cognito_within_limits(sign_in, retry_after, seconds):
    shared_refresh.pause(sign_in, CognitoUnavailable("down", retry_after=retry_after))
    left = RefreshResult.objects.get().expires_at - timezone.now()
    assert seconds - 2 < left.total_seconds() <= seconds


def test_valid_token_does_not_wait_for_another_processs_refresh(pool, sign_in):
    SignIn.objects.update(access_expires_at=timezone.now() + timedelta(minutes=1))
    until = timezone.now() + timedelta(seconds=45)
    key = f"sign-in:{sign_in.pk}:{sign_in.version}"
    RefreshResult.objects.create(key=key, owner="other", lease_until=until, expires_at=until)
    started = time.monotonic()
    assert next_request().version == sign_in.version
    assert time.monotonic() - started < 30
    assert pool.refreshes == 0


def test_lease_outlives_all_timeouts_and_retries_of_a_refresh(cognito):
    longest = bounded_endpoint.MAX_SLOT_WAIT_SECONDS + 2 * Transport().max_call_seconds
    lease = shared_refresh._Refresh("key", refresh_token="refresh token").lease
    assert lease.total_seconds() > longest


@pytest.mark.parametrize("wait", ["MAX_WAIT_SECONDS", "GRACE_TIMEOUT_SECONDS"])
def test_no_request_waits_as_long_as_the_lease(cognito, wait):
    lease = shared_refresh._Refresh("key", refresh_token="refresh token").lease
    assert getattr(renewal, wait) < lease.total_seconds()


@pytest.mark.parametrize("claims", REFUSED.values(), ids=REFUSED)
def test_tokens_that_our_checks_refuse_end_the_sign_in_after_a_few_tries(
    pool, sign_in, caplog, claims
):
    [user] = pool._cognito._refresh_tokens.values()
    user.sign_in_claims |= claims
    assert next_request() is None
    assert pool.refreshes == renewal.MAX_TRIES
    ended = SignIn.objects.get()
    assert (ended.end_reason, ended.sealed_tokens) == ("unverified", "")
    assert pool.alive == []  # the last rotated token was revoked
    assert [record.levelno for record in caplog.records if "not renewed" in record.message] == [
        logging.ERROR
    ] * renewal.MAX_TRIES


@pytest.mark.parametrize("name", ["access_token", "id_token"])
def test_missing_token_ends_the_sign_in(pool, sign_in, cognito, name):
    answer = cognito.post_form

    def without(url, fields, **options):
        response = answer(url, fields, **options)
        if fields.get("grant_type") != "refresh_token":
            return response
        return Response(200, json.dumps(json.loads(response.body) | {name: None}).encode())

    cognito.post_form = without
    assert next_request() is None
    assert SignIn.objects.get().end_reason == "unverified"


def test_refused_tokens_are_replaced_by_a_later_try(pool, sign_in):
    [user] = pool._cognito._refresh_tokens.values()
    good, user.sign_in_claims = user.sign_in_claims, user.sign_in_claims | {"auth_time": 1}

    def heal():
        if pool.refreshes == renewal.MAX_TRIES - 1:
            user.sign_in_claims = good

    pool.during_call = heal
    renewed = next_request()
    assert renewed.access_expires_at > timezone.now()
    assert [stored_refresh_token()] == pool.alive
    assert pool.refreshes == renewal.MAX_TRIES


@pytest.mark.parametrize("minutes", [1, -10])
def test_refused_tokens_end_no_sign_in_that_can_continue(pool, sign_in, minutes):
    """Valid for a minute, or in the grace period. When it is over, no pause delays the end."""
    expires_at = timezone.now() + timedelta(minutes=minutes)
    SignIn.objects.update(access_expires_at=expires_at)
    [user] = pool._cognito._refresh_tokens.values()
    user.sign_in_claims |= {"auth_time": 1}
    for _ in range(3):
        assert next_request() is not None
    assert pool.refreshes == 1  # paused
    assert [stored_refresh_token()] == pool.alive
    assert SignIn.objects.get().renew_at <= timezone.now() + shared_refresh.PAUSE


def test_pause_of_refused_tokens_ends_with_the_grace_period(pool, sign_in):
    grace = timedelta(seconds=provider().limits.renewal_grace)
    SignIn.objects.update(access_expires_at=timezone.now() - grace + timedelta(seconds=4))
    [user] = pool._cognito._refresh_tokens.values()
    user.sign_in_claims |= {"auth_time": 1}
    assert next_request() is not None
    assert SignIn.objects.get().renew_at - timezone.now() < timedelta(seconds=4)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("invalid_client", ClientRejected),
        ("unauthorized_client", RequestRejected),
        ("invalid_request", RequestRejected),
        ("new_code", RequestRejected),
    ],
)
def test_failure_of_our_settings_is_the_same_for_requests_in_the_pause(
    pool, sign_in, cognito, error, expected
):
    body = json.dumps({"error": error}).encode()
    cognito.post_form = lambda *args, **options: Response(400, body)
    for _ in range(3):
        with pytest.raises(expected):
            next_request()
    assert SignIn.objects.get().ended_at is None


def test_parallel_requests_end_a_refused_sign_in_once(pool, sign_in):
    [user] = pool._cognito._refresh_tokens.values()
    user.sign_in_claims |= {"auth_time": 1}
    stale = SignIn.objects.select_related("user").get()
    assert next_request() is None
    assert renewal.renew_if_due(stale) is None
    assert SignIn.objects.get().end_reason == "unverified"
    assert pool.refreshes == renewal.MAX_TRIES


def test_renewal_counts_as_use_and_a_failed_try_does_not(pool, sign_in, cognito):
    long_ago = timezone.now() - timedelta(minutes=30)
    SignIn.objects.update(last_seen_at=long_ago)
    cognito.down = True
    with pytest.raises(RenewalUnavailable):
        next_request()
    assert SignIn.objects.get().last_seen_at == long_ago
    cognito.down = False
    RefreshResult.objects.all().delete()
    next_request()
    assert SignIn.objects.get().last_seen_at > long_ago


def test_outage_of_the_keys_ends_no_sign_in_of_parallel_requests(
    pool, sign_in, cognito, monkeypatch
):
    """Each try of this request is overtaken by another one that cannot verify the tokens either."""

    def unavailable(*args, **options):
        SignIn.objects.update(version=F("version") + 1)
        raise CognitoUnavailable("the signing keys cannot be downloaded")

    cognito.post_form = pool._answer  # without rotation
    monkeypatch.setattr(renewal, "verified_grant", unavailable)
    with pytest.raises(RenewalUnavailable):
        next_request()
    assert SignIn.objects.get().ended_at is None
