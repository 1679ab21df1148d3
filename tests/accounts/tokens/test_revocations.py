"""The feed of revoked tokens: in memory, read once a second, and never trusted when it is old."""

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
from accounts.models import Identity, Revocation, User
from accounts.problems.errors import RevocationsUnavailable
from accounts.provider.shared_cache import accelerator
from accounts.tokens import revocation_feed, revocations
from accounts.tokens.revocation_feed import RevocationFeed

pytestmark = pytest.mark.django_db

ISSUER = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Test"


@pytest.fixture(autouse=True)
def no_shared_cache(settings):
    """What one process does by itself; sharing is told in the tests at the end."""
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
    return AccessClaims(**(values | changes))


def refused(feed: RevocationFeed, **changes: object) -> bool:
    try:
        feed.check(claims(**changes))
    except TokenRevoked:
        return True
    return False


def test_unrevoked_token_passes(feed):
    assert not refused(feed)


@pytest.mark.parametrize("claim", ["origin_jti", "jti"])
def test_ended_sign_in_refuses_its_tokens(feed, claim):
    revocations.revoke_sign_in("gone")
    assert refused(feed, **{claim: "gone"})
    assert not refused(feed)


def test_token_without_ids_is_nobody_elses(feed):
    revocations.revoke_sign_in("")
    assert not refused(feed, origin_jti=None, jti=None)
    assert not Revocation.objects.exists()


def test_person_signed_out_everywhere_keeps_only_later_tokens(feed):
    now = int(timezone.now().timestamp())
    revocations.revoke_person(issuer=ISSUER, subject="ada-sub")
    assert refused(feed, issued_at=now)
    assert refused(feed, issued_at=now - 3600)
    assert not refused(feed, issued_at=now + 3)


def test_token_dated_by_a_clock_that_is_ahead_of_ours_does_not_outlive_the_cut(feed, clock):
    now = int(timezone.now().timestamp())
    revocations.compare_clocks(claims(issued_at=now + 30))
    assert not refused(feed, issued_at=now + 30)
    revocations.revoke_person(issuer=ISSUER, subject="ada-sub")
    revocations.revoke_person(issuer=ISSUER + "2", subject="ada-sub")
    clock.now += 1
    assert refused(feed, issued_at=now + 30)
    assert not refused(feed, issued_at=now + 34)
    assert not refused(feed, issued_at=now + 30, issuer=ISSUER + "2")


def test_token_of_this_very_second_does_not_outlive_the_cut(feed):
    """Two clocks that are kept in time may still disagree about which second it is."""
    revocations.revoke_person(issuer=ISSUER, subject="ada-sub")
    assert refused(feed, issued_at=int(timezone.now().timestamp()) + 1)


@pytest.mark.parametrize("other", [{"subject": "ADA-SUB"}, {"issuer": ISSUER + "2"}])
def test_other_people_are_left_alone(feed, other):
    revocations.revoke_person(issuer=ISSUER, subject="ada-sub")
    assert not refused(feed, **other)


def test_earlier_cut_does_not_move_a_later_one_back(feed):
    revocations.revoke_person(issuer=ISSUER, subject="ada-sub")
    earlier = Revocation.objects.create(
        kind=Revocation.Kind.USER,
        issuer=ISSUER,
        subject="ada-sub",
        not_before=1,
        expires_at=timezone.now() + timedelta(hours=1),
    )
    assert earlier.pk
    assert refused(feed)


def test_between_two_reads_a_check_costs_no_query(feed, clock, django_assert_num_queries):
    with django_assert_num_queries(2):  # everything, once: revocations and deactivated people
        feed.check(claims())
    with django_assert_num_queries(0):
        for _ in range(100):
            feed.check(claims())
        clock.now += revocation_feed.READ_EVERY - 0.001
        feed.check(claims())
    clock.now += 0.001
    with django_assert_num_queries(1):
        feed.check(claims())
        feed.check(claims())


def test_what_is_new_is_known_a_second_later(feed, clock):
    assert not refused(feed)
    revocations.revoke_sign_in("origin-1")
    clock.now += 0.999
    assert not refused(feed)
    clock.now += 0.001
    assert refused(feed)


def test_row_committed_late_is_still_seen(feed, clock):
    """A transaction may take a while between writing a row and making it visible."""
    assert not refused(feed)
    clock.now += 30
    assert not refused(feed)
    row = Revocation.objects.create(
        kind="sign_in", token_id="origin-1", expires_at=timezone.now() + timedelta(hours=1)
    )
    Revocation.objects.filter(pk=row.pk).update(at=timezone.now() - timedelta(seconds=90))
    clock.now += 1
    assert refused(feed)


@pytest.mark.parametrize("idle", [59, 61, 130, 200, 299])
def test_process_that_nobody_asked_for_a_while_has_missed_nothing(feed, clock, idle):
    """Signed out elsewhere just after this process read the list, and asked for only now."""
    assert not refused(feed)
    revocations.revoke_sign_in("origin-1")
    Revocation.objects.update(at=timezone.now() - timedelta(seconds=idle))
    clock.now += idle + 1
    assert refused(feed)


def test_expired_entries_are_forgotten(feed, clock):
    revocations.revoke_sign_in("origin-1")
    assert refused(feed)
    Revocation.objects.update(
        expires_at=timezone.now() - timedelta(seconds=5), at=timezone.now() - timedelta(days=1)
    )
    clock.now += revocation_feed.READ_ALL_EVERY
    assert not refused(feed)


def test_entries_live_as_long_as_such_a_token_could(settings):
    settings.COGNITO = settings.COGNITO | {"LIMITS": {"access_token": 7200}}
    revocations.revoke_sign_in("origin-1")
    left = Revocation.objects.get().expires_at - timezone.now()
    # And a little longer: the pool may date a token a minute ahead of this server's clock.
    assert timedelta(seconds=7310) < left <= timedelta(seconds=7320)


def test_deactivation_and_back_is_learned_in_order(feed, clock):
    feed.check(claims())
    for deactivated in (True, False, True):
        revocations.set_deactivated(issuer=ISSUER, subject="ada-sub", deactivated=deactivated)
        clock.now += 1
        assert refused(feed) is deactivated


def test_nobody_is_let_in_while_the_past_is_read_again(feed, clock, monkeypatch):
    """Each reading tells the last two minutes over again, from an older state to the newest."""
    assert not refused(feed)
    for deactivated in (True, False, True):
        revocations.set_deactivated(issuer=ISSUER, subject="ada-sub", deactivated=deactivated)
    clock.now += 1
    assert refused(feed)
    seen = []
    learn = revocation_feed._Known.learn

    def learn_and_look(known, *row):
        learn(known, *row)
        seen.append((ISSUER, "ada-sub") in feed._known.deactivated)

    monkeypatch.setattr(revocation_feed._Known, "learn", learn_and_look)
    clock.now += 1
    assert refused(feed)
    assert seen == [True, True, True]


def test_deactivation_by_bulk_update_is_seen_when_everything_is_read(feed, clock):
    user = User.objects.create_user("person-1")
    Identity.objects.create(user=user, issuer=ISSUER, subject="ada-sub")
    assert not refused(feed)
    User.objects.update(is_active=False)
    clock.now += revocation_feed.READ_ALL_EVERY
    assert refused(feed)
    User.objects.update(is_active=True)
    clock.now += revocation_feed.READ_ALL_EVERY
    assert not refused(feed)


@pytest.fixture(params=[DatabaseError, InterfaceError])
def unreadable(request) -> Iterator[dict[str, Any]]:
    """A database that can be switched off; every query then fails, and is counted."""
    switch = {"off": False, "asked": 0, "hangs": lambda: None}

    def execute(run, sql, params, many, context):
        if switch["off"]:
            switch["asked"] += 1
            switch["hangs"]()
            raise request.param("the database is away")
        return run(sql, params, many, context)

    with connection.execute_wrapper(execute):
        yield switch


def test_unreadable_feed_lets_nobody_in_after_ten_seconds(feed, clock, unreadable):
    revocations.revoke_sign_in("gone")
    feed.check(claims())
    unreadable["off"] = True
    clock.now += 9.9
    feed.check(claims())
    assert refused(feed, origin_jti="gone")  # what it knows still counts
    clock.now += 0.1
    with pytest.raises(RevocationsUnavailable) as caught:
        feed.check(claims())
    assert isinstance(caught.value, CognitoUnavailable)
    assert caught.value.retry_after == revocation_feed.READ_EVERY
    unreadable["off"] = False
    clock.now += 1
    feed.check(claims())


def test_feed_that_was_never_read_lets_nobody_in(feed, unreadable):
    unreadable["off"] = True
    with pytest.raises(RevocationsUnavailable):
        feed.check(claims())


def test_failing_database_is_asked_once_a_second(feed, clock, unreadable):
    feed.check(claims())
    unreadable["off"] = True
    clock.now += 1
    for _ in range(5):
        feed.check(claims())
    assert unreadable["asked"] == 1


def test_those_who_waited_for_a_database_that_hangs_do_not_wait_again(feed, clock, unreadable):
    feed.check(claims())
    unreadable["off"], unreadable["hangs"] = True, lambda: setattr(clock, "now", clock.now + 5)
    clock.now += 1
    for _ in range(5):  # as if they had queued for the lock
        feed.check(claims())
    assert unreadable["asked"] == 1


@pytest.fixture
def shared_cache(settings, no_shared_cache):
    settings.COGNITO = {**settings.COGNITO, "SHARED_CACHE": "default"}
    caches["default"].clear()
    yield
    caches["default"].clear()


@pytest.fixture
def locmem_cache(shared_cache, settings):
    """A shared cache whose entries the test can read and replace."""
    backend = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "revocations"}}
    caches["default"].clear()


def test_one_process_reads_for_all(shared_cache, clock, django_assert_num_queries):
    first, second = RevocationFeed(clock=clock), RevocationFeed(clock=clock)
    first.check(claims())
    second.check(claims())
    revocations.revoke_sign_in("origin-1")
    clock.now += 1
    with django_assert_num_queries(1):
        assert refused(first)
        assert refused(second)


def test_shared_reading_is_never_a_second_old(shared_cache):
    assert revocation_feed.LOOK_EVERY + revocation_feed.SHARED_FOR < revocation_feed.READ_EVERY


def shared_entry():
    """The name and the sealed rows in the shared cache."""
    stored = next(name for name in caches["default"]._cache if name.endswith(":revocations"))
    name = stored[stored.index("sso:") :]
    return name, caches["default"].get(name)


def test_captured_reading_hides_no_newer_revocation(locmem_cache, feed, clock):
    feed.check(claims())
    clock.now += 1
    feed.check(claims())  # reads what is new and shares it
    name, sealed = shared_entry()
    revocations.revoke_sign_in("origin-1")
    wall = time.time()
    with pytest.MonkeyPatch.context() as patch:
        # Written again and again, and without an end.
        patch.setattr(accelerator, "_wall_clock", lambda: wall + clock.now)
        caches["default"].set(name, sealed, None)
        clock.now += 1
        assert refused(feed)


def test_reading_of_a_slow_query_is_as_old_as_its_start(locmem_cache, feed, clock, monkeypatch):
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
def test_malformed_reading_counts_as_absent(locmem_cache, feed, clock, value):
    """Also one that this site sealed itself: another release may share other values."""
    feed.check(claims())
    accelerator.set("revocations", value, seconds=revocation_feed.SHARED_FOR)
    revocations.revoke_sign_in("origin-1")
    clock.now += 1
    assert refused(feed)


@pytest.mark.parametrize("value", ["text", 7, [1, 2], {"at": 9e9, "rows": []}, ""])
def test_unsealed_reading_counts_as_absent(locmem_cache, feed, clock, value):
    feed.check(claims())
    clock.now += 1
    feed.check(claims())
    caches["default"].set(shared_entry()[0], value, None)
    revocations.revoke_sign_in("origin-1")
    clock.now += 1
    assert refused(feed)


def test_another_sites_revocations_are_not_taken_for_ours(shared_cache, feed, clock, settings):
    """Two sites that share one cache."""
    feed.check(claims())
    ours = settings.COGNITO
    settings.COGNITO = {**ours, "PUBLIC_URL": "http://another.example"}
    accelerator.set("revocations", [], seconds=revocation_feed.SHARED_FOR)
    settings.COGNITO = ours
    revocations.revoke_sign_in("origin-1")
    clock.now += 1
    assert refused(feed)
