"""Step-up: TARGET_ACR_VALUES, MAX_AGE and ACCESS_TOKEN, and TOTP in the hosted UI."""

import json

import jwt
import pytest

from local_pool import verification

from .api_client import PASSWORD, ApiClient
from .conftest import CALLBACK, App
from .pages import Pages
from .software_authenticator import SoftwareAuthenticator
from .test_api import error
from .test_passkeys import LEVELS, register


@pytest.fixture
def client(make_local_pool) -> ApiClient:
    factors = ["PASSWORD", "EMAIL_OTP", "WEB_AUTHN"]
    return ApiClient(App(make_local_pool(first_auth_factors=factors, mfa="optional")))


def claims(token: str) -> dict:
    return jwt.decode(token, options={"verify_signature": False})


def target(client: ApiClient, level: int, username: str = "ada", **sent: str):
    return client.start("USER_AUTH", username, TARGET_ACR_VALUES=LEVELS[level - 1], **sent)


def test_access_token_needs_only_the_missing_factor(client):
    token = client.access()["AccessToken"]
    step = target(client, 3, ACCESS_TOKEN=token).json()
    assert step["ChallengeName"] == "EMAIL_OTP"
    code = client.pool.mailbox[-1].code
    stronger = client.answer(step, EMAIL_OTP_CODE=code).json()["AuthenticationResult"]
    for name in ("AccessToken", "IdToken"):
        assert claims(stronger[name])["acr"] == LEVELS[2]
        assert claims(stronger[name])["amr"] == ["pwd", "email_otp", "mfa"]


def test_old_access_token_needs_every_factor(client):
    token = client.access()["AccessToken"]
    client.pool.clock.advance(60)
    assert "Session" in target(client, 3, ACCESS_TOKEN=token, MAX_AGE="120").json()
    step = target(client, 3, ACCESS_TOKEN=token, MAX_AGE="30").json()
    assert step["ChallengeName"] == "SELECT_CHALLENGE"
    assert step["AvailableChallenges"] == ["PASSWORD", "PASSWORD_SRP"]
    step = client.answer(step, ANSWER="PASSWORD", PASSWORD=PASSWORD).json()
    assert step["ChallengeName"] == "EMAIL_OTP"
    code = client.pool.mailbox[-1].code
    result = client.answer(step, EMAIL_OTP_CODE=code).json()["AuthenticationResult"]
    assert claims(result["AccessToken"])["acr"] == LEVELS[2]


def test_target_without_an_access_token_is_a_sign_in_of_that_level(client):
    secret = client.set_up_totp()
    client.app.api(
        "AdminSetUserMFAPreference", Username="ada", SoftwareTokenMfaSettings={"Enabled": False}
    )
    step = target(client, 4, PREFERRED_CHALLENGE="PASSWORD", PASSWORD=PASSWORD).json()
    assert step["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    client.pool.clock.advance(30)
    answer = client.answer(step, SOFTWARE_TOKEN_MFA_CODE=client.code_of(secret))
    assert claims(answer.json()["AuthenticationResult"]["AccessToken"])["acr"] == LEVELS[3]


def test_passkey_is_offered_up_to_level_three(client):
    authenticator = SoftwareAuthenticator(client.pool.url)
    register(client, authenticator)
    step = target(client, 3, PREFERRED_CHALLENGE="WEB_AUTHN").json()
    options = json.loads(step["ChallengeParameters"]["CREDENTIAL_REQUEST_OPTIONS"])
    answer = client.answer(step, CREDENTIAL=json.dumps(authenticator.get(options)))
    assert claims(answer.json()["AuthenticationResult"]["AccessToken"])["acr"] == LEVELS[2]
    client.set_up_totp("grace")
    offered = target(client, 4, "grace").json()["AvailableChallenges"]
    assert offered == ["PASSWORD", "PASSWORD_SRP"]


def test_refusals(client):
    token, other = client.access()["AccessToken"], client.access("grace")["AccessToken"]
    assert error(target(client, 1, ACCESS_TOKEN=token)) == "InvalidParameterException"
    assert error(target(client, 4, ACCESS_TOKEN=token)) == "InvalidParameterException"
    assert error(target(client, 3, ACCESS_TOKEN=other)) == "NotAuthorizedException"
    assert error(target(client, 3, ACCESS_TOKEN="a.b.c")) == "NotAuthorizedException"
    assert error(target(client, 3, MAX_AGE="soon")) == "InvalidParameterException"
    assert error(client.start("USER_AUTH", ACCESS_TOKEN=token)) == "InvalidParameterException"
    client.pool.do("plan lite")
    assert error(target(client, 3)) == "FeatureUnavailableInTierException"


def sign_in(client: ApiClient, **authorize: str) -> dict:
    code = client.app.code(**authorize)
    return claims(client.app.redeem(code).json()["id_token"])


def test_authenticator_app_reaches_level_four_in_the_hosted_ui(client):
    client.set_up_totp()
    client.pool.clock.advance(30)
    assert sign_in(client)["acr"] == LEVELS[3]  # optional, and this user has it
    client.app.api(
        "AdminSetUserMFAPreference", Username="ada", SoftwareTokenMfaSettings={"Enabled": False}
    )
    assert sign_in(client)["acr"] == LEVELS[0]
    client.pool.clock.advance(30)
    signed_in = sign_in(client, acr_values=f"{LEVELS[3]} {LEVELS[2]}")
    assert signed_in["amr"] == ["pwd", "otp", "mfa"]
    assert sign_in(client, acr_values=LEVELS[2])["amr"] == ["pwd", "email_otp", "mfa"]


def test_code_by_email_does_not_replace_that_of_the_app(client):
    client.set_up_totp()
    pages = Pages(client.app.authorize_url(acr_values=LEVELS[3]))
    pages.submit("/login", username="ada", password=PASSWORD)
    user = client.pool.get_user("ada")
    verification.send_code(client.pool.pool, user, verification.SECOND_FACTOR)
    code = client.pool.mailbox[-1].code
    assert pages.submit("/mfa", factor="EMAIL_OTP", code=code) is None
    assert pages.alert == "Another factor is required."


def test_user_sets_up_an_authenticator_app_in_the_hosted_ui_if_mfa_is_on(client):
    client.pool.do("mfa on")
    callback = client.pool.sign_in(client.app.authorize_url(), "ada")
    assert callback.startswith(CALLBACK)
    assert client.pool.get_user("ada").totp
    client.pool.clock.advance(30)
    assert sign_in(client)["acr"] == LEVELS[3]
