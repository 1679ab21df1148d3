"""Concurrent sign-ins all succeed, on SQLite too."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from accounts.models import Identity, SignIn, User

pytestmark = pytest.mark.django_db(transaction=True)

SIGN_INS, THREADS = 64, 16


def test_64_sign_ins_by_16_threads_all_succeed(new_visitor):
    visitors = [new_visitor() for _ in range(SIGN_INS)]
    people = ["ada", "grace", "linus"]

    def sign_in(number):
        return visitors[number].sign_in(people[number % 3]).headers.get("Location")

    with ThreadPoolExecutor(THREADS) as threads:
        arrived = list(threads.map(sign_in, range(SIGN_INS)))
    assert arrived == ["/dashboard/"] * SIGN_INS
    # No user was created twice by concurrent first sign-ins.
    assert User.objects.count() == Identity.objects.count() == 3
    assert SignIn.objects.live().count() == SIGN_INS
