"""Faults on command, and request counts."""

import re
import time
from email.utils import parsedate_to_datetime

import jwt
import pytest
import requests

from local_pool import commands
from local_pool.errors import PoolError
from local_pool.testing import LocalPool

from .conftest import App


def claims(token: str) -> dict:
    return jwt.decode(token, options={"verify_signature": False})


def keys(app: App) -> requests.Response:
    return app.get(f"/{app.pool.pool_id}/.well-known/jwks.json")


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        ("403", 403, "<html><body>403 Forbidden</body></html>"),
        ("429", 429, "Rate Exceeded"),
        ("500", 500, "Internal Server Error"),
        ("503", 503, "Service Unavailable"),
        ("garbage", 200, "<html>{not json"),
        ("empty", 200, ""),
        ("redirect", 302, ""),
    ],
)
def test_next_responses_go_wrong_and_then_right_again(app, kind, status, body):
    app.pool.faults.add("jwks", kind, times=2)
    for _ in range(2):
        response = keys(app)
        assert (response.status_code, response.text) == (status, body)
    assert len(keys(app).json()["keys"]) == 2


def test_no_keys(app):
    app.pool.faults.add("jwks", "no-keys", times=1)
    assert keys(app).json() == {"keys": []}


def test_slow_response_is_late_and_right(app):
    app.pool.faults.add("jwks", "slow", seconds=0.3, times=1)
    started = time.perf_counter()
    assert keys(app).json()["keys"]
    assert time.perf_counter() - started >= 0.3


def test_slow_response_does_not_hold_up_a_stop(app):
    app.pool.faults.add("token", "slow", seconds=60)
    with pytest.raises(requests.Timeout):
        requests.post(f"{app.pool.url}/oauth2/token", timeout=0.1)
    started = time.perf_counter()
    app.pool.stop()
    assert time.perf_counter() - started < 30


def test_closed_connection_is_an_error_for_the_client(app):
    app.pool.faults.add("token", "close", times=1)
    with pytest.raises(requests.ConnectionError):
        app.redeem("x")
    assert app.redeem("x").status_code == 400


def test_lost_response_was_acted_upon(app):
    code = app.code()
    app.pool.faults.add("token", "lost", times=1)
    with pytest.raises(requests.ConnectionError):
        app.redeem(code)
    assert app.redeem(code).json() == {"error": "invalid_grant"}
    assert len(app.pool.pool.state.sign_ins) == 1


def test_fault_can_be_for_one_grant_alone(app):
    tokens = app.tokens()
    app.pool.faults.add("token", "503", grant="refresh_token")
    assert app.refresh(tokens["refresh_token"]).status_code == 503
    assert app.tokens()["access_token"]


def test_fault_lasts_for_the_requested_time(app):
    fault = app.pool.faults.add("*", "503", lasting=3600)
    assert keys(app).status_code == 503
    assert app.authorize().status_code == 503
    assert app.get("/_local/health").status_code == 200
    fault.until = time.monotonic()
    assert keys(app).status_code == 200


def test_share_of_requests(app):
    app.pool.faults.add("jwks", "500", share=0.5)
    statuses = [keys(app).status_code for _ in range(60)]
    assert {200, 500} == set(statuses)


def test_user_who_denies_access_comes_back_with_access_denied(app):
    app.pool.faults.add("authorize", "denied", times=1)
    location = app.authorize().headers["Location"]
    assert "error=access_denied" in location
    assert "state=a-state" in location


@pytest.mark.parametrize(
    ("target", "kind", "claim", "expected"),
    [
        ("id-token", "wrong-audience", "aud", "anotherclient"),
        ("access-token", "wrong-audience", "client_id", "anotherclient"),
        ("id-token", "wrong-token-use", "token_use", "access"),
        ("access-token", "wrong-token-use", "token_use", "id"),
        ("id-token", "wrong-nonce", "nonce", "another-nonce"),
        ("id-token", "missing-sub", "sub", None),
        ("access-token", "missing-exp", "exp", None),
    ],
)
def test_minted_token_is_spoilt_in_one_place(app, target, kind, claim, expected):
    good = app.tokens()
    app.pool.faults.add(target, kind, times=1)
    spoilt = app.tokens()
    name = target.replace("-", "_")
    assert claims(spoilt[name]).get(claim) == expected
    assert claims(good[name]).get(claim) != expected
    assert claims(app.tokens()[name]).get(claim) == claims(good[name]).get(claim) or claim == "exp"


def test_wrong_issuer_and_expired_tokens(app):
    app.pool.faults.add("id-token", "wrong-issuer", times=1)
    assert "AnotherPool" in claims(app.tokens()["id_token"])["iss"]
    app.pool.faults.add("access-token", "expired", times=1)
    assert claims(app.tokens()["access_token"])["exp"] < time.time()


@pytest.mark.parametrize(("kind", "is_published"), [("wrong-key", True), ("unknown-key", False)])
def test_signature_that_does_not_verify(app, kind, is_published):
    app.pool.faults.add("access-token", kind, times=1)
    token = app.tokens()["access_token"]
    published = {key["kid"]: key for key in keys(app).json()["keys"]}
    kid = jwt.get_unverified_header(token)["kid"]
    assert (kid in published) is is_published
    if is_published:
        with pytest.raises(jwt.InvalidSignatureError):
            jwt.decode(token, jwt.PyJWK(published[kid]), algorithms=["RS256"])


@pytest.mark.parametrize(("drop", "count"), [(False, 4), (True, 2)])
def test_keys_rotate_with_and_without_the_old_ones(app, drop, count):
    old = app.tokens()["access_token"]
    commands.run(app.pool.pool, "rotate-keys --drop-old" if drop else "rotate-keys")
    published = {key["kid"] for key in keys(app).json()["keys"]}
    assert len(published) == count
    assert (jwt.get_unverified_header(old)["kid"] in published) is not drop
    assert jwt.get_unverified_header(app.tokens()["access_token"])["kid"] in published
    assert app.user_info(old).status_code == (401 if drop else 200)


def test_clock_runs_ahead_and_behind(app):
    commands.run(app.pool.pool, "clock +1h")
    assert claims(app.tokens()["access_token"])["iat"] > time.time() + 3590
    commands.run(app.pool.pool, "clock 0")
    commands.run(app.pool.pool, "clock -90s")
    assert claims(app.tokens()["access_token"])["iat"] < time.time() - 80
    assert (
        commands.run(app.pool.pool, "heal")
        == "all faults are cleared; clock and settings are as declared"
    )
    assert app.pool.clock.offset == 0


def test_requests_are_counted_by_endpoint_and_grant(app):
    tokens = app.tokens()
    app.refresh(tokens["refresh_token"])
    app.pool.faults.add("token", "503", times=1)
    app.refresh(tokens["refresh_token"])
    keys(app)
    counts = app.get("/_local/counts").json()
    assert counts["token"] == 3
    assert counts["token:authorization_code"] == 1
    assert counts["token:refresh_token"] == 2
    assert counts["jwks"] == 1
    assert app.pool.counts()["userInfo"] == 0
    app.pool.faults.reset_counts()
    assert app.get("/_local/counts").json() == {}


@pytest.mark.parametrize(
    "words",
    [
        "lifetime access 5s",
        "lifetime session 2m",
        "rotation on 10s",
        "expire-tokens",
        "invite zoe zoe@example.com",
        "disable ada",
        "enable ada",
        "join linus editors",
        "join linus a-new-group",
        "leave ada admins",
        "sign-out grace",
        "delete linus",
        "cognito-down --for 60s",
        "cognito-slow --seconds 3s --times 2",
        "cognito-throttled",
        "keys-broken --times 1",
        "keys-empty",
        "keys-slow",
        "fail token 503 --times 3 --grant refresh_token --share 0.5",
        "reset",
    ],
)
def test_command_returns_a_message(pool, words):
    message = commands.run(pool.pool, words)
    assert message
    assert pool.journal.lines[-1].endswith(f"command   {message}")


@pytest.mark.parametrize(
    "words",
    [
        "",
        "explode",
        "disable",
        "disable nobody",
        "join nobody a-new-group",
        "leave ada nobodies",
        "fail token 999",
        "fail nowhere 503",
        "fail id-token 503",
        "fail token 503 --times many",
        "fail token 503 --times 0",
        "fail token 503 --times -1",
        "fail token 503 --colour green",
        "cognito-down --for ever",
        "clock yesterday",
        "lifetime access 0",
        "lifetime people 5",
        "rotation sideways",
        "rotation on 61s",
        "invite ada ada@example.com",
        "disable 'ada",
    ],
)
def test_command_that_makes_no_sense_is_refused_and_changes_nothing(pool, words):
    before = pool.pool.state.to_json()
    with pytest.raises(PoolError):
        commands.run(pool.pool, words)
    assert pool.pool.state.to_json() == before
    assert not pool.faults.active()


@pytest.mark.parametrize(
    ("words", "usage"),
    [
        ("join ada", "join|leave NAME GROUP"),
        ("disable", "disable|enable|delete|sign-out NAME"),
        ("cognito-down token", "fail ENDPOINT KIND"),
    ],
)
def test_usage_is_shown_for_a_command_with_the_wrong_words(pool, words, usage):
    with pytest.raises(PoolError, match=re.escape(f"Usage: {usage}")):
        commands.run(pool.pool, words)


def test_expired_tokens_and_short_lifetimes(app):
    tokens = app.tokens()
    pending = app.code("grace")
    commands.run(app.pool.pool, "expire-tokens")
    assert app.refresh(tokens["refresh_token"]).status_code == 400
    assert "Refresh Token has expired" in app.pool.journal.lines[-1]
    assert app.redeem(pending).status_code == 200
    commands.run(app.pool.pool, "lifetime access 2s")
    response = app.tokens()
    got = claims(response["access_token"])
    assert response["expires_in"] == got["exp"] - got["iat"] == 2


@pytest.mark.parametrize("words", ["heal", "reset"])
def test_changed_settings_are_shown_until_all_is_right_again(app, words):
    commands.run(app.pool.pool, "lifetime access 2s")
    commands.run(app.pool.pool, "rotation on 10s")
    shown = app.get("/_local/").text
    assert "access_token_seconds = 2<" in shown
    assert "rotate_refresh_tokens = true<" in shown
    commands.run(app.pool.pool, words)
    assert "access_token_seconds = " not in app.get("/_local/").text
    assert app.tokens()["expires_in"] == 3600


def test_reset_makes_the_pool_as_declared(app):
    app.tokens()
    app.pool.delete("linus")
    app.pool.set_groups("ada")
    commands.run(app.pool.pool, "reset")
    assert app.pool.get_user("ada").groups == ("admins",)
    assert app.pool.get_user("linus").enabled
    assert not app.pool.pool.state.sign_ins


def test_faults_of_one_pool_leave_another_alone():
    with LocalPool() as one, LocalPool() as other:
        one.faults.add("*", "503")
        one.clock.advance(100)
        assert keys(App(one)).status_code == 503
        assert keys(App(other)).status_code == 200
        assert other.clock.offset == 0


def test_date_header_has_the_pools_own_time(app):
    app.pool.clock.advance(3600)
    server_time = parsedate_to_datetime(keys(app).headers["Date"]).timestamp()
    assert abs(server_time - time.time() - 3600) < 5
