from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from accounts.cognito.authorization import attempt_reference
from accounts.models import RateCounter
from accounts.signin import attempts


def request_with(jar):
    request = RequestFactory().get("/signin")
    request.COOKIES = dict(jar)
    return request


def store(jar, attempt):
    """Save `attempt` in a response, update `jar` as a browser does, and return the response."""
    response = HttpResponse()
    attempts.save(attempt, request_with(jar), response)
    for name, morsel in response.cookies.items():
        if morsel["max-age"] == 0:
            jar.pop(name, None)
        else:
            jar[name] = morsel.value
    return response


@pytest.mark.parametrize("page", ["", "/profile/", "/" + "x" * 239])
def test_attempt_is_loaded_by_its_state(page):
    jar = {}
    attempt = attempts.begin(page)
    store(jar, attempt)
    assert attempts.load(request_with(jar), attempt.state) == attempt


def test_attempt_is_not_loaded_in_another_browser():
    attempt = attempts.begin("/profile/")
    store({}, attempt)
    assert attempts.load(request_with({}), attempt.state) is None


def test_cookie_of_another_attempt_is_refused():
    jar = {}
    first, second = attempts.begin("/a/"), attempts.begin("/b/")
    store(jar, first)
    (first_name,) = jar
    store(jar, second)
    second_name = next(name for name in jar if name != first_name)
    jar[first_name] = jar[second_name]
    assert attempts.load(request_with(jar), first.state) is None


def test_cookie_is_encrypted_and_not_readable_by_scripts():
    jar = {}
    attempt = attempts.begin("/profile/")
    response = store(jar, attempt)
    (morsel,) = response.cookies.values()
    assert morsel["httponly"]
    assert morsel["samesite"] == "Lax"
    assert morsel["max-age"] == 600
    for secret in (attempt.state, attempt.nonce, attempt.code_verifier):
        assert secret not in morsel.OutputString()


def test_cookie_is_bound_to_host_and_scheme_on_https(settings):
    settings.SESSION_COOKIE_SECURE = True
    response = store({}, attempts.begin(""))
    (morsel,) = response.cookies.values()
    assert morsel.key.startswith("__Host-")
    assert morsel["secure"]
    assert morsel["path"] == "/"
    assert not morsel["domain"]


def test_eleventh_attempt_replaces_the_oldest(monkeypatch):
    jar, started = {}, []
    for second in range(11):
        monkeypatch.setattr(attempts.time, "time", lambda second=second: 1_000 + second)
        started.append(attempts.begin(f"/page-{second}/"))
        monkeypatch.undo()
        store(jar, started[-1])
    assert len(jar) == 10
    loaded = [attempts.load(request_with(jar), attempt.state) for attempt in started]
    assert loaded == [None, *started[1:]]


def test_unreadable_cookies_are_deleted_first():
    jar = {"signin_0123456789abcdef": "left over from another key"}
    for number in range(10):
        store(jar, attempts.begin(f"/page-{number}/"))
    assert "signin_0123456789abcdef" not in jar
    assert len(jar) == 10


def test_ten_attempts_with_long_pages_fit_the_headers_of_a_request():
    jar = {}
    for _ in range(10):
        store(jar, attempts.begin("/" + "x" * 3000))
    header = "; ".join(f"{name}={value}" for name, value in jar.items())
    assert len(header) < 5_000  # leaves room for the session cookie and others


def test_attempts_share_no_value():
    first, second = attempts.begin(""), attempts.begin("")
    values = [first.state, first.nonce, first.code_verifier]
    values += [second.state, second.nonce, second.code_verifier]
    assert len(set(values)) == 6
    assert all(len(value) >= 43 for value in values)


def test_repr_shows_no_secret():
    attempt = attempts.begin("")
    assert attempt.nonce not in repr(attempt)
    assert attempt.code_verifier not in repr(attempt)


def test_restarted_attempt_is_recognized_by_its_state():
    assert attempts.was_restarted(attempts.begin("", restarted=True).state)
    assert not attempts.was_restarted(attempts.begin("").state)


def test_reference_is_the_start_of_the_hash_of_the_state():
    attempt = attempts.begin("")
    assert attempt.reference == attempt_reference(attempt.state)
    assert len(attempt.reference) == 8


@pytest.mark.parametrize("age", [601, 3600])
def test_attempt_older_than_ten_minutes_is_not_loaded(monkeypatch, age):
    jar = {}
    attempt = attempts.begin("")
    store(jar, attempt)
    cipher = attempts.provider().cipher
    later = attempt.started_at + age
    monkeypatch.setattr(cipher, "_clock", lambda: later)
    assert attempts.load(request_with(jar), attempt.state) is None


@pytest.mark.django_db
def test_attempt_can_be_used_once():
    attempt, other = attempts.begin("/a/"), attempts.begin("/a/")
    assert not attempts.is_used(attempt)
    assert [attempts.use(attempt) for _ in range(3)] == [True, False, False]
    assert attempts.is_used(attempt)
    assert not attempts.is_used(other)


@pytest.mark.django_db
def test_record_of_a_used_attempt_outlives_the_cookie_and_hides_the_state():
    attempt = attempts.begin("/a/")
    started_at = timezone.now()
    attempts.use(attempt)
    counter = RateCounter.objects.get()
    assert counter.expires_at - started_at >= timedelta(seconds=attempts.MAX_AGE)
    assert attempt.state not in counter.key
