"""The feed of revoked tokens: in memory, read once a second, and is_revoked when it is too old."""

import time
from collections.abc import Iterator
from datetime import timedelta
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from django.core.cache import caches
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from accounts.cognito.claims import AccessClaims
from accounts.cognito.errors import CognitoUnavailable, TokenRevoked
from accounts.cognito.pool_ids import pool_id_of
from accounts.models import Identity, Revocation, User
from accounts.problems.errors import RevocationsUnavailable
from accounts.provider.shared_cache import shared_cache
from accounts.tokens import revocation_feed, revocations
from accounts.tokens.revocation_feed import RevocationFeed

pytestmark = pytest.mark.django_db

ISSUER = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Test"


@pytest.fixture(autouse=True)
def no_shared_cache(settings):
    """Test one process without a shared cache; the tests at the end use one."""
    settings.COGNITO = {**settings.COGNITO, "SHARED_CACHE": ""}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def feed(clock: Clock) -> RevocationFeed:
    return RevocationFeed(clock=clock)


def claims(**changes: object) -> AccessClaims:
    now = int(timezone.now().timestamp())
    values = {
        "issuer": ISSUER,
        "subject": "ada-sub",
        "client_id": "client",
        "username": "ada",
        "scopes": frozenset(),
        "groups": None,
        "expires_at": now + 3600,
        "issued_at": now,
        "auth_time": now,
        "jti": "jti-1",
        "origin_jti": "origin-1",
        "raw": MappingProxyType({}),
    }
    values |= changes
    return AccessClaims(pool_id=pool_id_of(str(values["issuer"])), **values)


def pool_user(issuer: str = ISSUER) -> Identity:
    return Identity(issuer=issuer, subject="ada-sub")


def is_revoked(feed: RevocationFeed, **changes: object) -> bool:
    try:
        feed.check(claims(**changes))
    except TokenRevoked:
        return True
    return False


def test_unrevoked_token_passes(feed):
    assert not is_revoked(feed)


@pytest.mark.parametrize("claim", ["origin_jti", "jti"])
def test_tokens_of_an_ended_sign_in_are_refused(feed, claim):
    revocations.revoke_sign_in("ended")
    assert is_revoked(feed, **{claim: "ended"})
    assert not is_revoked(feed)


def test_revocation_without_an_id_refuses_no_token(feed):
    revocations.revoke_sign_in("")
    assert not is_revoked(feed, origin_jti=None, jti=None)
    assert not Revocation.objects.exists()


def test_sign_out_everywhere_refuses_only_earlier_tokens(feed):
    now = int(timezone.now().timestamp())
    revocations.revoke_user(pool_user())
    assert is_revoked(feed, issued_at=now)
    assert is_revoked(feed, issued_at=now - 3600)
    assert not is_revoked(feed, issued_at=now + 3)


def test_sign_out_everywhere_refuses_tokens_of_a_clock_that_is_ahead(feed, clock):
    now = int(timezone.now().timestamp())
    revocations.record_clock_skew(claims(issued_at=now + 30))
    assert not is_revoked(feed, issued_at=now + 30)
    revocations.revoke_user(pool_user())
    revocations.revoke_user(pool_user(ISSUER + "2"))
    clock.now += 1
    assert is_revoked(feed, issued_at=now + 30)
    assert not is_revoked(feed, issued_at=now + 34)
    assert not is_revoked(feed, issued_at=now + 30, issuer=ISSUER + "2")


def test_sign_out_everywhere_refuses_tokens_of_the_same_second(feed):
    """Two synchronized clocks can still differ by one second."""
    revocations.revoke_user(pool_user())
    assert is_revoked(feed, issued_at=int(timezone.now().timestamp()) + 1)


@pytest.mark.parametrize("other", [{"subject": "ADA-SUB"}, {"issuer": ISSUER + "2"}])
def test_tokens_of_other_users_stay_valid(feed, other):
    revocations.revoke_user(pool_user())
    assert not is_revoked(feed, **other)


def test_earlier_sign_out_does_not_replace_a_later_one(feed):
    revocations.revoke_user(pool_user())
    earlier = Revocation.objects.create(
        kind=Revocation.Kind.USER,
        issuer=ISSUER,
        subject="ada-sub",
        not_before=1,
        expires_at=timezone.now() + timedelta(hours=1),
    )
    assert earlier.pk
    assert is_revoked(feed)


def test_check_between_two_reads_makes_no_query(feed, clock, django_assert_num_queries):
    with django_assert_num_queries(2):  # the full lists: revocations and deactivated users
        feed.check(claims())
    with django_assert_num_queries(0):
        for _ in range(100):
            feed.check(claims())
        clock.now += revocation_feed.READ_INTERVAL - 0.001
        feed.check(claims())
    clock.now += 0.001
    with django_assert_num_queries(1):
        feed.check(claims())
        feed.check(claims())


def test_new_revocation_applies_within_a_second(feed, clock):
    assert not is_revoked(feed)
    revocations.revoke_sign_in("origin-1")
    clock.now += 0.999
    assert not is_revoked(feed)
    clock.now += 0.001
    assert is_revoked(feed)


def test_revocation_committed_late_is_read(feed, clock):
    """A transaction can write a row long before it commits."""
    assert not is_revoked(feed)
    clock.now += 30
    assert not is_revoked(feed)
    revocation = Revocation.objects.create(
        kind="sign_in", token_id="origin-1", expires_at=timezone.now() + timedelta(hours=1)
    )
    committed = Revocation.objects.filter(pk=revocation.pk)
    committed.update(at=timezone.now() - timedelta(seconds=90))
    clock.now += 1
    assert is_revoked(feed)


@pytest.mark.parametrize("idle", [59, 61, 130, 200, 299])
def test_idle_process_reads_the_revocations_it_missed(feed, clock, idle):
    """The sign-out happened just after this process read the list, and the next call is now."""
    assert not is_revoked(feed)
    revocations.revoke_sign_in("origin-1")
    Revocation.objects.update(at=timezone.now() - timedelta(seconds=idle))
    clock.now += idle + 1
    assert is_revoked(feed)


def test_expired_revocations_are_dropped(feed, clock):
    revocations.revoke_sign_in("origin-1")
    assert is_revoked(feed)
    Revocation.objects.update(
        expires_at=timezone.now() - timedelta(seconds=5), at=timezone.now() - timedelta(days=1)
    )
    clock.now += revocation_feed.FULL_READ_INTERVAL
    assert not is_revoked(feed)


def test_revocation_is_stored_longer_than_a_token_is_valid(settings):
    settings.COGNITO = settings.COGNITO | {"LIMITS": {"access_token": 7200}}
    revocations.revoke_sign_in("origin-1")
    lifetime = Revocation.objects.get().expires_at - timezone.now()
    # Longer than the token, because the pool's clock can be a minute ahead of this server's.
    assert timedelta(seconds=7310) < lifetime <= timedelta(seconds=7320)


def test_deactivation_and_reactivation_are_applied_in_order(feed, clock):
    feed.check(claims())
    for deactivated in (True, False, True):
        revocations.set_deactivated(pool_user(), deactivated=deactivated)
        clock.now += 1
        assert is_revoked(feed) is deactivated


def test_deactivated_user_stays_refused_while_changes_are_applied_again(feed, clock, monkeypatch):
    """Each read applies the changes of the last two minutes again, in their order."""
    assert not is_revoked(feed)
    for deactivated in (True, False, True):
        revocations.set_deactivated(pool_user(), deactivated=deactivated)
    clock.now += 1
    assert is_revoked(feed)
    states = []
    learn = revocation_feed.RevokedTokens.apply

    def learn_and_check(tokens, *values):
        learn(tokens, *values)
        states.append(("eu-west-1_Test", "ada-sub") in feed._known.deactivated)

    monkeypatch.setattr(revocation_feed.RevokedTokens, "apply", learn_and_check)
    clock.now += 1
    assert is_revoked(feed)
    assert states == [True, True, True]


def test_deactivation_by_bulk_update_applies_at_the_next_full_read(feed, clock):
    user = User.objects.create_user("person-1")
    Identity.objects.create(user=user, issuer=ISSUER, subject="ada-sub")
    assert not is_revoked(feed)
    User.objects.update(is_active=False)
    clock.now += revocation_feed.FULL_READ_INTERVAL
    assert is_revoked(feed)
    User.objects.update(is_active=True)
    clock.now += revocation_feed.FULL_READ_INTERVAL
    assert not is_revoked(feed)


@pytest.fixture(params=[DatabaseError, InterfaceError])
def outage(request) -> Iterator[dict[str, Any]]:
    """A switch for the database: while it is down, each query fails and is counted."""
    outage = {"is_down": False, "queries": 0, "wait": lambda: None}

    def execute(run, sql, params, many, context):
        if outage["is_down"]:
            outage["queries"] += 1
            outage["wait"]()
            raise request.param("the database is down")
        return run(sql, params, many, context)

    with connection.execute_wrapper(execute):
        yield outage


def test_feed_that_is_unreadable_for_ten_seconds_raises_unavailable(feed, clock, outage):
    revocations.revoke_sign_in("ended")
    feed.check(claims())
    outage["is_down"] = True
    clock.now += 9.9
    feed.check(claims())
    assert is_revoked(feed, origin_jti="ended")  # the revocations in memory still apply
    clock.now += 0.1
    with pytest.raises(RevocationsUnavailable) as caught:
        feed.check(claims())
    assert isinstance(caught.value, CognitoUnavailable)
    assert caught.value.retry_after == revocation_feed.READ_INTERVAL
    outage["is_down"] = False
    clock.now += 1
    feed.check(claims())


def test_feed_that_was_never_read_raises_unavailable(feed, outage):
    outage["is_down"] = True
    with pytest.raises(RevocationsUnavailable):
        feed.check(claims())


def test_failing_database_is_queried_once_a_second(feed, clock, outage):
    feed.check(claims())
    outage["is_down"] = True
    clock.now += 1
    for _ in range(5):
        feed.check(claims())
    assert outage["queries"] == 1


def test_threads_that_waited_for_a_slow_database_do_not_wait_again(feed, clock, outage):
    feed.check(claims())
    outage["is_down"], outage["wait"] = True, lambda: setattr(clock, "now", clock.now + 5)
    clock.now += 1
    for _ in range(5):  # like threads that waited for the lock
        feed.check(claims())
    assert outage["queries"] == 1


@pytest.fixture
def clean_shared_cache(settings, no_shared_cache):
    settings.COGNITO = {**settings.COGNITO, "SHARED_CACHE": "default"}
    caches["default"].clear()
    yield
    caches["default"].clear()


@pytest.fixture
def locmem_cache(clean_shared_cache, settings):
    """A shared cache whose entries the test can read and replace."""
    backend = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "revocations"}}
    caches["default"].clear()


def test_one_process_reads_for_all_processes(clean_shared_cache, clock, django_assert_num_queries):
    first, second = RevocationFeed(clock=clock), RevocationFeed(clock=clock)
    first.check(claims())
    second.check(claims())
    revocations.revoke_sign_in("origin-1")
    clock.now += 1
    with django_assert_num_queries(1):
        assert is_revoked(first)
        assert is_revoked(second)


def test_shared_entry_is_always_less_than_a_second_old(clean_shared_cache):
    assert (
        revocation_feed.POLL_INTERVAL + revocation_feed.SHARED_FOR < revocation_feed.READ_INTERVAL
    )


def shared_entry():
    """Return the key and the sealed value of the entry in the shared cache."""
    stored_key = next(
        key for key in caches["default"]._cache if key.endswith(revocation_feed._SHARED_KEY)
    )
    key = stored_key[stored_key.index("sso:") :]
    return key, caches["default"].get(key)


def test_replayed_cache_entry_hides_no_newer_revocation(locmem_cache, feed, clock):
    feed.check(claims())
    clock.now += 1
    feed.check(claims())  # reads the new revocations and shares them
    key, sealed = shared_entry()
    revocations.revoke_sign_in("origin-1")
    wall = time.time()
    with pytest.MonkeyPatch.context() as patch:
        # An attacker writes the old entry again, without an expiry.
        patch.setattr(shared_cache, "_wall_clock", lambda: wall + clock.now)
        caches["default"].set(key, sealed, None)
        clock.now += 1
        assert is_revoked(feed)


def test_age_of_a_shared_entry_counts_from_the_start_of_the_query(
    locmem_cache, feed, clock, monkeypatch
):
    feed.check(claims())
    times = iter([100.0, 100.0 + revocation_feed.SHARED_FOR])
    monkeypatch.setattr(revocation_feed, "time", SimpleNamespace(monotonic=lambda: next(times)))
    clock.now += 1
    feed.check(claims())
    assert not caches["default"]._cache


@pytest.mark.parametrize(
    "value",
    [
        {"at": 0, "rows": []},
        [1, 2],
        [[]],
        "text",
        7,
        [["sign-in", "x", "", ""]],
        [["sign-in", "x", "", "", "0"]],
        [["sign-in", ["x"], "", "", 0]],
        [["sign-in", "x", "", "", True]],
    ],
)
def test_malformed_cache_entry_is_ignored(locmem_cache, feed, clock, value):
    """Even if this site sealed the entry: another release can share values of another form."""
    feed.check(claims())
    shared_cache.set(revocation_feed._SHARED_KEY, value, seconds=revocation_feed.SHARED_FOR)
    revocations.revoke_sign_in("origin-1")
    clock.now += 1
    assert is_revoked(feed)


@pytest.mark.parametrize("value", ["text", 7, [1, 2], {"at": 9e9, "rows": []}, ""])
def test_unsealed_cache_entry_is_ignored(locmem_cache, feed, clock, value):
    feed.check(claims())
    clock.now += 1
    feed.check(claims())
    caches["default"].set(shared_entry()[0], value, None)
    revocations.revoke_sign_in("origin-1")
    clock.now += 1
    assert is_revoked(feed)


def test_cache_entry_of_another_site_is_ignored(clean_shared_cache, feed, clock, settings):
    """Two sites can share one cache."""
    feed.check(claims())
    own_settings = settings.COGNITO
    settings.COGNITO = {**own_settings, "PUBLIC_URL": "https://another.example"}
    shared_cache.set(revocation_feed._SHARED_KEY, [], seconds=revocation_feed.SHARED_FOR)
    settings.COGNITO = own_settings
    revocations.revoke_sign_in("origin-1")
    clock.now += 1
    assert is_revoked(feed)
