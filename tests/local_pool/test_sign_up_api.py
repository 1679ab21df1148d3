"""The API for users who are not signed in, and for a user's own account."""

import pytest

from .api_client import PASSWORD, ApiClient
from .conftest import App
from .test_api import attributes, error

NEW = "Another-demo-2"


@pytest.fixture
def client(app: App) -> ApiClient:
    return ApiClient(app)


@pytest.fixture
def legacy(make_local_pool) -> ApiClient:
    return ApiClient(App(make_local_pool(prevent_user_existence_errors=False)))


def pairs(**values: str) -> list[dict[str, str]]:
    return [{"Name": name.replace("__", ":"), "Value": value} for name, value in values.items()]


def sign_up(client: ApiClient, username: str = "mary", **values: str):
    attributes = pairs(**({"email": f"{username}@example.org"} | values))
    return client.call("SignUp", username, Password=PASSWORD, UserAttributes=attributes)


def code(client: ApiClient) -> str:
    return client.pool.mailbox[-1].code


def test_user_signs_up_and_confirms(client):
    made = sign_up(client, name="Mary Shelley").json()
    assert made["UserConfirmed"] is False
    assert made["UserSub"] == client.pool.get_user("mary").sub
    delivery = {"Destination": "m***@e***", "DeliveryMedium": "EMAIL", "AttributeName": "email"}
    assert made["CodeDeliveryDetails"] == delivery
    again = client.call("ResendConfirmationCode", "mary").json()
    assert again["CodeDeliveryDetails"] == delivery
    wrong = client.call("ConfirmSignUp", "mary", ConfirmationCode="000000")
    assert error(wrong) == "CodeMismatchException"
    assert client.call("ConfirmSignUp", "mary", ConfirmationCode=code(client)).json() == {}
    assert client.password("mary@example.org").status_code == 200
    twice = client.call("ConfirmSignUp", "mary", ConfirmationCode="000000")
    assert twice.json()["message"] == "User cannot be confirmed. Current status is CONFIRMED"
    assert error(client.call("ResendConfirmationCode", "mary")) == "InvalidParameterException"


def test_sign_up_without_an_address_sends_no_code(client):
    made = client.call("SignUp", "mary", Password=PASSWORD).json()
    assert "CodeDeliveryDetails" not in made
    assert client.app.api("AdminConfirmSignUp", Username="mary").json() == {}
    assert client.password("mary").status_code == 200
    refused = client.app.api("AdminConfirmSignUp", Username="mary")
    assert error(refused) == "NotAuthorizedException"


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"username": "ada"}, "UsernameExistsException"),
        ({"email": "nonsense"}, "InvalidParameterException"),
        ({"email_verified": "true"}, "NotAuthorizedException"),
        ({"identities": "[]"}, "NotAuthorizedException"),
        ({"dev__custom__rank": "1"}, "NotAuthorizedException"),
        ({"shoe_size": "43"}, "InvalidParameterException"),
        ({"phone_number": "0123"}, "InvalidParameterException"),
        ({"sub": "1"}, "InvalidParameterException"),
    ],
)
def test_sign_up_is_refused(client, values, kind):
    assert error(sign_up(client, **values)) == kind


def test_weak_and_missing_passwords_are_refused(client):
    for password in ({"Password": "weak"}, {}):
        assert error(client.call("SignUp", "mary", **password)) == "InvalidPasswordException"


def test_secret_hash_is_required(client):
    response = client.call("SignUp", "mary", Password=PASSWORD, SecretHash="AAAA")
    assert error(response) == "NotAuthorizedException"


def test_verified_address_of_another_user_is_taken_only_by_force(client):
    sign_up(client, email="ada@example.com")
    confirm = {"ConfirmationCode": code(client)}
    assert error(client.call("ConfirmSignUp", "mary", **confirm)) == "AliasExistsException"
    client.call("ConfirmSignUp", "mary", ForceAliasCreation=True, **confirm)
    assert client.password("ada@example.com").status_code == 200
    assert client.pool.get_user("ada@example.com").username == "mary"
    assert client.pool.get_user("ada").attributes["email_verified"] == "false"


def test_forgotten_password_is_reset_by_a_code(client):
    sent = client.call("ForgotPassword", "ada@example.com").json()
    assert sent["CodeDeliveryDetails"]["Destination"] == "a***@e***"
    reset = {"ConfirmationCode": code(client), "Password": NEW}
    weak = client.call("ConfirmForgotPassword", "ada", **reset | {"Password": "weak"})
    assert error(weak) == "InvalidPasswordException"
    assert client.call("ConfirmForgotPassword", "ada", **reset).json() == {}
    assert client.srp("ada", NEW).status_code == 200
    again = client.call("ConfirmForgotPassword", "ada", **reset)
    assert error(again) == "ExpiredCodeException"


def test_administrators_reset_is_ended_by_a_code(client):
    client.app.api("AdminResetUserPassword", Username="ada")
    assert client.app.api("AdminGetUser", Username="ada").json()["UserStatus"] == "RESET_REQUIRED"
    reset = {"ConfirmationCode": code(client), "Password": NEW}
    client.call("ConfirmForgotPassword", "ada", **reset)
    assert client.password("ada", NEW).status_code == 200


def test_unknown_user_gets_a_pretended_delivery(client, legacy):
    operations = ("ForgotPassword", "ResendConfirmationCode")
    for operation in operations:
        sent = client.call(operation, "nobody").json()
        assert sent["CodeDeliveryDetails"]["DeliveryMedium"] == "EMAIL"
        assert error(legacy.call(operation, "nobody")) == "UserNotFoundException"
    assert client.pool.mailbox == []
    code = {"ConfirmationCode": "123456"}
    assert error(client.call("ConfirmSignUp", "nobody", **code)) == "ExpiredCodeException"
    assert error(legacy.call("ConfirmSignUp", "nobody", **code)) == "UserNotFoundException"
    reset = code | {"Password": NEW}
    assert error(client.call("ConfirmForgotPassword", "nobody", **reset))


def test_password_without_a_verified_address_cannot_be_reset(client):
    client.app.api("AdminCreateUser", Username="mary")
    assert error(client.call("ForgotPassword", "mary")) == "NotAuthorizedException"
    client.app.api("AdminSetUserPassword", Username="mary", Password=PASSWORD, Permanent=True)
    assert error(client.call("ForgotPassword", "mary")) == "InvalidParameterException"


# One's own account


def test_user_changes_the_password(client):
    token = client.access()
    wrong = {"PreviousPassword": "Wrong-demo-1", "ProposedPassword": NEW}
    assert error(client.app.api("ChangePassword", **wrong, **token)) == "NotAuthorizedException"
    right = wrong | {"PreviousPassword": PASSWORD}
    assert client.app.api("ChangePassword", **right, **token).json() == {}
    assert client.password("ada", NEW).status_code == 200


def test_new_address_is_not_verified_until_its_code_comes(client):
    token = client.access()
    changed = client.app.api(
        "UpdateUserAttributes", UserAttributes=pairs(email="ada@example.org"), **token
    ).json()
    assert changed["CodeDeliveryDetailsList"][0]["AttributeName"] == "email"
    me = client.app.api("GetUser", **token).json()
    assert attributes(me["UserAttributes"])["email_verified"] == "false"
    assert error(client.password("ada@example.org")) == "NotAuthorizedException"
    again = client.app.api("GetUserAttributeVerificationCode", AttributeName="email", **token)
    assert again.json()["CodeDeliveryDetails"]["Destination"] == "a***@e***"
    verify = {"AttributeName": "email"} | token
    wrong = client.app.api("VerifyUserAttribute", Code="000000", **verify)
    assert error(wrong) == "CodeMismatchException"
    assert client.app.api("VerifyUserAttribute", Code=code(client), **verify).json() == {}
    assert client.password("ada@example.org").status_code == 200


def test_address_of_another_user_cannot_be_verified(client):
    token = client.access()
    client.app.api("UpdateUserAttributes", UserAttributes=pairs(email="grace@example.com"), **token)
    verify = {"AttributeName": "email", "Code": code(client)} | token
    assert error(client.app.api("VerifyUserAttribute", **verify)) == "AliasExistsException"


def test_attributes_are_changed_and_deleted(client):
    token = client.access()
    client.app.api("UpdateUserAttributes", UserAttributes=pairs(nickname="A", name=""), **token)
    stored = client.pool.get_user("ada").attributes
    assert stored["nickname"] == "A"
    assert "name" not in stored
    client.app.api("DeleteUserAttributes", UserAttributeNames=["nickname"], **token)
    assert "nickname" not in client.pool.get_user("ada").attributes
    flag = client.app.api(
        "UpdateUserAttributes", UserAttributes=pairs(email_verified="true"), **token
    )
    assert error(flag) == "NotAuthorizedException"


def test_user_deletes_the_own_account(client):
    token = client.access("linus")
    assert client.app.api("DeleteUser", **token).content == b""
    assert error(client.app.api("AdminGetUser", Username="linus")) == "UserNotFoundException"


def test_token_needs_the_scope(client):
    token = client.pool.tokens_for("ada", ["openid"])["access_token"]
    body = {"UserAttributes": pairs(name="x")}
    refused = client.app.api("UpdateUserAttributes", AccessToken=token, **body)
    assert error(refused) == "NotAuthorizedException"
