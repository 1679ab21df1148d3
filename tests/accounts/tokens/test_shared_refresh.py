import json
import threading
import time
from contextlib import suppress
from datetime import timedelta
from functools import partial

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from accounts.cognito.errors import CognitoError, CognitoUnavailable, GrantRejected
from accounts.cognito.transport import Response
from accounts.core import metrics
from accounts.core.single_flight import single_flight
from accounts.models import RefreshResult
from accounts.tokens import shared_call, shared_refresh

REFRESH_TOKEN = "a-refresh-token-of-the-tests"
SUBNET = "192.0.2.1"

refresh_once = partial(shared_refresh.refresh_once, subnet=SUBNET)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_shared_cache(settings):
    """Test without a shared cache: the database alone must be sufficient."""
    settings.COGNITO = {**settings.COGNITO, "SHARED_CACHE": ""}


@pytest.fixture
def shared_cache(no_shared_cache, settings):
    backend = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "shared-refresh"}}
    settings.COGNITO = {**settings.COGNITO, "SHARED_CACHE": "default"}
    cache.clear()


@pytest.fixture
def endpoint(cognito):
    """Return a token endpoint that counts its calls and whose responses a test can change."""

    class Endpoint:
        calls = 0
        seconds = 0.0
        lifetime = 3600
        error = ""
        refresh_token = None
        inside_transaction = False

        def __call__(self, url, fields, **options):
            self.calls += 1
            self.inside_transaction |= connection.in_atomic_block
            number = self.calls
            time.sleep(self.seconds)
            if self.error == "unavailable":
                raise CognitoUnavailable("Cognito cannot be reached")
            if self.error:
                return Response(status=400, body=json.dumps({"error": self.error}).encode())
            members = {
                "access_token": f"new-{number}",
                "id_token": "id",
                "expires_in": self.lifetime,
                "token_type": "Bearer",
            }
            if self.refresh_token:
                members["refresh_token"] = self.refresh_token
            return Response(status=200, body=json.dumps(members).encode())

    endpoint = Endpoint()
    cognito.post_form = endpoint
    return endpoint


def at_once(number, work):
    """Run `work` in `number` threads with connections of their own, and return their results."""
    results, barrier = [], threading.Barrier(number)

    def run():
        barrier.wait()
        try:
            results.append(work())
        except Exception as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(results) == number
    return results


@pytest.fixture
def like_processes(monkeypatch):
    """Let each thread make its own calls, like the threads of several processes."""

    def own_flight(key, *, seconds):
        return single_flight((key, threading.get_ident()), seconds=seconds)

    monkeypatch.setattr(shared_call, "single_flight", own_flight)


def test_refresh_gives_the_new_tokens(endpoint):
    endpoint.refresh_token = "rotated"
    refreshed = refresh_once(REFRESH_TOKEN)
    assert (refreshed.access_token, refreshed.refresh_token) == ("new-1", "rotated")


def test_response_without_a_refresh_token_returns_none(endpoint):
    assert refresh_once(REFRESH_TOKEN).refresh_token is None


def test_many_at_once_make_one_call(endpoint):
    endpoint.seconds = 0.1
    results = at_once(20, lambda: refresh_once(REFRESH_TOKEN))
    assert {result.access_token for result in results} == {"new-1"}
    assert endpoint.calls == 1


def test_many_processes_at_once_make_one_call(endpoint, like_processes):
    test_many_at_once_make_one_call(endpoint)


def test_threads_that_waited_query_neither_database_nor_cognito(endpoint, monkeypatch):
    lookups = []

    def look(key, *, max_age):
        lookups.append(key)

    monkeypatch.setattr(shared_call.shared_cache, "get", look)
    test_many_at_once_make_one_call(endpoint)
    assert len(lookups) == 1


def test_concurrent_requests_without_the_claim_make_many_calls(
    endpoint, like_processes, monkeypatch
):
    """Show that the test above can fail: here each thread gets the claim."""
    monkeypatch.setattr(shared_refresh._Refresh, "_claim", lambda *args: "owner")
    endpoint.seconds = 0.1
    at_once(5, lambda: refresh_once(REFRESH_TOKEN))
    assert endpoint.calls > 1


def test_result_is_shared_for_half_a_minute(endpoint):
    refresh_once(REFRESH_TOKEN)
    RefreshResult.objects.update(expires_at=timezone.now() + timedelta(seconds=1))
    assert refresh_once(REFRESH_TOKEN).access_token == "new-1"
    RefreshResult.objects.update(expires_at=timezone.now())
    assert refresh_once(REFRESH_TOKEN).access_token == "new-2"


@pytest.mark.parametrize("refresh_token", [None, "rotated"])
def test_result_is_not_shared_beyond_the_life_of_its_access_token(endpoint, refresh_token):
    endpoint.lifetime, endpoint.refresh_token = 10, refresh_token
    refresh_once(REFRESH_TOKEN)
    left = RefreshResult.objects.get().expires_at - timezone.now()
    assert left <= timedelta(seconds=9)


def test_another_refresh_token_is_another_call(endpoint):
    refresh_once(REFRESH_TOKEN)
    refresh_once("another-refresh-token")
    assert endpoint.calls == 2


def test_dead_grant_is_shared_too(endpoint):
    endpoint.error = "invalid_grant"
    results = at_once(8, lambda: refresh_once(REFRESH_TOKEN))
    assert {type(result) for result in results} == {GrantRejected}
    assert endpoint.calls == 1


def test_unavailable_cognito_is_called_once_and_soon_again(endpoint):
    endpoint.error, endpoint.seconds = "unavailable", 0.05
    results = at_once(8, lambda: refresh_once(REFRESH_TOKEN))
    assert {type(result) for result in results} == {CognitoUnavailable}
    assert [result.data.get("shared") for result in results].count(True) == 7
    assert endpoint.calls == 1
    endpoint.error = ""
    RefreshResult.objects.update(expires_at=timezone.now())
    assert refresh_once(REFRESH_TOKEN).access_token == "new-2"


def test_dead_owner_is_replaced_when_its_lease_is_over(endpoint):
    with pytest.MonkeyPatch.context() as patch:
        # The owner claims the refresh and dies.
        patch.setattr(shared_refresh._Refresh, "_call_cognito", lambda *args: None)
        refresh_once(REFRESH_TOKEN)
    past = timezone.now() - timedelta(seconds=1)
    RefreshResult.objects.update(lease_until=past, expires_at=past)
    results = at_once(6, lambda: refresh_once(REFRESH_TOKEN))
    assert {result.access_token for result in results} == {"new-1"}
    assert endpoint.calls == 1


def test_lease_outlives_the_longest_call(endpoint):
    seen = []
    endpoint_call = endpoint.__call__

    def watch(url, fields, **options):
        seen.append(RefreshResult.objects.get().lease_until - timezone.now())
        return endpoint_call(url, fields, **options)

    shared_call.provider().token_endpoint._transport.post_form = watch
    refresh_once(REFRESH_TOKEN)
    assert seen[0].total_seconds() > shared_call.provider().max_call_seconds


def test_no_transaction_is_open_during_the_call(endpoint):
    refresh_once(REFRESH_TOKEN)
    assert endpoint.calls == 1
    assert not endpoint.inside_transaction


def test_neither_token_is_readable_in_the_database(endpoint):
    endpoint.refresh_token = "rotated"
    refresh_once(REFRESH_TOKEN)
    row = RefreshResult.objects.values().get()
    for secret in (REFRESH_TOKEN, "new-1", "rotated"):
        assert secret not in repr(row)
    assert len(row["key"]) == 64


def test_old_results_are_deleted(endpoint):
    refresh_once(REFRESH_TOKEN)
    RefreshResult.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    refresh_once("another-refresh-token")
    assert RefreshResult.objects.count() == 1


def test_result_of_a_process_with_other_keys_is_unavailable(endpoint):
    refresh_once(REFRESH_TOKEN)
    RefreshResult.objects.update(sealed_result="sealed with another key")
    with pytest.raises(CognitoUnavailable):
        refresh_once(REFRESH_TOKEN)


@pytest.mark.usefixtures("shared_cache")
def test_result_in_the_shared_cache_needs_no_query(endpoint, django_assert_num_queries):
    refresh_once(REFRESH_TOKEN)
    with django_assert_num_queries(0):
        assert refresh_once(REFRESH_TOKEN).access_token == "new-1"
    assert endpoint.calls == 1


@pytest.mark.usefixtures("shared_cache")
def test_result_missing_in_the_cache_is_read_from_the_database(endpoint):
    refresh_once(REFRESH_TOKEN)
    cache.clear()
    assert refresh_once(REFRESH_TOKEN).access_token == "new-1"
    assert endpoint.calls == 1


@pytest.mark.usefixtures("shared_cache")
@pytest.mark.parametrize("sealed_by_this_site", [True, False])
@pytest.mark.parametrize("value", ["text", 7, ["a"], {"access": "x"}, {"dead": 1}])
def test_malformed_result_in_the_cache_is_read_from_the_database(
    endpoint, sealed_by_this_site, value
):
    refresh_once(REFRESH_TOKEN)
    key = RefreshResult.objects.get().key
    if sealed_by_this_site:
        shared_call.shared_cache.set(f"refresh:{key}", value, seconds=20)
    else:
        name = next(name for name in cache._cache if name.endswith(key))
        cache.set(name[name.index("sso:") :], value)
    assert refresh_once(REFRESH_TOKEN).access_token == "new-1"
    assert endpoint.calls == 1


@pytest.mark.usefixtures("shared_cache")
def test_neither_token_is_readable_in_the_cache(endpoint):
    endpoint.refresh_token = "rotated"
    refresh_once(REFRESH_TOKEN)
    kept = repr(cache._cache)
    assert kept != repr({})
    assert not any(word in kept for word in ("new-1", "rotated", REFRESH_TOKEN))


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        ("", "ok"),
        ("invalid_grant", "refused"),
        ("unavailable", "cognito_unavailable"),
        ("invalid_client", "client_rejected"),
    ],
)
def test_each_call_is_counted_with_its_outcome(endpoint, monkeypatch, error, outcome):
    counted, endpoint.error = [], error
    monkeypatch.setattr(metrics, "count", lambda name, **labels: counted.append((name, labels)))
    for _ in range(2):
        with suppress(CognitoError):
            refresh_once(REFRESH_TOKEN)
    assert counted == [("refreshes", {"outcome": outcome})] * endpoint.calls
    assert endpoint.calls == (2 if error == "invalid_client" else 1)
