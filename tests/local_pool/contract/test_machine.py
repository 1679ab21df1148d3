"""Machine clients (client_credentials): sections 4.8 and 8.2 of the contract."""

import pytest

from local_pool.testing import Client
from tests.local_pool.contract.target import unverified_claims
from tests.local_pool.contract.test_token import refused

pytestmark = pytest.mark.usefixtures("machine_client")

READER = pytest.mark.parametrize(
    "control",
    [{"clients": [Client("reader", "s" * 24, ("client_credentials",), ("stats/read",))]}],
    indirect=True,
    ids=["a reading client"],
)


def scopes(response):
    assert response.status_code == 200, response.text
    return set(unverified_claims(response.json()["access_token"])["scope"].split())


def test_response_holds_an_access_token_alone(target):
    response = target.machine()
    assert response.status_code == 200
    assert set(response.json()) == {"access_token", "expires_in", "token_type"}
    assert response.json()["token_type"] == "Bearer"


def test_secret_in_the_body(target):
    form = {
        "client_id": target.machine_client_id,
        "client_secret": target.machine_client_secret,
    }
    assert target.token("client_credentials", None, **form).status_code == 200


def test_client_is_its_own_subject(target):
    claims = target.verified(target.machine().json()["access_token"])
    assert claims["sub"] == claims["client_id"] == target.machine_client_id
    assert claims["token_use"] == "access"
    assert claims["iss"] == target.issuer


@pytest.mark.parametrize(
    "claim", ["username", "cognito:groups", "aud", "origin_jti", "email", "device_key"]
)
def test_token_has_no_user(target, claim):
    assert claim not in unverified_claims(target.machine().json()["access_token"])


def test_lifetime_is_the_responses(target):
    response = target.machine().json()
    claims = unverified_claims(response["access_token"])
    assert claims["exp"] - claims["iat"] == response["expires_in"]


def test_no_scope_means_all_custom_scopes(target):
    granted = scopes(target.machine())
    assert granted
    assert all("/" in scope for scope in granted)


def test_one_scope_can_be_requested(target):
    one = sorted(scopes(target.machine()))[0]
    assert scopes(target.machine(scope=one)) == {one}


def test_scopes_of_the_local_pool(control, target):
    assert scopes(target.machine()) == {"stats/read", "stats/write"}
    assert scopes(target.machine(scope="stats/write")) == {"stats/write"}


@pytest.mark.parametrize("scope", ["openid", "nobody/reads", "stats", "email"])
def test_undefined_and_standard_scopes_are_invalid(target, scope):
    assert refused(target.machine(scope=scope), "invalid_scope")


@READER
def test_scope_that_exists_and_is_not_allowed_is_an_invalid_grant(control, target):
    auth = ("reader", "s" * 24)
    response = target.token("client_credentials", auth, scope="stats/write")
    assert refused(response, "invalid_grant")
    assert scopes(target.token("client_credentials", auth)) == {"stats/read"}


def test_wrong_secret_is_an_invalid_client(target):
    response = target.token("client_credentials", (target.machine_client_id, "x" * 40))
    assert refused(response, "invalid_client")


def test_client_without_the_flow_is_refused(target):
    """Accept both errors: the AWS documentation and an emulator differ."""
    response = target.token("client_credentials")
    assert response.status_code == 400
    assert response.json()["error"] in ("unauthorized_client", "invalid_grant")


def test_machine_cannot_exchange_a_code_of_a_user(target):
    auth = (target.machine_client_id, target.machine_client_secret)
    response = target.redeem(target.code(), auth)
    assert response.status_code == 400
    assert response.json()["error"] in ("unauthorized_client", "invalid_grant")


def test_machine_signs_no_user_in(target):
    response = target.authorize(client_id=target.machine_client_id)
    assert target.callback_url + "?code=" not in response.headers.get("Location", "")
    assert "/login" not in response.headers.get("Location", "")
