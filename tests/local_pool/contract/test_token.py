"""The token endpoint's clients, codes and errors: sections 4.1 to 4.5 of the contract."""

import base64
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from local_pool.testing import Client
from tests.local_pool.contract.target import SECONDS, VERIFIER, challenge_of, unverified_claims

MEMBERS = {"id_token", "access_token", "refresh_token", "expires_in", "token_type"}
PKCE = {"code_challenge": challenge_of(VERIFIER), "code_challenge_method": "S256"}


def refused(response, error):
    """Return True for Cognito's 400 with this error in JSON, with or without a description."""
    assert response.status_code == 400, response.text
    assert response.headers["Content-Type"].startswith("application/json")
    assert set(response.json()) <= {"error", "error_description"}
    return response.json()["error"] == error


# Success


def test_basic_authentication(target):
    response = target.redeem(target.code())
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert set(response.json()) == MEMBERS


def test_response_is_a_bearer_token_for_a_number_of_seconds(tokens):
    assert tokens["token_type"] == "Bearer"
    assert type(tokens["expires_in"]) is int
    assert tokens["expires_in"] > 0


def test_secret_in_the_body(target):
    form = {"client_id": target.client_id, "client_secret": target.client_secret}
    assert set(target.redeem(target.code(), None, **form).json()) == MEMBERS


def test_client_id_in_the_body_next_to_basic(target):
    response = target.redeem(target.code(), client_id=target.client_id)
    assert set(response.json()) == MEMBERS


def test_client_metadata_is_ignored(target):
    assert target.redeem(target.code(), aws_client_metadata='{"a":"b"}').status_code == 200


def test_public_client_needs_no_secret(target, public_client):
    assert set(target.public_tokens()) == MEMBERS


def test_public_client_may_go_without_a_challenge(target, public_client):
    response = target.redeem(target.code(client_id=public_client), None, client_id=public_client)
    assert set(response.json()) == MEMBERS


def test_no_id_token_without_openid(target):
    tokens = target.tokens(scope="aws.cognito.signin.user.admin")
    assert set(tokens) == MEMBERS - {"id_token"}
    scope = unverified_claims(tokens["access_token"])["scope"]
    assert scope == "aws.cognito.signin.user.admin"


def test_response_is_not_stored(target):
    response = target.redeem(target.code())
    assert "no-store" in response.headers["Cache-Control"]
    assert response.headers["Pragma"] == "no-cache"


@pytest.mark.parametrize(
    "control",
    [{"clients": [Client("pluscl", "a+b_c" * 6, callback_urls=("http://localhost:8000/signin",))]}],
    indirect=True,
    ids=["raw secret"],
)
def test_values_in_basic_are_compared_as_sent(control, target):
    code = target.code(client_id="pluscl")
    assert refused(target.redeem(code, ("pluscl", "a%2Bb_c" * 6)), "invalid_client")
    assert target.redeem(code, ("pluscl", "a+b_c" * 6)).status_code == 200


# Client authentication


def test_generated_secrets_hold_nothing_that_a_library_would_escape(control, target):
    """Only RFC 6749 form-encodes Basic values; for these secrets, the result is the same."""
    for secret in (target.client_secret, target.machine_client_secret):
        assert re.fullmatch(r"[a-zA-Z0-9]{24,64}", secret)


def test_wrong_secret_is_an_invalid_client_and_does_not_burn_the_code(target):
    code = target.code()
    assert refused(target.redeem(code, (target.client_id, "x" * 40)), "invalid_client")
    form = {"client_id": target.client_id, "client_secret": "x" * 40}
    assert refused(target.redeem(code, None, **form), "invalid_client")
    assert target.redeem(code).status_code == 200


def test_missing_secret_is_an_invalid_client(target):
    response = target.redeem(target.code(), None, client_id=target.client_id)
    assert refused(response, "invalid_client")


@pytest.mark.parametrize("client_id", ["doesnotexist", "ü", "x" * 200])
def test_unknown_client_is_an_invalid_client(target, client_id):
    form = {"client_id": client_id, "client_secret": "x" * 40}
    assert refused(target.redeem("any", None, **form), "invalid_client")


def header(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "value",
    [
        lambda pair: header(header(pair).removeprefix("Basic ")),
        lambda pair: header(pair.partition(":")[0]),
        lambda pair: header(""),
        lambda pair: "Basic %%%",
        lambda pair: "Basic",
        lambda pair: "Bearer " + header(pair).removeprefix("Basic "),
    ],
    ids=["encoded twice", "no secret", "nothing", "not base64", "scheme alone", "bearer"],
)
def test_malformed_credentials_are_an_invalid_client(target, value):
    headers = {"Authorization": value(f"{target.client_id}:{target.client_secret}")}
    form = {"grant_type": "authorization_code", "code": "x", "redirect_uri": target.callback_url}
    response = requests.post(f"{target.url}/oauth2/token", form, headers=headers, timeout=SECONDS)
    assert refused(response, "invalid_client")


# The request


def test_unknown_grant_is_unsupported(target):
    assert refused(target.token("password", username="a", password="b"), "unsupported_grant_type")


def test_missing_grant_is_an_invalid_request(target):
    assert refused(target.post("/oauth2/token", {"code": "x"}), "invalid_request")


@pytest.mark.parametrize("name", ["code", "redirect_uri"])
def test_missing_parameter_is_an_invalid_request(target, name):
    form = {"code": target.code(), "redirect_uri": target.callback_url}
    del form[name]
    assert refused(target.token("authorization_code", **form), "invalid_request")


def test_json_body_is_an_invalid_request(target):
    form = {"grant_type": "authorization_code", "code": "x", "redirect_uri": target.callback_url}
    auth = (target.client_id, target.client_secret)
    response = requests.post(f"{target.url}/oauth2/token", json=form, auth=auth, timeout=SECONDS)
    assert refused(response, "invalid_request")


def test_token_endpoint_is_for_post_alone(target):
    assert target.get("/oauth2/token", grant_type="authorization_code").status_code == 405


# Codes


def test_code_is_good_once(target):
    code = target.code()
    assert target.redeem(code).status_code == 200
    assert refused(target.redeem(code), "invalid_grant")


def test_code_exchanged_concurrently_returns_one_token_set(target):
    code = target.code()
    with ThreadPoolExecutor(16) as many:
        answers = list(many.map(target.redeem, [code] * 16))
    assert sorted(response.status_code for response in answers) == [200] + [400] * 15
    assert all(refused(a, "invalid_grant") for a in answers if a.status_code != 200)


@pytest.mark.parametrize("code", ["291219ef-c91d-4e53-b633-d6c27d6506f3", "x", "ü", "x" * 5000])
def test_unknown_code_is_an_invalid_grant(target, code):
    assert refused(target.redeem(code), "invalid_grant")


def test_code_of_another_client_is_an_invalid_grant(target, public_client):
    assert refused(target.redeem(target.code(client_id=public_client)), "invalid_grant")


def test_code_works_for_five_minutes(control, target):
    code = target.code()
    control.clock.advance(299)
    assert target.redeem(code).status_code == 200


def test_code_has_expired_after_five_minutes(control, target):
    code = target.code()
    control.clock.advance(301)
    assert refused(target.redeem(code), "invalid_grant")


@pytest.mark.parametrize("act", ["disable", "delete"])
def test_code_of_a_removed_user_is_an_invalid_grant(control, target, act):
    code = target.code()
    getattr(control, act)("ada")
    assert refused(target.redeem(code), "invalid_grant")


@pytest.mark.parametrize("end", ["/", "?x=1", "x"])
def test_other_redirect_url_is_an_unauthorized_client_and_keeps_the_code(target, end):
    code = target.code()
    response = target.redeem(code, redirect_uri=target.callback_url + end)
    assert refused(response, "unauthorized_client")
    assert response.json().get("error_description") in ("invalid_redirect", None)
    assert target.redeem(code).status_code == 200


def test_verifier_is_checked_and_a_wrong_one_does_not_burn_the_code(target):
    code = target.code(**PKCE)
    assert refused(target.redeem(code, code_verifier=VERIFIER[:-1] + "x"), "invalid_grant")
    assert refused(target.redeem(code), "invalid_grant")
    assert refused(target.redeem(code, code_verifier=PKCE["code_challenge"]), "invalid_grant")
    assert target.redeem(code, code_verifier=VERIFIER).status_code == 200
