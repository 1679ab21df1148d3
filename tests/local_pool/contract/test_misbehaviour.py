"""Fault injection over HTTP, as an app sees it: section 13 of the contract.

Every check has its own pool, observes the fault, and observes its end.
"""

import time

import jwt
import pytest
import requests

from tests.local_pool.contract.target import SECONDS, unverified_claims

pytestmark = pytest.mark.usefixtures("control")


@pytest.fixture
def order(target):
    def send(command):
        response = requests.post(
            f"{target.url}/_local/faults", json={"do": command}, timeout=SECONDS
        )
        assert response.status_code == 200, response.text

    return send


@pytest.mark.parametrize("kind", ["429", "500", "503"])
def test_token_endpoint_fails_once_and_then_succeeds(target, order, kind):
    code = target.code()
    order(f"fail token {kind} --times 1")
    assert target.redeem(code).status_code == int(kind)
    assert target.redeem(code).status_code == 200


@pytest.mark.parametrize(("kind", "body"), [("garbage", "<html>{not json"), ("empty", "")])
def test_response_of_200_can_be_unusable(target, order, tokens, kind, body):
    order(f"fail token {kind} --times 1 --grant refresh_token")
    response = target.refresh(tokens["refresh_token"])
    assert (response.status_code, response.text) == (200, body)
    assert target.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("kind", ["close", "lost"])
def test_connection_ends_without_a_response(target, order, tokens, kind):
    order(f"fail token {kind} --times 1")
    with pytest.raises(requests.ConnectionError):
        target.refresh(tokens["refresh_token"])
    assert target.refresh(tokens["refresh_token"]).status_code == 200


def test_outage_is_everywhere_until_it_is_healed(target, order):
    order("cognito-down")
    paths = ("/oauth2/authorize", "/login", "/logout", "/oauth2/userInfo")
    assert {target.get(path).status_code for path in paths} == {503}
    assert target.machine().status_code == 503
    order("heal")
    assert target.machine().status_code == 200


def test_outage_ends_by_itself(target, order):
    order("cognito-down --for 1s")
    ends_at = time.monotonic() + 60
    while (status := target.machine().status_code) == 503 and time.monotonic() < ends_at:
        pass
    assert status == 200


def test_keys_are_late(target, order):
    order("fail jwks slow --seconds 0.1 --times 1")
    started = time.monotonic()
    assert len(target.published_keys()) == 2
    assert time.monotonic() - started >= 0.1


def test_keys_are_missing(target, order):
    order("keys-empty")
    assert target.published_keys() == []


def test_clock_runs_ahead_of_the_apps(target, order):
    order("clock +90s")
    before = time.time()
    claims = unverified_claims(target.tokens()["id_token"])
    # A virtual machine's clock can be set back by a moment.
    assert before + 85 < claims["iat"] < time.time() + 95


def test_lifetimes_of_seconds(target, order):
    order("lifetime access 5s")
    assert target.tokens()["expires_in"] == 5


def test_rotation_can_be_switched_on(target, order, tokens):
    order("rotation on 10s")
    assert "refresh_token" in target.refresh(tokens["refresh_token"]).json()


def test_sessions_are_revoked_by_name(target, order, tokens):
    order("sign-out ada")
    assert target.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("kind", "claim"),
    [("wrong-issuer", "iss"), ("wrong-audience", "aud"), ("wrong-nonce", "nonce")],
)
def test_id_token_is_wrong_in_one_claim(target, order, tokens, kind, claim):
    order(f"fail id-token {kind} --times 1")
    spoilt, good = (target.verified(target.tokens()["id_token"]) for _ in "12")
    own = {"jti", "origin_jti", "event_id", "at_hash", "iat", "exp", "auth_time"}
    assert {name for name in good if good[name] != spoilt[name]} - own == {claim}
    assert unverified_claims(tokens["id_token"])[claim] == good[claim]


def test_id_token_is_signed_with_a_wrong_key(target, order):
    order("fail id-token wrong-key --times 1")
    spoilt, good = (target.tokens()["id_token"] for _ in "12")
    with pytest.raises(jwt.InvalidSignatureError):
        target.verified(spoilt)
    assert target.verified(good)


def test_required_claim_is_missing(target, order):
    order("fail access-token missing-client_id --times 1")
    spoilt, good = (unverified_claims(target.tokens()["access_token"]) for _ in "12")
    assert set(good) - set(spoilt) == {"client_id"}


def test_requests_are_counted_by_endpoint_and_grant(target, tokens):
    counts = f"{target.url}/_local/counts"
    requests.delete(counts, timeout=SECONDS)
    target.refresh(tokens["refresh_token"])
    target.machine()
    target.published_keys()
    assert requests.get(counts, timeout=SECONDS).json() == {
        "token": 2,
        "token:refresh_token": 1,
        "token:client_credentials": 1,
        "jwks": 1,
    }


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "169.254.169.254"])
def test_foreign_host_names_are_refused(target, host):
    for path in ("/_local/", "/_local/faults", "/login", "/oauth2/authorize"):
        assert target.get(path, {"Host": host}).status_code == 400


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_commands_of_another_site_are_refused(target, headers):
    address = f"{target.url}/_local/faults"
    response = requests.post(address, data={"do": "disable ada"}, headers=headers, timeout=SECONDS)
    assert response.status_code == 403
    assert target.call("AdminGetUser", Username="ada").json()["Enabled"] is True
