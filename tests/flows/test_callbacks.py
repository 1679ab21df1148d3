"""Callbacks that arrive twice or without a state, and sessions that do not come back."""

import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urljoin

import pytest
import requests

from accounts.models import SignIn
from tests.flows.conftest import live_sign_ins, query_of
from tests.flows.sessions.conftest import let_pass

pytestmark = pytest.mark.django_db(transaction=True)


def copied_cookies(visitor):
    jar = requests.cookies.RequestsCookieJar()
    jar.update(visitor.http.cookies)
    return jar


def call(callback, jar):
    return requests.get(callback, cookies=jar, allow_redirects=False, timeout=60)


def exchanges(pool):
    return pool.counts()["token:authorization_code"]


def follow(visitor, path, *, lose=None, change=str, hops=30):
    """Follow redirects, signing in at the pool, and return the last response.

    Before each request the browser loses the cookie `lose`, or all if it is "". `change` is
    applied to the URL of each callback.
    """
    url = urljoin(visitor.site, path)
    for _ in range(hops):
        if lose:
            visitor.http.cookies.pop(lose, None)
        elif lose is not None:
            visitor.http.cookies.clear()
        response = visitor.get(url)
        if not response.is_redirect:
            return response
        url = urljoin(url, response.headers["Location"])
        if url.startswith(visitor.pool.url):
            url = change(visitor.callback(url, "linus"))
    raise AssertionError("a circle")


def without_state(callback):
    return re.sub(r"[?&]state=[^&]+", "", callback).replace("/signin&", "/signin?")


def test_callback_whose_first_response_was_lost_signs_in(visitor):
    callback = visitor.callback(visitor.start("/profile/"), "linus")
    lost = call(callback, copied_cookies(visitor))
    assert lost.headers["Location"] == "/profile/"
    response = visitor.get(callback)
    assert response.headers["Location"] == "/profile/"
    assert visitor.is_signed_in
    assert (live_sign_ins(), exchanges(visitor.pool)) == (1, 1)
    visitor.sign_out()
    assert live_sign_ins() == 0
    assert visitor.get(callback).headers["Location"].startswith(visitor.pool.url)


def test_callbacks_at_the_same_moment_all_lead_to_the_page(visitor):
    callback = visitor.callback(visitor.start("/profile/"), "linus")
    jar = copied_cookies(visitor)
    with ThreadPoolExecutor(4) as threads:
        responses = list(threads.map(lambda _: call(callback, jar), range(4)))
    assert [response.headers["Location"] for response in responses] == ["/profile/"] * 4
    assert (live_sign_ins(), exchanges(visitor.pool)) == (1, 1)
    for response in responses:
        page = requests.get(f"{visitor.site}/profile/", cookies=response.cookies, timeout=60)
        assert "Linus" in page.text


@pytest.mark.parametrize("change", ["ended", "old", "deactivated", "other browser"])
def test_repeated_callback_does_not_attach_any_other_sign_in(visitor, new_visitor, change):
    callback = visitor.callback(visitor.start("/profile/"), "linus")
    call(callback, copied_cookies(visitor))
    sign_in = SignIn.objects.get()
    if change == "ended":
        SignIn.objects.update(ended_at=sign_in.signed_in_at)
    elif change == "old":
        let_pass()
        SignIn.objects.update(signed_in_at="2020-01-01T00:00Z")
    elif change == "deactivated":
        type(sign_in.user).objects.update(is_active=False)
    repeating = new_visitor() if change == "other browser" else visitor
    response = repeating.get(callback)
    assert response.headers["Location"].startswith(visitor.pool.url)
    assert not repeating.is_signed_in


def test_callback_without_a_state_works_once(visitor):
    """A sign-in that began at the identity provider has no state."""
    callback = without_state(visitor.callback(visitor.start("/profile/"), "linus"))
    visitor.http.cookies.clear(domain="localhost.local")
    assert follow(visitor, callback).url.endswith("/dashboard/")
    assert visitor.is_signed_in


@pytest.mark.parametrize("lose", [None, ""], ids=["cookies", "no cookies"])
@pytest.mark.parametrize("has_code", [True, False])
def test_callback_that_never_has_a_state_ends_on_a_page(visitor, has_code, lose):
    def change(callback):
        callback = without_state(callback)
        return callback if has_code else re.sub("code=[^&]+", "error=server_error", callback)

    response = follow(visitor, "/profile/", lose=lose, change=change, hops=9)
    assert response.status_code == 400
    assert "allow cookies" in response.text


def test_session_cookie_that_never_comes_back_ends_on_a_page(visitor):
    response = follow(visitor, "/profile/", lose="sessionid")
    assert response.status_code == 400
    assert "Allow cookies for this site" in response.text
    assert exchanges(visitor.pool) == 3
    assert visitor.get("/profile/").is_redirect


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SESSION_COOKIE_SAMESITE", "Strict"),
        ("SESSION_COOKIE_DOMAIN", "other.example"),
        ("SESSION_COOKIE_PATH", "/elsewhere/"),
    ],
)
def test_setting_that_loses_the_session_cookie_is_logged(visitor, settings, caplog, name, value):
    setattr(settings, name, value)
    response = follow(visitor, "/profile/", lose="sessionid")
    assert response.status_code == 503
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert any(name in record.getMessage() for record in errors)
    assert 'href="/profile/"' in response.text


def test_signing_out_and_in_again_and_again_is_not_a_circle(visitor):
    for _ in range(5):
        assert visitor.sign_in("linus", "/profile/").headers["Location"] == "/profile/"
        visitor.sign_out()
    assert query_of(visitor.start("/profile/"))["state"]
