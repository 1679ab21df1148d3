"""Pools whose users sign in with an email address (UsernameAttributes)."""

import jwt
import pytest
import requests

from local_pool.testing import Seed

from .api_client import PASSWORD, ApiClient
from .conftest import App
from .test_api import error
from .test_sign_up_api import pairs

ADA = "ada@example.com"


@pytest.fixture
def client(make_local_pool):
    return ApiClient(App(make_local_pool(username_attributes=["email"])))


def claims(token):
    return jwt.decode(token, options={"verify_signature": False})


def test_stored_username_is_the_sub(client):
    for result in (
        client.tokens("Ada@example.com"),
        client.srp(ADA).json()["AuthenticationResult"],
    ):
        access, id_token = claims(result["AccessToken"]), claims(result["IdToken"])
        assert access["username"] == id_token["cognito:username"] == access["sub"]
        assert id_token["email"] == ADA
    user = client.app.api("AdminGetUser", Username=ADA).json()
    assert user["Username"] == access["sub"]
    assert client.app.api("DescribeUserPool").json()["UserPool"]["UsernameAttributes"] == ["email"]
    client.app.pool.restart()
    assert claims(client.tokens(ADA)["AccessToken"])["sub"] == access["sub"]


def test_user_signs_up_with_an_address_that_is_free(client):
    body = {"Password": PASSWORD}
    refused = client.call("SignUp", "mary", **body)
    assert (error(refused), refused.json()["message"]) == (
        "InvalidParameterException",
        "Username should be an email.",
    )
    assert error(client.call("SignUp", "ADA@example.com", **body)) == "UsernameExistsException"
    made = client.call("SignUp", "mary@example.com", **body).json()
    assert made["CodeDeliveryDetails"]["Destination"] == "m***@e***"
    code = client.app.pool.mailbox[-1].code
    confirmed = client.call("ConfirmSignUp", "mary@example.com", ConfirmationCode=code)
    assert confirmed.status_code == 200
    assert claims(client.tokens("mary@example.com")["AccessToken"])["username"] == made["UserSub"]


def test_new_address_signs_in_before_its_verification(client):
    token = client.access(ADA)
    taken = client.app.api(
        "UpdateUserAttributes", UserAttributes=pairs(email="grace@example.com"), **token
    )
    assert error(taken) == "AliasExistsException"
    client.app.api("UpdateUserAttributes", UserAttributes=pairs(email="ada@example.org"), **token)
    assert client.password("ada@example.org").status_code == 200
    assert error(client.password(ADA)) == "NotAuthorizedException"


def test_invited_user_signs_in_with_the_address(client):
    made = client.app.api("AdminCreateUser", Username="zoe@example.com").json()["User"]
    assert {"Name": "email", "Value": "zoe@example.com"} in made["Attributes"]
    temporary = client.app.pool.mailbox[-1].code
    step = client.password("zoe@example.com", temporary).json()
    assert step["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    done = client.answer(step, "zoe@example.com", NEW_PASSWORD=PASSWORD)
    assert done.status_code == 200


def test_hosted_ui_has_one_field_for_the_address(client):
    app = client.app
    browser = requests.Session()
    page = browser.get(app.authorize_url().replace("/oauth2/authorize", "/signup"), timeout=10)
    assert "requiredAttributes[email]" not in page.text
    assert "error" not in app.pool.sign_in(app.authorize_url(), ADA)


def test_federated_user_keeps_the_name_of_the_provider(make_local_pool):
    people = [Seed("Google_117", provider="Google"), Seed("mary")]
    settings = {"username_attributes": ["email"], "identity_providers": ["Google"]}
    pool = make_local_pool(people=people, **settings)
    names = [seed.username for seed in pool.pool.declared_people()]
    assert names == ["Google_117", "mary@example.com"]
    assert pool.get_user("Google_117").username == "Google_117"
