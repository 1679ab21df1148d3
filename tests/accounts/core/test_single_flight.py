"""One thread at a time for each key, with a time limit for those that wait."""

import threading
import time

import pytest

from accounts.core.single_flight import _queues, single_flight


def run_threads(count, work):
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def max_concurrency(key_of):
    inside, highest, lock = 0, 0, threading.Lock()

    def work(number):
        nonlocal inside, highest
        with single_flight(key_of(number), seconds=20):
            with lock:
                inside += 1
                highest = max(highest, inside)
            time.sleep(0.01)
            with lock:
                inside -= 1

    run_threads(8, work)
    return highest


def test_threads_with_the_same_key_run_one_at_a_time():
    assert max_concurrency(lambda number: "same") == 1


def test_threads_with_different_keys_do_not_wait_for_each_other():
    barrier = threading.Barrier(4, timeout=60)

    def work(number):
        with single_flight(number, seconds=20):
            barrier.wait()

    run_threads(4, work)
    assert barrier.broken is False


def test_wait_ends_after_the_time_limit():
    entered = []
    with single_flight("held", seconds=20):
        run_threads(1, lambda number: entered.append(enter()))
    assert entered == [True]


def enter():
    with single_flight("held", seconds=0.05):
        return True


def test_result_is_shared_only_with_threads_that_waited():
    results, threads_before = [], threading.active_count()

    def wait():
        with single_flight("sought", seconds=20) as flight:
            results.append(flight.result)

    with single_flight("sought", seconds=20) as flight:
        assert flight.result is None
        threads = [threading.Thread(target=wait) for _ in range(3)]
        for thread in threads:
            thread.start()
        while _queues["sought"].threads < 4:
            time.sleep(0.01)
        flight.publish("result")
        with single_flight("sought", seconds=0) as late:
            assert late.result is None
    for thread in threads:
        thread.join(20)
    assert results == ["result"] * 3
    assert threading.active_count() == threads_before
    with single_flight("sought", seconds=20) as flight:
        assert flight.result is None


def test_error_releases_the_key_and_leaves_no_queue():
    with pytest.raises(ZeroDivisionError), single_flight("a", seconds=1):
        raise ZeroDivisionError
    with single_flight("a", seconds=0):
        assert "a" in _queues
    assert "a" not in _queues
