"""The secret is read again once for all threads, with a pause."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from accounts.cognito import client_secret
from accounts.cognito.client_secret import READ_PAUSE_SECONDS, ClientSecret
from accounts.cognito.errors import ClientRejected, CognitoUnavailable, ConfigurationError

FIRST, SECOND, THIRD = "the_first_secret", "the_second_secret", "the_third_secret"


class Source:
    """A source that returns or raises `current`, and counts the reads."""

    def __init__(self, current):
        self.current = current
        self.reads = 0
        self.time = 1000.0

    def read(self):
        self.reads += 1
        if isinstance(self.current, Exception):
            raise self.current
        return self.current

    def secret(self):
        return ClientSecret(FIRST, self.read, clock=lambda: self.time)


def replace(secret, value):
    return secret.replace(value, timeout=5)


def test_refused_secret_is_replaced_by_the_current_one():
    source = Source(SECOND)
    secret = source.secret()
    assert replace(secret, FIRST) == SECOND
    assert secret.value == SECOND


def test_thread_with_the_earlier_secret_gets_the_new_one_without_a_read():
    source = Source(SECOND)
    secret = source.secret()
    replace(secret, FIRST)
    assert replace(secret, FIRST) == SECOND
    assert source.reads == 1


def test_unchanged_secret_is_read_again_after_the_pause():
    source = Source(FIRST)
    secret = source.secret()
    assert replace(secret, FIRST) is None
    source.current, source.time = SECOND, source.time + READ_PAUSE_SECONDS - 0.1
    assert replace(secret, FIRST) is None
    assert source.reads == 1
    source.time += 0.1
    assert replace(secret, FIRST) == SECOND
    assert source.reads == 2


def test_second_rotation_is_read_after_the_pause_too():
    source = Source(SECOND)
    secret = source.secret()
    replace(secret, FIRST)
    source.current = THIRD
    assert replace(secret, SECOND) is None
    source.time += READ_PAUSE_SECONDS
    assert replace(secret, SECOND) == THIRD


def test_secret_without_a_source_never_changes():
    assert replace(ClientSecret(FIRST), FIRST) is None


def test_failed_read_keeps_the_secret_and_is_logged_once_in_a_pause(caplog):
    source = Source(ConfigurationError({"COGNITO_CLIENT_SECRET": "(/run/secret) cannot be read"}))
    secret = source.secret()
    for _ in range(3):
        assert replace(secret, FIRST) is None
    assert secret.value == FIRST
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert "COGNITO_CLIENT_SECRET (/run/secret) cannot be read" in record.getMessage()
    source.time += READ_PAUSE_SECONDS
    source.current = SECOND
    assert replace(secret, FIRST) == SECOND


def test_pause_starts_at_the_end_of_a_slow_read():
    source = Source(FIRST)

    def slow_read():
        source.time += 60
        return source.read()

    secret = ClientSecret(FIRST, slow_read, clock=lambda: source.time)
    assert replace(secret, FIRST) is None
    assert replace(secret, FIRST) is None
    assert source.reads == 1


def test_fifty_threads_read_the_source_once():
    source = Source(SECOND)
    secret = source.secret()
    start = threading.Barrier(50)

    def refuse(_):
        start.wait(10)
        return replace(secret, FIRST)

    with ThreadPoolExecutor(50) as threads:
        assert list(threads.map(refuse, range(50))) == [SECOND] * 50
    assert source.reads == 1


def test_thread_waits_for_another_ones_read_only_for_its_timeout():
    reading, finish = threading.Event(), threading.Event()

    def read():
        reading.set()
        assert finish.wait(10)
        return SECOND

    secret = ClientSecret(FIRST, read)
    with ThreadPoolExecutor(1) as threads:
        result = threads.submit(replace, secret, FIRST)
        assert reading.wait(10)
        assert secret.replace(FIRST, timeout=0.01) is None
        assert secret.replace(FIRST, timeout=-1) is None
        finish.set()
        assert result.result(10) == SECOND


@pytest.mark.parametrize("current", [FIRST, SECOND])
def test_call_without_time_for_the_read_is_unavailable(current):
    """The thread may have waited for another one, whose result it does not have."""
    source, calls = Source(current), []

    def slow_read():
        source.time += 60
        return source.read()

    def send(value, timeout):
        calls.append((value, timeout))
        raise ClientRejected("refused", error="invalid_client")

    secret = ClientSecret(FIRST, slow_read, clock=lambda: source.time)
    with pytest.raises(CognitoUnavailable, match="took too long"):
        secret.call(send, seconds=2)
    with pytest.raises(ClientRejected):
        secret.call(send, seconds=2)
    assert calls == [(FIRST, 2), (current, 2)]


@pytest.mark.parametrize("current", [SECOND, FIRST, ConfigurationError({"NAME": "is wrong"})])
def test_value_is_never_in_the_log_or_a_repr(caplog, current):
    caplog.set_level(logging.DEBUG, logger=client_secret.__name__)
    secret = Source(current).secret()
    replace(secret, FIRST)
    output = caplog.text + repr(secret) + str(secret)
    assert not any(value in output for value in (FIRST, SECOND))
