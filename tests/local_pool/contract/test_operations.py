"""The cognito-idp JSON operations: sections 4.7, 5.1 and 5.2 of the contract.

Operations with a user's access token or a client's secret need no signature at Cognito. The
administrator's operations do, so that they are only checked with the local pool.
"""

import pytest
import requests

from tests.local_pool.contract.browser import Browser
from tests.local_pool.contract.target import SECONDS, parameters, unique, unverified_claims
from tests.local_pool.contract.test_refresh import rotating


def refused(response, kind, message=""):
    assert response.status_code == 400, response.text
    body = response.json()
    assert body["__type"].rpartition("#")[2] == kind
    return message in (body.get("message") or body.get("Message") or "")


def secret(target):
    return {"ClientId": target.client_id, "ClientSecret": target.client_secret}


def attributes(described):
    pairs = described.get("UserAttributes") or described.get("Attributes")
    return {pair["Name"]: pair["Value"] for pair in pairs}


# With the client's secret


def test_refresh_token_is_exchanged(target, tokens):
    response = target.call(
        "GetTokensFromRefreshToken", RefreshToken=tokens["refresh_token"], **secret(target)
    )
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("application/x-amz-json-1.1")
    result = response.json()["AuthenticationResult"]
    assert set(result) - {"RefreshToken"} == {"AccessToken", "IdToken", "ExpiresIn", "TokenType"}
    assert target.verified(result["AccessToken"])["token_use"] == "access"
    assert target.verified(result["IdToken"])["token_use"] == "id"


def test_exchange_keeps_the_sign_in(target, tokens):
    response = target.call(
        "GetTokensFromRefreshToken", RefreshToken=tokens["refresh_token"], **secret(target)
    )
    after = unverified_claims(response.json()["AuthenticationResult"]["AccessToken"])
    before = unverified_claims(tokens["access_token"])
    assert after["origin_jti"] == before["origin_jti"]


@pytest.mark.parametrize("token", ["x", "a.b.c.d.e"])
def test_unknown_refresh_token_is_not_authorized(target, token):
    response = target.call("GetTokensFromRefreshToken", RefreshToken=token, **secret(target))
    assert refused(response, "NotAuthorizedException", "Invalid Refresh Token")


def test_wrong_secret_is_not_authorized(target, tokens):
    body = secret(target) | {"ClientSecret": "x" * 40}
    response = target.call(
        "GetTokensFromRefreshToken", RefreshToken=tokens["refresh_token"], **body
    )
    assert refused(response, "NotAuthorizedException")


def test_revoked_refresh_token_is_named_so(target, tokens):
    response = target.call("RevokeToken", Token=tokens["refresh_token"], **secret(target))
    assert (response.status_code, response.json()) == (200, {})
    response = target.call(
        "GetTokensFromRefreshToken", RefreshToken=tokens["refresh_token"], **secret(target)
    )
    assert refused(response, "NotAuthorizedException", "Refresh Token has been revoked")


def test_only_refresh_tokens_can_be_revoked(target, tokens):
    response = target.call("RevokeToken", Token=tokens["access_token"], **secret(target))
    assert refused(response, "UnsupportedTokenTypeException")


@rotating(grace=10)
def test_rotation_gives_a_successor_and_refuses_reuse_by_name(control, target, tokens):
    body = secret(target) | {"RefreshToken": tokens["refresh_token"]}
    first = target.call("GetTokensFromRefreshToken", **body).json()["AuthenticationResult"]
    assert target.refresh(first["RefreshToken"]).status_code == 200
    control.clock.advance(11)
    response = target.call("GetTokensFromRefreshToken", **body)
    assert refused(response, "RefreshTokenReuseException")


@pytest.mark.parametrize(
    ("act", "message"),
    [("disable", "User is disabled."), ("sign_out_everywhere", "Refresh Token has been revoked")],
)
def test_refresh_of_a_removed_user_has_the_reason(control, target, tokens, act, message):
    getattr(control, act)("ada")
    response = target.call(
        "GetTokensFromRefreshToken", RefreshToken=tokens["refresh_token"], **secret(target)
    )
    assert refused(response, "NotAuthorizedException", message)


# With the user's access token


def test_user_reads_their_attributes(target, tokens):
    described = target.call("GetUser", AccessToken=tokens["access_token"]).json()
    claims = unverified_claims(tokens["access_token"])
    assert described["Username"] == claims["username"]
    assert attributes(described)["sub"] == claims["sub"]
    assert attributes(described)["email_verified"] in ("true", "false")


@pytest.mark.parametrize("operation", ["GetUser", "GlobalSignOut"])
def test_own_operations_need_their_scope(target, operation):
    token = target.tokens(scope="openid email")["access_token"]
    response = target.call(operation, AccessToken=token)
    assert refused(response, "NotAuthorizedException", "Access Token does not have required scopes")


def test_revoked_access_token_is_named_so(target, tokens):
    target.revoke(tokens["refresh_token"])
    response = target.call("GetUser", AccessToken=tokens["access_token"])
    assert refused(response, "NotAuthorizedException", "Access Token has been revoked")


def test_garbage_is_not_authorized(target):
    assert refused(target.call("GetUser", AccessToken="a.b.c"), "NotAuthorizedException")


def test_global_sign_out_ends_every_sign_in_but_not_the_browsers_session(target):
    browser = Browser(target.url)
    one, two = target.tokens(browser), target.tokens()
    response = target.call("GlobalSignOut", AccessToken=one["access_token"])
    assert (response.status_code, response.json()) == (200, {})
    for ended in (one, two):
        assert target.refresh(ended["refresh_token"]).json()["error"] == "invalid_grant"
        assert target.user_info(ended["access_token"]).status_code == 401
        assert target.verified(ended["access_token"])
    callback = browser.open(target.authorize_url(prompt="none"))
    assert "code" in parameters(callback)


# The protocol


def test_unknown_operation_is_named(target):
    assert refused(target.call("MakeTea"), "UnknownOperationException")


def test_missing_member_is_an_invalid_parameter(target):
    assert refused(target.call("GetTokensFromRefreshToken"), "InvalidParameterException")


def test_body_that_is_not_json_is_a_serialization_error(target):
    address = target.issuer.rpartition("/")[0]
    headers = {
        "X-Amz-Target": "AWSCognitoIdentityProviderService.GetUser",
        "Content-Type": "application/x-amz-json-1.1",
    }
    response = requests.post(f"{address}/", "{not json", headers=headers, timeout=SECONDS)
    assert refused(response, "SerializationException")


# For administrators


@pytest.fixture
def created(control, target):
    name = unique("joan")
    pairs = [{"Name": "email", "Value": f"{name}@example.com"}]
    response = target.call("AdminCreateUser", Username=name, UserAttributes=pairs)
    assert response.status_code == 200, response.text
    return response.json()["User"]


def test_created_user_is_described(created):
    assert created["Enabled"] is True
    assert created["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    assert {"sub", "email"} <= set(attributes(created))
    assert type(created["UserCreateDate"]) in (int, float)


def test_created_user_can_be_read_and_listed(target, created):
    name = created["Username"]
    read = target.call("AdminGetUser", Username=name).json()
    assert attributes(read) == attributes(created)
    for rule in (f'username = "{name}"', f'email = "{name}@example.com"', f'username ^= "{name}"'):
        users = target.call("ListUsers", Filter=rule).json()["Users"]
        assert [user["Username"] for user in users] == [name]


def test_username_is_taken_once(target, created):
    response = target.call("AdminCreateUser", Username=created["Username"])
    assert refused(response, "UsernameExistsException")


def test_deleted_user_does_not_exist(target, created):
    assert target.call("AdminDeleteUser", Username=created["Username"]).content == b""
    response = target.call("AdminGetUser", Username=created["Username"])
    assert refused(response, "UserNotFoundException", "User does not exist.")


@pytest.mark.parametrize(
    "operation",
    [
        "AdminGetUser",
        "AdminDisableUser",
        "AdminEnableUser",
        "AdminDeleteUser",
        "AdminUserGlobalSignOut",
        "AdminListGroupsForUser",
    ],
)
def test_unknown_user_is_not_found(control, target, operation):
    assert refused(target.call(operation, Username="nobody"), "UserNotFoundException")


def test_disabled_user_is_shown_so_until_enabled(control, target):
    for operation, enabled in (("AdminDisableUser", False), ("AdminEnableUser", True)):
        assert target.call(operation, Username="ada").json() == {}
        assert target.call("AdminGetUser", Username="ada").json()["Enabled"] is enabled


@pytest.mark.parametrize("operation", ["AdminDisableUser", "AdminUserGlobalSignOut"])
def test_administrator_ends_sign_ins(control, target, tokens, operation):
    target.call(operation, Username="ada")
    assert target.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert target.user_info(tokens["access_token"]).status_code == 401


def test_groups_of_a_user_are_listed(control, target):
    groups = target.call("AdminListGroupsForUser", Username="ada").json()["Groups"]
    assert [group["GroupName"] for group in groups] == ["admins"]


def test_client_is_described(control, target):
    body = {"ClientId": target.client_id, "UserPoolId": control.pool_id}
    client = target.call("DescribeUserPoolClient", **body).json()["UserPoolClient"]
    assert client["ClientId"] == target.client_id
    assert target.callback_url in client["CallbackURLs"]
    assert target.logout_url in client["LogoutURLs"]
    assert client["AllowedOAuthFlows"] == ["code"]
    assert client["RefreshTokenRotation"]["Feature"] == "DISABLED"
    assert "openid" in client["AllowedOAuthScopes"]


def test_unknown_client_and_pool_are_not_found(control, target):
    unknown = target.call("DescribeUserPoolClient", ClientId="doesnotexist")
    assert refused(unknown, "ResourceNotFoundException")
    other = target.call("ListUsers", UserPoolId="us-east-1_AnotherPool")
    assert refused(other, "ResourceNotFoundException")


# Two secrets of a client: the API reference's AddUserPoolClientSecret, ClientSecretDescriptorType


@pytest.fixture
def own_client(control, target):
    return {"UserPoolId": control.pool_id, "ClientId": target.client_id}


def ids(target, own_client):
    listed = target.call("ListUserPoolClientSecrets", **own_client).json()["ClientSecrets"]
    assert not any("ClientSecretValue" in item for item in listed)
    return [item["ClientSecretId"] for item in listed]


def test_second_secret_is_valid_like_the_first(control, target, tokens, own_client):
    [first] = ids(target, own_client)
    made = target.call("AddUserPoolClientSecret", **own_client).json()["ClientSecretDescriptor"]
    assert ids(target, own_client) == [first, made["ClientSecretId"]]
    assert made["ClientSecretId"].startswith(f"{target.client_id}--")
    old, new = [
        (target.client_id, secret) for secret in (target.client_secret, made["ClientSecretValue"])
    ]
    for auth in (old, new):
        assert target.refresh(tokens["refresh_token"], auth=auth).status_code == 200
    gone = target.call("DeleteUserPoolClientSecret", **own_client, ClientSecretId=first)
    assert gone.status_code == 200
    assert ids(target, own_client) == [made["ClientSecretId"]]
    response = target.refresh(tokens["refresh_token"], auth=old)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_client")
    assert target.refresh(tokens["refresh_token"], auth=new).status_code == 200


def test_chosen_secret_is_not_returned(control, target, tokens, own_client):
    chosen = "a_secret_of_24_characters"
    made = target.call("AddUserPoolClientSecret", **own_client, ClientSecret=chosen).json()
    assert "ClientSecretValue" not in made["ClientSecretDescriptor"]
    auth = (target.client_id, chosen)
    assert target.refresh(tokens["refresh_token"], auth=auth).status_code == 200


def test_third_secret_is_refused_and_so_is_deleting_the_last(control, target, own_client):
    [first] = ids(target, own_client)
    last = target.call("DeleteUserPoolClientSecret", **own_client, ClientSecretId=first)
    assert refused(last, "InvalidParameterException")
    assert target.call("AddUserPoolClientSecret", **own_client).status_code == 200
    third = target.call("AddUserPoolClientSecret", **own_client)
    assert refused(third, "LimitExceededException")
    unknown = target.call("DeleteUserPoolClientSecret", **own_client, ClientSecretId="nonsense")
    assert refused(unknown, "ResourceNotFoundException")


@pytest.mark.parametrize("value", ["too_short", "a" * 65, "with-a-dash-and-24-characters"])
def test_secret_of_another_shape_is_refused(control, target, own_client, value):
    response = target.call("AddUserPoolClientSecret", **own_client, ClientSecret=value)
    assert refused(response, "InvalidParameterException")
    assert len(ids(target, own_client)) == 1
