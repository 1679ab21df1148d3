"""userInfo: section 6 of the contract."""

import pytest
import requests

from local_pool.testing import LocalPool, Seed
from tests.local_pool.contract.target import SECONDS, Target, unverified_claims

GONE = "Access token is expired or user has globally signed out, disabled, or been deleted"
WITH_PHONE = pytest.mark.parametrize(
    "control",
    [
        {
            "people": [
                Seed(
                    "ada",
                    name="Ada",
                    groups=("admins",),
                    attributes={"phone_number": "+15550100", "phone_number_verified": "false"},
                )
            ]
        }
    ],
    indirect=True,
    ids=["with a phone"],
)


def refused(response, description=""):
    """Return True for a 401; the description is only checked with the local pool."""
    challenge = response.headers["WWW-Authenticate"]
    body = response.json()["error_description"] if description else ""
    return response.status_code == 401 and "error=" in challenge and description in body


def test_response_is_json_about_the_user(target, tokens):
    response = target.user_info(tokens["access_token"])
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json;charset=UTF-8"
    claims = unverified_claims(tokens["access_token"])
    body = response.json()
    assert (body["sub"], body["username"]) == (claims["sub"], claims["username"])


def test_email_verified_is_a_string_here(target, tokens):
    assert target.user_info(tokens["access_token"]).json()["email_verified"] in ("true", "false")


@pytest.mark.parametrize("claim", ["cognito:username", "cognito:groups", "aud", "exp", "token_use"])
def test_claims_of_tokens_are_absent(target, tokens, claim):
    assert claim not in target.user_info(tokens["access_token"]).json()


def test_every_value_is_a_string(target, tokens):
    values = target.user_info(tokens["access_token"]).json().values()
    assert all(isinstance(value, str) for value in values)


@WITH_PHONE
@pytest.mark.parametrize(
    ("scope", "members"),
    [
        ("openid", "email email_verified phone_number phone_number_verified name"),
        ("openid email", "email email_verified"),
        ("openid phone", "phone_number phone_number_verified"),
        ("openid profile", "name"),
        ("openid email phone", "email email_verified phone_number phone_number_verified"),
    ],
)
def test_scopes_decide_the_members(control, target, scope, members):
    body = target.user_info(target.tokens(scope=scope)["access_token"]).json()
    assert set(body) == {"sub", "username", *members.split()}
    assert body.get("phone_number_verified", "false") == "false"


def test_changed_attributes_show_at_once(control, target, tokens):
    changed = [{"Name": "name", "Value": "Countess"}]
    target.call("AdminUpdateUserAttributes", Username="ada", UserAttributes=changed)
    assert target.user_info(tokens["access_token"]).json()["name"] == "Countess"


def test_request_without_token_is_malformed(target):
    response = target.get("/oauth2/userInfo")
    assert response.status_code in (400, 401)
    assert "error=" in response.headers["WWW-Authenticate"]


def test_request_without_token_has_the_documented_response(control, target):
    response = target.get("/oauth2/userInfo")
    assert response.status_code == 400
    assert 'error="invalid_request"' in response.headers["WWW-Authenticate"]
    assert "Bad OAuth2 request at UserInfo Endpoint" in response.headers["WWW-Authenticate"]


@pytest.mark.parametrize("token", ["x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
def test_garbage_is_refused(target, token):
    assert refused(target.user_info(token))


def test_garbage_is_named_so(control, target):
    assert refused(target.user_info("a.b.c"), "Access token format is not valid")


def test_changed_signature_is_refused(target, tokens):
    head, _, signature = tokens["access_token"].rpartition(".")
    assert refused(target.user_info(f"{head}.{'A' * len(signature)}"))


def test_token_of_another_pool_is_refused(control, target):
    with LocalPool(fresh_keys=True) as other:
        assert refused(target.user_info(Target.of(other).tokens()["access_token"]))


def test_id_token_is_refused(target, tokens):
    assert refused(target.user_info(tokens["id_token"]))


def test_id_token_is_refused_with_cognitos_message(control, target, tokens):
    words = "Value of client_id in token claims must be a String"
    assert refused(target.user_info(tokens["id_token"]), words)


def test_refresh_token_is_refused(target, tokens):
    assert refused(target.user_info(tokens["refresh_token"]))


def test_machine_token_is_refused(target, machine_client):
    assert refused(target.user_info(target.machine().json()["access_token"]))


def test_machine_is_refused_with_cognitos_message(control, target):
    words = "Value of username in token claims must be a String"
    assert refused(target.user_info(target.machine().json()["access_token"]), words)


def test_token_without_openid_is_refused(target):
    tokens = target.tokens(scope="aws.cognito.signin.user.admin")
    assert refused(target.user_info(tokens["access_token"]), "openid")


def test_expired_token_is_refused(control, target, tokens):
    control.clock.advance(3599)
    assert target.user_info(tokens["access_token"]).status_code == 200
    control.clock.advance(2)
    assert refused(target.user_info(tokens["access_token"]), GONE)


def test_expiry_is_checked_before_scope(control, target):
    tokens = target.tokens(scope="aws.cognito.signin.user.admin")
    control.clock.advance(3601)
    assert refused(target.user_info(tokens["access_token"]), GONE)


@pytest.mark.parametrize("act", ["disable", "delete", "sign_out_everywhere"])
def test_removed_user_is_refused(control, target, tokens, act):
    getattr(control, act)("ada")
    assert refused(target.user_info(tokens["access_token"]), GONE)


def test_older_access_token_stays_good_after_a_refresh(target, tokens):
    target.refresh(tokens["refresh_token"])
    assert target.user_info(tokens["access_token"]).status_code == 200


def test_token_in_the_url_is_not_read(target, tokens):
    address = f"{target.url}/oauth2/userInfo?access_token={tokens['access_token']}"
    assert requests.get(address, timeout=SECONDS).status_code in (400, 401)
