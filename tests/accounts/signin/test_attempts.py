from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from accounts.cognito.authorization import reference_of
from accounts.models import Tally
from accounts.signin import attempts


def request_with(jar):
    request = RequestFactory().get("/signin")
    request.COOKIES = dict(jar)
    return request


def keep(jar, attempt):
    """What a browser does with the cookies of an answer; returns the answer."""
    response = HttpResponse()
    attempts.save(attempt, request_with(jar), response)
    for name, morsel in response.cookies.items():
        if morsel["max-age"] == 0:
            jar.pop(name, None)
        else:
            jar[name] = morsel.value
    return response


def test_attempt_is_found_again_by_its_state():
    jar = {}
    attempt = attempts.begin("/profile/")
    keep(jar, attempt)
    assert attempts.load(request_with(jar), attempt.state) == attempt


def test_another_browser_does_not_find_it():
    attempt = attempts.begin("/profile/")
    keep({}, attempt)
    assert attempts.load(request_with({}), attempt.state) is None


def test_cookie_of_another_attempt_under_its_name_is_not_taken():
    jar = {}
    first, second = attempts.begin("/a/"), attempts.begin("/b/")
    keep(jar, first)
    (first_name,) = jar
    keep(jar, second)
    second_name = next(name for name in jar if name != first_name)
    jar[first_name] = jar[second_name]
    assert attempts.load(request_with(jar), first.state) is None


def test_cookie_is_encrypted_and_out_of_reach_of_scripts():
    jar = {}
    attempt = attempts.begin("/profile/")
    response = keep(jar, attempt)
    (morsel,) = response.cookies.values()
    assert morsel["httponly"]
    assert morsel["samesite"] == "Lax"
    assert morsel["max-age"] == 600
    for secret in (attempt.state, attempt.nonce, attempt.code_verifier):
        assert secret not in morsel.OutputString()


def test_on_https_the_cookie_is_bound_to_host_and_scheme(settings):
    settings.SESSION_COOKIE_SECURE = True
    response = keep({}, attempts.begin(""))
    (morsel,) = response.cookies.values()
    assert morsel.key.startswith("__Host-")
    assert morsel["secure"]
    assert morsel["path"] == "/"
    assert not morsel["domain"]


def test_eleventh_attempt_drops_the_oldest(monkeypatch):
    jar, begun = {}, []
    for second in range(11):
        monkeypatch.setattr(attempts.time, "time", lambda second=second: 1_000 + second)
        begun.append(attempts.begin(f"/page-{second}/"))
        monkeypatch.undo()
        keep(jar, begun[-1])
    assert len(jar) == 10
    found = [attempts.load(request_with(jar), attempt.state) for attempt in begun]
    assert found == [None, *begun[1:]]


def test_cookies_that_cannot_be_read_make_room_first():
    jar = {"signin_0123456789abcdef": "left over from another key"}
    kept = [attempts.begin(f"/page-{number}/") for number in range(10)]
    for attempt in kept:
        keep(jar, attempt)
    assert "signin_0123456789abcdef" not in jar
    assert len(jar) == 10


def test_ten_attempts_with_the_longest_pages_fit_the_headers_of_a_request():
    jar = {}
    for _ in range(10):
        keep(jar, attempts.begin("/" + "x" * (attempts.LONGEST_NEXT - 1)))
    header = "; ".join(f"{name}={value}" for name, value in jar.items())
    assert len(header) < 7_000  # leaves room for the session's and others' cookies


def test_page_that_is_too_long_is_forgotten():
    assert attempts.begin("/" + "x" * attempts.LONGEST_NEXT).next_url == ""


def test_attempts_share_nothing():
    first, second = attempts.begin(""), attempts.begin("")
    values = [first.state, first.nonce, first.code_verifier]
    values += [second.state, second.nonce, second.code_verifier]
    assert len(set(values)) == 6
    assert all(len(value) >= 43 for value in values)


def test_repr_shows_no_secret():
    attempt = attempts.begin("")
    assert attempt.nonce not in repr(attempt)
    assert attempt.code_verifier not in repr(attempt)


def test_restarted_attempt_is_known_by_its_state():
    assert attempts.was_restarted(attempts.begin("", restarted=True).state)
    assert not attempts.was_restarted(attempts.begin("").state)


def test_reference_is_the_start_of_the_hash_of_the_state():
    attempt = attempts.begin("")
    assert attempt.reference == reference_of(attempt.state)
    assert len(attempt.reference) == 8


@pytest.mark.parametrize("age", [601, 3600])
def test_attempt_older_than_ten_minutes_is_gone(monkeypatch, age):
    jar = {}
    attempt = attempts.begin("")
    keep(jar, attempt)
    cipher = attempts.provider().cipher
    later = attempt.started_at + age
    monkeypatch.setattr(cipher, "_clock", lambda: later)
    assert attempts.load(request_with(jar), attempt.state) is None


@pytest.mark.django_db
def test_attempt_is_used_once_whatever_its_cookie_says():
    attempt, other = attempts.begin("/a/"), attempts.begin("/a/")
    assert not attempts.is_used(attempt)
    assert [attempts.use(attempt) for _ in range(3)] == [True, False, False]
    assert attempts.is_used(attempt)
    assert not attempts.is_used(other)


@pytest.mark.django_db
def test_mark_outlives_the_cookie_and_names_no_state():
    attempt = attempts.begin("/a/")
    begun_at = timezone.now()
    attempts.use(attempt)
    mark = Tally.objects.get()
    assert mark.expires_at - begun_at >= timedelta(seconds=attempts.MAX_AGE)
    assert attempt.state not in mark.key
