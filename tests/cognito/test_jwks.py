"""Valid keys, and the key store with rotation, failures, concurrency and forks."""

import base64
import json
import logging
import os
import threading
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from accounts.cognito.errors import CognitoUnavailable, UnknownKey
from accounts.cognito.jwks import KeyStore, parse_key_set
from tests.cognito.keys import (
    ACCESS_KEY_ID,
    ID_KEY_ID,
    REMOVED,
    base64url,
    jwk,
    key_set,
    number,
    private_key,
)

GOOD = jwk(ID_KEY_ID)


def test_key_set_as_cognito_publishes_it_is_read():
    keys = parse_key_set(key_set())
    assert set(keys) == {ACCESS_KEY_ID, ID_KEY_ID}
    assert keys[ACCESS_KEY_ID] == private_key(ACCESS_KEY_ID).public_key()


def test_key_set_cannot_be_changed():
    with pytest.raises(TypeError):
        parse_key_set(key_set())["mine"] = private_key("another").public_key()


def test_unknown_members_are_ignored():
    assert set(parse_key_set(key_set(jwk(x5t="abc", future=[1]), GOOD))) == {
        ACCESS_KEY_ID,
        ID_KEY_ID,
    }


def _weak(bits, exponent=65537):
    return jwk("weak", private_key(f"weak{bits}-{exponent}", bits, exponent))


@pytest.mark.parametrize(
    "member",
    [
        jwk(use="enc"),
        jwk(use=REMOVED),
        jwk(alg="RS512"),
        jwk(alg=REMOVED),
        jwk(kty="EC"),
        jwk(kty=REMOVED),
        jwk(kid=REMOVED),
        jwk(kid=""),
        jwk(kid=7),
        jwk(kid=["a"]),
        jwk(n=REMOVED),
        jwk(e=REMOVED),
        jwk(n=7),
        jwk(n=""),
        jwk(n="not base64!"),
        jwk(n=jwk()["n"] + "!"),
        jwk(e="AQ\nAB"),
        jwk(n="A"),
        jwk(n=number(2**2048)),  # even
        jwk(n=number(2**9000 + 1)),  # unusually large: each verification would be expensive
        jwk(e=number(65538)),  # even
        jwk(e=number(2**32 + 1)),
        jwk(e=number(1)),
        _weak(1024),
        _weak(2048, exponent=3),
        {"kty": "oct", "kid": "s", "use": "sig", "alg": "RS256", "k": base64url(b"secret")},
        {"kty": "oct", "kid": "s", "use": "sig", "alg": "HS256", "k": base64url(b"secret")},
        "a string",
        None,
        [],
    ],
)
def test_unusable_key_is_left_out(member):
    assert set(parse_key_set(key_set(member, GOOD))) == {ID_KEY_ID}


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": "abc"}',
        b'{"keys": []}',
        b'{"keys": [null]}',
        b"\xff",
        b"[" * 100_000,
        key_set(_weak(1024)),
    ],
)
@pytest.mark.usefixtures("no_garbage_collection")
def test_key_set_without_a_usable_key_is_refused(document):
    with pytest.raises(CognitoUnavailable, match="key set"):
        parse_key_set(document)


def test_one_key_listed_twice_is_one_key():
    assert set(parse_key_set(key_set(GOOD, GOOD))) == {ID_KEY_ID}


def test_two_keys_of_one_name_are_both_left_out():
    double = jwk(ACCESS_KEY_ID, private_key("another"))
    assert set(parse_key_set(key_set(jwk(), double, GOOD))) == {ID_KEY_ID}
    with pytest.raises(CognitoUnavailable):
        parse_key_set(key_set(jwk(), double))


def test_number_of_keys_is_limited():
    many = [jwk(str(index), private_key(ID_KEY_ID)) for index in range(100)]
    assert len(parse_key_set(key_set(*many))) == 64


def test_key_of_another_curve_published_as_rsa_is_left_out():
    point = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    member = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "e", "x": number(point.x)}
    assert set(parse_key_set(key_set(member, GOOD))) == {ID_KEY_ID}


class Source:
    """A fake download with a given result, which counts calls and can be paused."""

    def __init__(self, *members):
        self.members = members
        self.failure = None
        self.calls = 0
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Event()

    def __call__(self):
        self.calls += 1
        self.begun.set()
        assert self.gate.wait(10)
        if self.failure:
            raise self.failure
        return key_set(*self.members)


@pytest.fixture
def source():
    return Source(jwk(ACCESS_KEY_ID), jwk(ID_KEY_ID))


@pytest.fixture
def store(source, clock):
    return KeyStore(source, clock=clock, in_background=lambda work: work())


def in_threads(count, work):
    """Run work in several threads, and return their results and exceptions."""
    outcomes = []

    def run():
        try:
            outcomes.append(work())
        except Exception as error:
            outcomes.append(error)

    threads = [threading.Thread(target=run, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads, outcomes


def join(threads):
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def test_keys_are_fetched_once_and_then_kept(store, source, clock):
    assert store.age is None
    for _ in range(5):
        assert store.key(ACCESS_KEY_ID) == private_key(ACCESS_KEY_ID).public_key()
        assert store.key(ID_KEY_ID)
    assert source.calls == 1
    assert store.document == key_set()
    clock.forward(3599)
    store.key(ACCESS_KEY_ID)
    assert (source.calls, store.age) == (1, 3599)


def test_stale_keys_are_renewed_and_a_withdrawn_one_is_dropped(store, source, clock):
    store.key(ACCESS_KEY_ID)
    source.members = [jwk(ID_KEY_ID)]
    clock.forward(3600)
    assert store.key(ACCESS_KEY_ID)  # still returned during the renewal
    assert (source.calls, store.age) == (2, 0)
    with pytest.raises(UnknownKey):
        store.key(ACCESS_KEY_ID)


def test_rotated_key_is_found_at_once(store, source):
    store.key(ACCESS_KEY_ID)
    source.members = [*source.members, jwk("rotated")]
    assert store.key("rotated") == private_key("rotated").public_key()
    assert source.calls == 2


def test_unknown_key_ids_cost_one_download_per_cooldown(store, source, clock):
    store.key(ACCESS_KEY_ID)
    for round_ in range(1, 4):
        for index in range(200):
            with pytest.raises(UnknownKey):
                store.key(f"unknown-{index}")
        assert source.calls == 1 + round_
        clock.forward(10)


def test_cold_store_downloads_once_for_unknown_keys(store, source):
    for index in range(200):
        with pytest.raises(UnknownKey):
            store.key(f"unknown-{index}")
    assert source.calls == 1
    assert store.key(ACCESS_KEY_ID)


def test_200_threads_with_unknown_keys_cause_one_download(clock, source):
    store = KeyStore(source, clock=clock)
    source.gate.clear()
    names = iter(f"unknown-{index}" for index in range(200))
    threads, outcomes = in_threads(200, lambda: store.key(next(names)))
    assert source.begun.wait(10)
    source.gate.set()
    join(threads)
    assert source.calls == 1
    assert {type(outcome) for outcome in outcomes} == {UnknownKey}
    assert len(outcomes) == 200


def test_threads_of_a_cold_store_share_one_download(clock, source):
    store = KeyStore(source, clock=clock)
    source.gate.clear()
    threads, outcomes = in_threads(20, lambda: store.key(ACCESS_KEY_ID))
    assert source.begun.wait(10)
    source.gate.set()
    join(threads)
    assert source.calls == 1
    assert outcomes == [private_key(ACCESS_KEY_ID).public_key()] * 20


def test_slow_download_holds_up_no_more_threads_than_may_wait(clock, source):
    store = KeyStore(source, clock=clock, max_waiting=2)
    source.gate.clear()
    first, key = in_threads(1, lambda: store.key(ACCESS_KEY_ID))
    assert source.begun.wait(10)
    crowd, outcomes = in_threads(6, lambda: store.key(ACCESS_KEY_ID))
    ends_at = time.monotonic() + 10
    while len(outcomes) < 4 and time.monotonic() < ends_at:
        time.sleep(0.02)
    assert [type(outcome) for outcome in outcomes] == [CognitoUnavailable] * 4
    assert {outcome.retry_after for outcome in outcomes} == {1.0}
    source.gate.set()
    join([*first, *crowd])
    assert source.calls == 1
    assert key == outcomes[4:5] == outcomes[5:] == [private_key(ACCESS_KEY_ID).public_key()]


class Slots(threading.BoundedSemaphore):
    """A semaphore that sets `taken` when a thread starts to wait for a download."""

    def __init__(self, value):
        super().__init__(value)
        self.taken = threading.Event()

    def acquire(self, *args, **kwargs):
        acquired = super().acquire(*args, **kwargs)
        if acquired:
            self.taken.set()
        return acquired


def test_slot_to_wait_is_free_again_after_each_download(clock, source):
    store = KeyStore(source, clock=clock, max_waiting=1)
    store._slots = Slots(1)
    for name in (ACCESS_KEY_ID, "rotated", "rotated again"):
        source.members = [*source.members, jwk(name)]
        source.gate.clear()
        source.begun.clear()
        store._slots.taken.clear()
        first, _ = in_threads(1, store.load)
        assert source.begun.wait(10)
        second, outcomes = in_threads(1, lambda name=name: store.key(name))
        assert store._slots.taken.wait(10)
        source.gate.set()
        join([*first, *second])
        assert outcomes == [private_key(name).public_key()]


def test_unknown_key_during_the_cooldown_waits_for_a_download_that_runs(clock, source):
    """The download may contain the key: a rotation must not reject good tokens for ten seconds."""
    work = []
    store = KeyStore(source, clock=clock, fresh_seconds=5, in_background=work.append)
    store._slots = Slots(1)
    with pytest.raises(UnknownKey):
        store.key("rotated")
    source.members = [*source.members, jwk("rotated")]
    clock.forward(5)
    with pytest.raises(UnknownKey):
        store.key("rotated")  # the cooldown, and nothing runs
    store.key(ACCESS_KEY_ID)  # stale, so a renewal begins
    waiting, outcomes = in_threads(1, lambda: store.key("rotated"))
    assert store._slots.taken.wait(10)
    work.pop()()
    join(waiting)
    assert outcomes == [private_key("rotated").public_key()]
    assert source.calls == 2


def test_slow_download_does_not_hold_up_known_keys(clock, source):
    store = KeyStore(source, clock=clock)
    store.key(ACCESS_KEY_ID)
    source.gate.clear()
    source.begun.clear()
    searching, outcomes = in_threads(1, lambda: store.key("unknown"))
    assert source.begun.wait(10)
    clock.forward(7200)  # stale as well
    for _ in range(100):
        assert store.key(ID_KEY_ID)
    assert outcomes == []  # the download is still running
    source.gate.set()
    join(searching)
    assert source.calls == 2
    assert isinstance(outcomes[0], UnknownKey)


def test_stale_keys_are_renewed_in_the_background(clock, source):
    store = KeyStore(source, clock=clock)
    store.key(ACCESS_KEY_ID)
    source.gate.clear()
    source.begun.clear()
    clock.forward(3600)
    assert store.key(ACCESS_KEY_ID)  # returns although the download is paused
    assert source.begun.wait(10)
    source.gate.set()
    store.load()  # joins it, or comes after it
    assert store.age == 0


def test_overtaken_lookup_uses_the_loaded_keys(store, source):
    store.key(ACCESS_KEY_ID)
    assert store._search(ID_KEY_ID) == private_key(ID_KEY_ID).public_key()
    assert source.calls == 1


def test_renewal_that_was_overtaken_is_not_repeated(store, source):
    store.key(ACCESS_KEY_ID)
    store._renew()
    assert source.calls == 1


@pytest.mark.parametrize("failure", [CognitoUnavailable("down"), OSError("broken"), KeyError("x")])
def test_failed_renewal_leaves_the_last_good_keys(store, source, clock, failure, caplog):
    store.key(ACCESS_KEY_ID)
    good = store.document
    source.failure = failure
    clock.forward(3600)
    for _ in range(50):
        assert store.key(ACCESS_KEY_ID)
    assert (source.calls, store.age) == (2, 3600)
    assert store.document == good
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    clock.forward(10)  # retried after a pause, not for every request
    store.key(ACCESS_KEY_ID)
    assert source.calls == 3
    source.failure = None
    clock.forward(10)
    store.key(ACCESS_KEY_ID)
    assert store.age == 0


@pytest.mark.parametrize("members", [[], [_weak(1024)], ["nonsense"]])
def test_broken_key_set_never_replaces_a_good_one(store, source, clock, members):
    store.key(ACCESS_KEY_ID)
    source.members = members or [None]
    clock.forward(3600)
    assert store.key(ACCESS_KEY_ID)
    assert store.key(ID_KEY_ID)
    assert (source.calls, store.age) == (2, 3600)


def test_unknown_key_during_an_outage_does_not_reject_the_token(store, source, clock):
    store.key(ACCESS_KEY_ID)
    source.failure = CognitoUnavailable("down")
    with pytest.raises(CognitoUnavailable, match="cannot be downloaded") as refused:
        store.key("rotated")
    assert refused.value.retry_after == 10
    clock.forward(4)
    with pytest.raises(CognitoUnavailable) as refused:
        store.key("rotated")
    assert refused.value.retry_after == 6
    assert refused.value.__cause__ is source.failure
    assert source.calls == 2
    assert store.key(ACCESS_KEY_ID)


def test_cold_store_during_an_outage_recovers_after_the_cooldown(store, source, clock):
    source.failure = CognitoUnavailable("down")
    for _ in range(50):
        with pytest.raises(CognitoUnavailable):
            store.key(ACCESS_KEY_ID)
    assert source.calls == 1
    source.failure = None
    clock.forward(10)
    assert store.key(ACCESS_KEY_ID)


def test_load_warms_up_or_raises(store, source):
    store.load()
    assert store.age == 0
    source.failure = CognitoUnavailable("down")
    with pytest.raises(CognitoUnavailable):
        store.load()


def test_failed_load_is_not_repeated_by_requests_until_the_cooldown_ends(store, source, clock):
    source.failure = CognitoUnavailable("down")
    with pytest.raises(CognitoUnavailable) as refused:
        store.load()
    assert refused.value.retry_after == 10
    clock.forward(9.9)
    with pytest.raises(CognitoUnavailable):
        store.key(ACCESS_KEY_ID)
    assert source.calls == 1
    source.failure = None
    clock.forward(0.1)
    assert store.key(ACCESS_KEY_ID)
    assert source.calls == 2


def test_load_that_succeeds_starts_no_cooldown(store, source):
    store.load()
    source.members = [*source.members, jwk("rotated")]
    assert store.key("rotated")
    assert source.calls == 2


def test_snapshot_is_used_before_the_first_download(source, clock):
    snapshot = key_set(jwk(ACCESS_KEY_ID))
    work = []
    store = KeyStore(source, clock=clock, document=snapshot, in_background=work.append)
    assert store.key(ACCESS_KEY_ID)
    assert (source.calls, store.age, len(work)) == (0, None, 1)
    work.pop()()  # renewed in the background of the first request
    assert (source.calls, store.age) == (1, 0)
    assert store.key(ID_KEY_ID)
    assert json.loads(store.document)["keys"][0]["kid"] == ACCESS_KEY_ID


def test_snapshot_can_be_used_without_a_download_for_a_while(source, clock):
    work = []
    store = KeyStore(
        source,
        clock=clock,
        document=key_set(jwk(ACCESS_KEY_ID)),
        document_seconds=60,
        in_background=work.append,
    )
    clock.now += 59
    assert store.key(ACCESS_KEY_ID)
    assert work == []
    clock.now += 1
    assert store.key(ACCESS_KEY_ID)
    assert len(work) == 1


def test_broken_snapshot_is_refused_when_made(source):
    with pytest.raises(CognitoUnavailable):
        KeyStore(source, document=b"{}")


def test_renewal_runs_in_this_thread_when_no_other_can_be_started(source, clock):
    def no_thread(work):
        raise RuntimeError("can't start new thread")

    store = KeyStore(source, clock=clock, in_background=no_thread)
    store.key(ACCESS_KEY_ID)
    clock.forward(3600)
    assert store.key(ACCESS_KEY_ID)
    assert (source.calls, store.age) == (2, 0)


def test_killed_download_releases_waiting_threads(source, clock):
    class WorkerKilled(BaseException):
        pass

    store = KeyStore(source, clock=clock)
    source.failure = WorkerKilled()
    with pytest.raises(WorkerKilled):
        store.key(ACCESS_KEY_ID)
    source.failure = None
    clock.forward(10)
    assert store.key(ACCESS_KEY_ID)


def test_download_that_was_running_at_a_fork_is_not_waited_for(source, clock, monkeypatch):
    store = KeyStore(source, clock=clock)
    source.gate.clear()
    threads, _ = in_threads(1, lambda: store.key(ACCESS_KEY_ID))
    assert source.begun.wait(10)
    child, answered = Source(jwk(ACCESS_KEY_ID)), []
    monkeypatch.setattr(store, "_fetch", child)  # as the child process would fetch for itself
    monkeypatch.setattr(os, "getpid", lambda: -1)
    waiting, answered = in_threads(1, lambda: store.key(ACCESS_KEY_ID))
    join(waiting)
    assert answered == [private_key(ACCESS_KEY_ID).public_key()]
    assert child.calls == 1
    source.gate.set()
    join(threads)


def test_key_ids_are_compared_as_opaque_text(store):
    assert base64.b64decode(ACCESS_KEY_ID)
    with pytest.raises(UnknownKey):
        store.key(ACCESS_KEY_ID.rstrip("="))
    with pytest.raises(UnknownKey):
        store.key(ACCESS_KEY_ID.replace("+", "-").replace("/", "_"))
