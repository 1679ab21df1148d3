"""InitiateAuth and RespondToAuthChallenge: the flows, their challenges and their refusals."""

import json

import jwt
import pytest

from local_pool.testing import LocalPool, Seed

from .api_client import PASSWORD, ApiClient
from .conftest import App
from .srp_client import SrpClient
from .test_api import error


@pytest.fixture
def client(app: App) -> ApiClient:
    return ApiClient(app)


@pytest.fixture
def public(app: App) -> ApiClient:
    return ApiClient(app, app.pool.config.public_client_id)


def claims(token: str) -> dict:
    return jwt.decode(token, options={"verify_signature": False})


def sentence(response, kind: str) -> str:
    assert error(response) == kind
    return response.json()["message"]


@pytest.mark.parametrize("username", ["ada", "ADA", "ada@example.com", "sub"])
def test_password_gets_tokens_for_the_api(client, username):
    username = client.pool.get_user("ada").sub if username == "sub" else username
    response = client.password(username).json()
    assert response["ChallengeParameters"] == {}
    result = response["AuthenticationResult"]
    assert result["TokenType"] == "Bearer"
    assert result["ExpiresIn"] == 3600
    access, identity = claims(result["AccessToken"]), claims(result["IdToken"])
    assert access["scope"] == "aws.cognito.signin.user.admin"
    assert access["username"] == identity["cognito:username"] == "ada"
    assert identity["email"] == "ada@example.com"
    assert identity["email_verified"] is True
    assert access["origin_jti"] == identity["origin_jti"]
    assert "version" not in access
    assert "at_hash" not in identity
    me = client.app.api("GetUser", AccessToken=result["AccessToken"]).json()
    assert me["Username"] == "ada"
    assert "UserMFASettingList" not in me


@pytest.mark.parametrize("flow", ["ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"])
def test_administrators_flow_needs_the_administrators_operation(client, flow):
    response = client.start(flow, admin="Admin", PASSWORD=PASSWORD)
    assert "AccessToken" in response.json()["AuthenticationResult"]
    refused = client.start(flow, PASSWORD=PASSWORD)
    assert sentence(refused, "InvalidParameterException") == "Initiate Auth method not supported."


@pytest.mark.parametrize("name", ["username", "sub"])
def test_refresh_keeps_the_sign_in(client, name):
    first, user = client.tokens(), client.pool.get_user("ada")
    token = {"REFRESH_TOKEN": first["RefreshToken"]}
    key = getattr(user, name)
    response = client.start("REFRESH_TOKEN_AUTH", SECRET_HASH=client.hash(key), **token)
    second = response.json()["AuthenticationResult"]
    assert "RefreshToken" not in second
    before, after = claims(first["AccessToken"]), claims(second["AccessToken"])
    assert before["origin_jti"] == after["origin_jti"]
    assert "IdToken" in second
    wrong = client.start("REFRESH_TOKEN_AUTH", SECRET_HASH=client.hash("grace"), **token)
    assert "secret hash" in sentence(wrong, "NotAuthorizedException")


def test_refresh_flow_is_off_with_rotation(make_local_pool):
    client = ApiClient(App(make_local_pool(rotate_refresh_tokens=True)))
    token = client.tokens()["RefreshToken"]
    assert error(client.start("REFRESH_TOKEN", REFRESH_TOKEN=token)) == "InvalidParameterException"


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"PASSWORD": "wrong"}, "Incorrect username or password."),
        ({"PASSWORD": PASSWORD, "USERNAME": "nobody"}, "Incorrect username or password."),
        ({"PASSWORD": PASSWORD, "SECRET_HASH": "AAAA"}, "Unable to verify secret hash for client"),
        ({"PASSWORD": PASSWORD, "SECRET_HASH": ""}, "SECRET_HASH was not received"),
    ],
)
def test_wrong_credentials_are_not_authorized(client, sent, message):
    username = sent.pop("USERNAME", "ada")
    response = client.start("USER_PASSWORD_AUTH", username, **sent)
    assert message in sentence(response, "NotAuthorizedException")


def test_public_client_has_no_secret_hash(public):
    response = public.start("USER_PASSWORD_AUTH", PASSWORD=PASSWORD, SECRET_HASH="AAAA")
    assert error(response) == "NotAuthorizedException"


def test_second_secret_makes_a_valid_hash(client):
    body = {"ClientId": client.client_id}
    made = client.app.api("AddUserPoolClientSecret", **body).json()["ClientSecretDescriptor"]
    for secret in (client.secret, made["ClientSecretValue"]):
        client.secret = secret
        assert client.password().status_code == 200


def test_unknown_user_is_named_by_a_client_with_legacy_errors(make_local_pool):
    pool = make_local_pool(prevent_user_existence_errors=False)
    client = ApiClient(App(pool))
    for response in (client.password("nobody"), client.srp("nobody")):
        assert sentence(response, "UserNotFoundException") == "User does not exist."


@pytest.mark.parametrize("flow", ["USER_PASSWORD_AUTH", "USER_SRP_AUTH", "CUSTOM_AUTH"])
def test_flow_must_be_allowed(make_local_pool, flow):
    client = ApiClient(App(make_local_pool(explicit_auth_flows=["ALLOW_REFRESH_TOKEN_AUTH"])))
    response = client.start(flow, PASSWORD=PASSWORD, SRP_A="2")
    assert error(response) == "InvalidParameterException"


def test_missing_parameter_is_named(client):
    response = client.start("USER_PASSWORD_AUTH")
    expected = "Missing required parameter PASSWORD"
    assert sentence(response, "InvalidParameterException") == expected


def test_disabled_user_is_not_authorized(client):
    client.pool.disable("ada")
    assert sentence(client.password(), "NotAuthorizedException") == "User is disabled."


def test_username_is_locked_after_wrong_passwords(client, public):
    for _ in range(3):
        client.password(password="wrong")
        public.srp(password="wrong")
    assert sentence(client.password(), "NotAuthorizedException") == "Password attempts exceeded"


# SRP


@pytest.mark.parametrize("username", ["ada", "Ada@Example.com"])
def test_srp_proves_the_password(public, username):
    result = public.srp(username).json()["AuthenticationResult"]
    assert claims(result["AccessToken"])["username"] == "ada"


def test_srp_works_for_a_client_with_a_secret_and_after_a_new_password(client):
    user = {"Username": "linus", "Password": "Another-demo-2", "Permanent": True}
    client.app.api("AdminSetUserPassword", **user)
    assert "AuthenticationResult" in client.srp("linus", "Another-demo-2").json()
    assert error(client.srp("linus")) == "NotAuthorizedException"


def test_srp_answer_works_once(public):
    srp = SrpClient(public.pool.pool_id)
    step = public.start("USER_SRP_AUTH", SRP_A=f"{srp.public:x}").json()
    answer = srp.answer(step["ChallengeParameters"], PASSWORD)
    malformed = answer | {"TIMESTAMP": "Sat Nov 08 12:00:00 UTC 2026"}
    name = answer.pop("USERNAME")
    assert error(public.answer(step, name, **malformed | {"USERNAME": name}))
    again = public.start("USER_SRP_AUTH", SRP_A=f"{srp.public:x}").json()
    answer = srp.answer(again["ChallengeParameters"], PASSWORD)
    name = answer.pop("USERNAME")
    assert "AuthenticationResult" in public.answer(again, name, **answer).json()
    replayed = public.answer(again, name, **answer)
    assert sentence(replayed, "NotAuthorizedException") == "Invalid session for the user."


def test_unknown_user_seems_to_have_a_salt(public):
    salts = set()
    for _ in range(2):
        step = public.start("USER_SRP_AUTH", "nobody", SRP_A="2").json()["ChallengeParameters"]
        salts.add((step["SALT"], step["USER_ID_FOR_SRP"]))
    assert len(salts) == 1
    refused = public.srp("nobody")
    assert sentence(refused, "NotAuthorizedException") == "Incorrect username or password."


@pytest.mark.parametrize("public_value", ["0", "zz", "-1"])
def test_public_value_that_breaks_srp_is_refused(public, public_value):
    assert error(public.start("USER_SRP_AUTH", SRP_A=public_value)) == "InvalidParameterException"


# A temporary password


def test_invited_user_chooses_a_password():
    with LocalPool(people=[Seed("mary", temporary=True)]) as pool:
        client = ApiClient(App(pool))
        step = client.password("mary").json()
        assert step["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
        parameters = step["ChallengeParameters"]
        assert json.loads(parameters["userAttributes"])["email"] == "mary@example.com"
        assert json.loads(parameters["requiredAttributes"]) == []
        new = {"NEW_PASSWORD": "Another-demo-2", "userAttributes.name": "Mary Shelley"}
        weak = client.answer(step, "mary", NEW_PASSWORD="weak")
        assert error(weak) == "InvalidPasswordException"
        assert "AuthenticationResult" in client.answer(step, "mary", **new).json()
        assert error(client.answer(step, "mary", **new)) == "NotAuthorizedException"
        assert "AuthenticationResult" in client.srp("mary", "Another-demo-2").json()
        assert pool.get_user("mary").attributes["name"] == "Mary Shelley"


def test_session_belongs_to_its_client_and_its_challenge_and_expires(client, public):
    user = {"Username": "ada", "Password": PASSWORD, "Permanent": False}
    client.app.api("AdminSetUserPassword", **user)
    step = client.password().json()
    new = {"NEW_PASSWORD": "Another-demo-2"}
    assert error(public.answer(step, **new)) == "NotAuthorizedException"
    other = step | {"ChallengeName": "EMAIL_OTP"}
    assert error(client.answer(other, EMAIL_OTP_CODE="1")) == "NotAuthorizedException"
    client.pool.clock.advance(181)
    assert error(client.answer(step, **new)) == "NotAuthorizedException"


def test_challenge_is_answered_by_its_own_user(client):
    body = {"Username": "grace", "Password": PASSWORD}
    client.app.api("AdminSetUserPassword", **body)
    step = client.password("grace").json()
    response = client.answer(step, "ada", NEW_PASSWORD=PASSWORD)
    assert sentence(response, "NotAuthorizedException") == "Invalid session for the user."
    assert client.answer(step, "grace@example.com", NEW_PASSWORD=PASSWORD).status_code == 200


def test_deleted_user_is_not_found(client):
    tokens, token = client.tokens(), client.access()
    client.app.api("AdminDeleteUser", Username="ada")
    body = {"ClientId": client.client_id, "RefreshToken": tokens["RefreshToken"]}
    body["ClientSecret"] = client.secret
    for response in (
        client.app.api("GetUser", **token),
        client.app.api("GetTokensFromRefreshToken", **body),
    ):
        assert sentence(response, "UserNotFoundException") == "User does not exist."
    assert error(client.app.api("GlobalSignOut", **token)) == "NotAuthorizedException"


def test_unconfirmed_and_reset_users_get_exceptions_of_their_own(client):
    attributes = [{"Name": "email", "Value": "new@example.com"}]
    client.call("SignUp", "new", Password=PASSWORD, UserAttributes=attributes)
    assert error(client.password("new")) == "UserNotConfirmedException"
    client.app.api("AdminResetUserPassword", Username="ada")
    assert error(client.password()) == "PasswordResetRequiredException"


# Second factors


@pytest.fixture
def mfa(make_local_pool) -> ApiClient:
    return ApiClient(App(make_local_pool(mfa="optional")))


def test_authenticator_app_is_asked_for_and_its_code_works_once(mfa):
    secret = mfa.set_up_totp()
    mfa.pool.clock.advance(60)
    step = mfa.srp().json()
    assert step["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    wrong = mfa.answer(step, SOFTWARE_TOKEN_MFA_CODE="000000")
    assert error(wrong) == "CodeMismatchException"
    code = mfa.code_of(secret)
    result = mfa.answer(step, SOFTWARE_TOKEN_MFA_CODE=code).json()["AuthenticationResult"]
    assert claims(result["AccessToken"])["amr"] == ["pwd", "otp", "mfa"]
    assert claims(result["IdToken"])["acr"] == "urn:cognito:loa:4"
    used = mfa.answer(mfa.password().json(), SOFTWARE_TOKEN_MFA_CODE=code)
    expected = "Your software token has already been used once."
    assert sentence(used, "ExpiredCodeException") == expected


def test_user_with_two_factors_chooses_one(mfa):
    mfa.set_up_totp()
    both = {
        "SoftwareTokenMfaSettings": {"Enabled": True, "PreferredMfa": False},
        "EmailMfaSettings": {"Enabled": True},
    }
    mfa.app.api("AdminSetUserMFAPreference", Username="ada", **both)
    step = mfa.password().json()
    assert step["ChallengeName"] == "SELECT_MFA_TYPE"
    choices = json.loads(step["ChallengeParameters"]["MFAS_CAN_CHOOSE"])
    assert choices == ["SOFTWARE_TOKEN_MFA", "EMAIL_OTP"]
    step = mfa.answer(step, ANSWER="EMAIL_OTP").json()
    assert step["ChallengeParameters"]["CODE_DELIVERY_DESTINATION"] == "a***@e***"
    code = mfa.pool.mailbox[-1].code
    result = mfa.answer(step, EMAIL_OTP_CODE=code).json()["AuthenticationResult"]
    assert claims(result["AccessToken"])["amr"] == ["pwd", "email_otp", "mfa"]
    described = mfa.app.api("AdminGetUser", Username="ada").json()
    assert described["UserMFASettingList"] == choices
    assert "PreferredMfaSetting" not in described


def test_required_factor_is_set_up_during_the_sign_in(make_local_pool):
    client = ApiClient(App(make_local_pool(mfa="on")))
    step = client.password().json()
    assert step["ChallengeName"] == "MFA_SETUP"
    assert step["ChallengeParameters"]["MFAS_CAN_SETUP"] == '["SOFTWARE_TOKEN_MFA"]'
    early = client.answer(step)
    assert error(early) == "NotAuthorizedException"
    step = client.password().json()
    made = client.app.api("AssociateSoftwareToken", Session=step["Session"]).json()
    code = client.code_of(made["SecretCode"])
    body = {"Session": made["Session"], "UserCode": code}
    wrong = client.app.api("VerifySoftwareToken", **body | {"UserCode": "000000"})
    assert error(wrong) == "EnableSoftwareTokenMFAException"
    verified = client.app.api("VerifySoftwareToken", **body).json()
    assert verified["Status"] == "SUCCESS"
    done = client.answer(step | {"Session": verified["Session"]})
    assert "AuthenticationResult" in done.json()
    assert client.password().json()["ChallengeName"] == "SOFTWARE_TOKEN_MFA"


def test_pool_without_mfa_refuses_its_operations(client):
    token = client.access()
    refused = client.app.api("AssociateSoftwareToken", **token)
    assert error(refused) == "SoftwareTokenMFANotFoundException"
    settings = {"EmailMfaSettings": {"Enabled": True}}
    assert error(client.app.api("SetUserMFAPreference", **settings, **token))
    client.app.api("SetUserPoolMfaConfig", MfaConfiguration="OPTIONAL")
    assert client.app.api("GetUserPoolMfaConfig").json()["MfaConfiguration"] == "OPTIONAL"
    unverified = {"SoftwareTokenMfaSettings": {"Enabled": True}}
    assert error(client.app.api("SetUserMFAPreference", **unverified, **token))
    assert client.app.api("SetUserMFAPreference", **settings, **token).status_code == 200
    assert client.password().json()["ChallengeName"] == "EMAIL_OTP"


def test_administrator_deletes_an_authenticator_app(mfa):
    mfa.set_up_totp()
    mfa.app.api("AdminDeleteSoftwareToken", Username="ada")
    assert "AuthenticationResult" in mfa.password().json()


# The choice of the first factor


@pytest.fixture
def choice(make_local_pool) -> ApiClient:
    return ApiClient(App(make_local_pool(first_auth_factors=["PASSWORD", "EMAIL_OTP"])))


def test_user_chooses_a_factor(choice):
    step = choice.start("USER_AUTH").json()
    assert step["ChallengeName"] == "SELECT_CHALLENGE"
    assert step["AvailableChallenges"] == ["PASSWORD", "PASSWORD_SRP", "EMAIL_OTP"]
    step = choice.answer(step, ANSWER="EMAIL_OTP").json()
    assert step["ChallengeName"] == "EMAIL_OTP"
    assert error(choice.answer(step, EMAIL_OTP_CODE="000000")) == "CodeMismatchException"
    code = choice.pool.mailbox[-1].code
    result = choice.answer(step, EMAIL_OTP_CODE=code).json()["AuthenticationResult"]
    assert claims(result["AccessToken"])["amr"] == ["email_otp"]


def test_password_is_sent_with_the_choice_or_afterwards(choice):
    step = choice.start("USER_AUTH").json()
    done = choice.answer(step, ANSWER="PASSWORD", PASSWORD=PASSWORD)
    assert "AuthenticationResult" in done.json()
    step = choice.start("USER_AUTH", PREFERRED_CHALLENGE="PASSWORD").json()
    assert step["ChallengeName"] == "PASSWORD"
    assert "AuthenticationResult" in choice.answer(step, PASSWORD=PASSWORD).json()
    srp = SrpClient(choice.pool.pool_id)
    preferred = {"PREFERRED_CHALLENGE": "PASSWORD_SRP", "SRP_A": f"{srp.public:x}"}
    step = choice.start("USER_AUTH", **preferred).json()
    answer = srp.answer(step["ChallengeParameters"], PASSWORD)
    assert "AuthenticationResult" in choice.answer(step, **answer).json()


def test_lite_has_no_choice(choice):
    choice.pool.do("plan lite")
    assert error(choice.start("USER_AUTH")) == "FeatureUnavailableInTierException"


def test_unknown_user_gets_choices_and_a_pretended_code(choice):
    step = choice.start("USER_AUTH", "nobody").json()
    step = choice.answer(step, "nobody", ANSWER="EMAIL_OTP").json()
    refused = choice.answer(step, "nobody", EMAIL_OTP_CODE="000000")
    assert error(refused) == "CodeMismatchException"
    assert choice.pool.mailbox == []


def test_password_is_the_only_choice_by_default(client):
    step = client.start("USER_AUTH", PREFERRED_CHALLENGE="EMAIL_OTP").json()
    assert step["AvailableChallenges"] == ["PASSWORD", "PASSWORD_SRP"]
    assert error(client.answer(step, ANSWER="EMAIL_OTP")) == "InvalidParameterException"


def test_confirmed_sign_up_signs_in_without_another_code(choice):
    attributes = [{"Name": "email", "Value": "mary@example.com"}]
    made = choice.call("SignUp", "mary", UserAttributes=attributes).json()
    code = choice.pool.mailbox[-1].code
    session = {"Session": made["Session"], "ConfirmationCode": code}
    confirmed = choice.call("ConfirmSignUp", "mary", **session).json()
    result = choice.start("USER_AUTH", "mary", Session=confirmed["Session"]).json()
    assert "AuthenticationResult" in result
    again = choice.start("USER_AUTH", "mary", Session=confirmed["Session"])
    assert error(again) == "NotAuthorizedException"
