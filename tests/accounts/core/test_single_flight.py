"""One thread at a time for each key, and nobody waits for ever."""

import threading
import time

import pytest

from accounts.core import single_flight
from accounts.core.single_flight import turn


def together(number, work):
    threads = [threading.Thread(target=work, args=(each,)) for each in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def most_at_once(key_of):
    inside, most, lock = 0, 0, threading.Lock()

    def work(number):
        nonlocal inside, most
        with turn(key_of(number), seconds=20):
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.01)
            with lock:
                inside -= 1

    together(8, work)
    return most


def test_threads_with_one_key_enter_one_by_one():
    assert most_at_once(lambda number: "same") == 1


def test_threads_with_other_keys_do_not_wait_for_each_other():
    everybody = threading.Barrier(4, timeout=20)

    def work(number):
        with turn(number, seconds=20):
            everybody.wait()

    together(4, work)
    assert everybody.broken is False


def test_waiting_ends_even_if_nobody_leaves():
    entered = []
    with turn("held", seconds=20):
        together(1, lambda number: entered.append(enter()))
    assert entered == [True]


def enter():
    with turn("held", seconds=0.05):
        return True


def test_what_was_found_is_for_those_who_were_waiting():
    found, before = [], threading.active_count()

    def wait():
        with turn("sought", seconds=20) as mine:
            found.append(mine.found)

    with turn("sought", seconds=20) as mine:
        assert mine.found is None
        threads = [threading.Thread(target=wait) for _ in range(3)]
        for thread in threads:
            thread.start()
        while single_flight._queues["sought"].threads < 4:
            time.sleep(0.01)
        mine.leave("it")
        with turn("sought", seconds=0) as late:
            assert late.found is None
    for thread in threads:
        thread.join(20)
    assert found == ["it"] * 3
    assert threading.active_count() == before
    with turn("sought", seconds=20) as mine:
        assert mine.found is None


def test_error_inside_passes_the_turn_on_and_nothing_is_kept():
    with pytest.raises(ZeroDivisionError), turn("a", seconds=1):
        raise ZeroDivisionError
    with turn("a", seconds=0):
        assert "a" in single_flight._queues
    assert "a" not in single_flight._queues
