"""Limits of callbacks, exchanges and refreshes by anonymous clients."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from accounts.models import RateCounter, RefreshResult, SignInEvent
from accounts.testing import mint_access_token
from tests.flows.conftest import live_sign_ins, query_of
from tests.flows.sessions.conftest import beyond_grace

pytestmark = pytest.mark.django_db(transaction=True)

STRANGER = "198.51.100.7"


@pytest.fixture
def tight(limit_failed_calls):
    limit_failed_calls(3)


@pytest.fixture
def from_address(settings):
    """A function that returns the headers of a client with this IP address."""
    settings.TRUSTED_PROXIES = ["127.0.0.1", "::1"]
    return lambda address: {"X-Forwarded-For": address}


def exchanges(pool):
    return pool.counts()["token:authorization_code"]


def junk_callback(visitor, number=0, **options):
    """Return the response to a callback of a new attempt with an invented code.

    The attempt is a second try, which does not begin again.
    """
    state = query_of(visitor.start_again(**options))["state"]
    return visitor.get(f"/signin?code=junk{number}&state={state}", **options)


def next_window():
    RateCounter.objects.filter(key__startswith="cognito:").delete()


def test_one_attempt_calls_cognito_once_without_its_cookie_being_stored(visitor):
    """A script sends the first cookie again, with another code each time."""
    state = query_of(visitor.start("/profile/"))["state"]
    jar = requests.cookies.RequestsCookieJar()
    jar.update(visitor.http.cookies)
    responses = [
        requests.get(
            f"{visitor.site}/signin?state={state}&code=junk{number}",
            cookies=jar,
            allow_redirects=False,
            timeout=60,
        )
        for number in range(25)
    ]
    places = [response.headers["Location"] for response in responses]
    assert all(place.startswith(visitor.pool.url) for place in places)
    assert exchanges(visitor.pool) == 1


def test_callbacks_of_one_attempt_at_the_same_moment_call_cognito_once(visitor):
    callback = visitor.callback(visitor.start("/profile/"))
    jar = requests.cookies.RequestsCookieJar()
    jar.update(visitor.http.cookies)

    def call_back(number):
        return requests.get(callback, cookies=jar, allow_redirects=False, timeout=60).headers

    with ThreadPoolExecutor(8) as threads:
        places = [headers["Location"] for headers in threads.map(call_back, range(8))]
    assert places.count("/profile/") > 1  # some wait for the first one, others begin again
    assert live_sign_ins() == 1
    assert exchanges(visitor.pool) == 1


def test_used_attempt_redirects_if_signed_in(visitor):
    callback = visitor.callback(visitor.start("/profile/"))
    visitor.get(callback)
    assert visitor.get(callback).headers["Location"] == "/profile/"
    assert exchanges(visitor.pool) == 1


def test_callbacks_beyond_the_budget_cause_no_call_and_no_row(visitor, tight):
    assert [junk_callback(visitor, number).status_code for number in range(3)] == [400] * 3
    row_counts = RateCounter.objects.count(), SignInEvent.objects.count()
    for number in range(5):
        response = junk_callback(visitor, number)
        assert response.status_code == 429
        assert response.headers["Retry-After"] == "48"
        assert "Wait a minute, then try again." in response.text
    assert (RateCounter.objects.count(), SignInEvent.objects.count()) == row_counts
    assert exchanges(visitor.pool) == 3


def test_attempt_survives_the_limit(visitor, tight):
    """A reload after a while succeeds, because the code is valid for five minutes."""
    callback = visitor.callback(visitor.start("/profile/"))
    for number in range(3):
        junk_callback(visitor, number)
    assert visitor.get(callback).status_code == 429
    next_window()
    assert visitor.get(callback).headers["Location"] == "/profile/"


def test_other_subnets_sign_in_during_a_flood(new_visitor, tight, from_address):
    stranger, user = new_visitor(), new_visitor()
    headers = from_address(STRANGER)
    responses = [junk_callback(stranger, number, headers=headers) for number in range(5)]
    assert responses[-1].status_code == 429
    user.http.headers.update(from_address("192.0.2.1"))
    assert user.sign_in(next_page="/profile/").headers["Location"] == "/profile/"


def test_sign_ins_of_a_large_office_do_not_use_the_budget_up(new_visitor, tight):
    places = [new_visitor().sign_in().headers.get("Location") for _ in range(6)]
    assert places == ["/dashboard/"] * 6


def test_callbacks_and_exchanges_share_one_budget(visitor, site, pool, tight, settings):
    settings.COGNITO = {
        **settings.COGNITO,
        "SPA_REDIRECT_URIS": ["http://localhost:3000/signin"],
    }
    pool.clock.offset = -3700
    expired = pool.tokens_for("ada")["access_token"]
    pool.clock.offset = 0

    def exchange():
        body = {"code": "junk", "redirectUri": "http://localhost:3000/signin"}
        return requests.post(f"{site}/api/auth/get-tokens", json=body, timeout=60)

    def refresh(number):
        headers = {"x-access-token": expired, "x-refresh-token": f"junk{number}"}
        return requests.get(f"{site}/user", headers=headers, timeout=60)

    calls = [junk_callback(visitor), exchange(), exchange()]
    assert [call.status_code for call in calls] == [400] * 3
    assert [refresh(number).status_code for number in range(3)] == [401] * 3
    before = pool.counts()["token"], RefreshResult.objects.count()
    responses = [exchange(), refresh(3), junk_callback(visitor)]
    assert [response.status_code for response in responses] == [429] * 3
    assert {response.json()["code"] for response in responses[:2]} == {"throttled"}
    assert {response.headers["Retry-After"] for response in responses} == {"48"}
    assert (pool.counts()["token"], RefreshResult.objects.count()) == before


def test_access_token_that_is_not_ours_uses_no_budget(visitor, site, tight):
    headers = {"x-access-token": mint_access_token(expired=True), "x-refresh-token": "junk"}
    for _ in range(5):
        assert requests.get(f"{site}/user", headers=headers, timeout=60).status_code == 401
    assert visitor.sign_in().headers["Location"] == "/dashboard/"
    assert RateCounter.objects.filter(key__startswith="cognito:").get().count == 0


def wait_for_calls(pool, number):
    deadline = time.monotonic() + 30
    while exchanges(pool) < number:
        assert time.monotonic() < deadline, "the strangers' calls never reached the pool"
        time.sleep(0.01)


@pytest.mark.parametrize("subnets", [1, 20])
def test_sessions_are_renewed_while_attackers_occupy_slow_cognito(
    new_visitor, pool, settings, from_address, subnets
):
    """Anonymous clients occupy their slots; renewals of signed-in users have their own."""
    settings.COGNITO = {
        **settings.COGNITO,
        "LIMITS": {**settings.COGNITO["LIMITS"], "calls_at_once": 4},
    }
    user, newcomer = new_visitor(), new_visitor()
    user.sign_in()
    strangers = [new_visitor() for _ in range(20)]
    for number, stranger in enumerate(strangers):
        stranger.http.headers.update(from_address(f"198.51.100.{number % subnets}"))
    states = [query_of(stranger.start())["state"] for stranger in strangers]
    slots = 2 if subnets == 1 else 3  # of the three that are not reserved for renewals
    pool.faults.add("token", "slow", grant="authorization_code", seconds=3)
    before = exchanges(pool)

    def call_back(number):
        query = f"code=junk{number}&state={states[number]}"
        return strangers[number].get(f"/signin?{query}").status_code

    beyond_grace()
    with ThreadPoolExecutor(len(strangers)) as threads:
        flood = [threads.submit(call_back, number) for number in range(len(strangers))]
        wait_for_calls(pool, before + slots)
        assert user.get("/profile/").status_code == 200
        if subnets == 1:
            newcomer.http.headers.update(from_address("192.0.2.1"))
            assert newcomer.sign_in().headers["Location"] == "/dashboard/"
        statuses = [future.result() for future in flood]
    assert set(statuses) <= {302, 503}
    assert pool.counts()["token:refresh_token"] == 1
