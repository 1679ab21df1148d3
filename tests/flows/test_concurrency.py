"""Concurrent sign-ins all succeed, on SQLite too."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpResponse
from django.urls import include, path

from accounts.models import Identity, SignIn, User

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("patient_transport"),
]

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


def slow_note(request):
    """Change the session after another tab has signed in again."""
    old = SessionStore(request.session.session_key)
    request.session["note"] = "changed"
    old.delete()  # as `cycle_key()` of the other tab's sign-in does
    return HttpResponse("the work is done")


urlpatterns = [path("slow/", slow_note), path("", include("sso_project.urls"))]


def test_request_whose_session_was_replaced_gets_its_response(visitor, settings):
    settings.ROOT_URLCONF = __name__
    visitor.sign_in("linus")
    response = visitor.get("/slow/")
    assert (response.status_code, response.text) == (200, "the work is done")
