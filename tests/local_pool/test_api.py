"""The cognito-idp operations, as boto3 sends them."""

import pytest
import requests

from local_pool.testing import Client

from .conftest import App


def error(response) -> str:
    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/x-amz-json-1.1"
    assert response.headers["x-amzn-ErrorType"] == response.json()["__type"]
    return response.json()["__type"]


def attributes(described: list[dict[str, str]]) -> dict[str, str]:
    return {pair["Name"]: pair["Value"] for pair in described}


def test_user_is_created_described_and_deleted(app):
    pool_id = app.pool.pool_id
    created = app.api(
        "AdminCreateUser",
        UserPoolId=pool_id,
        Username="zoe",
        UserAttributes=[{"Name": "email", "Value": "zoe@example.com"}],
    ).json()["User"]
    assert created["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    got = app.api("AdminGetUser", UserPoolId=pool_id, Username="zoe").json()
    assert attributes(got["UserAttributes"])["sub"] == attributes(created["Attributes"])["sub"]
    assert got["Enabled"] is True
    assert app.api("AdminDeleteUser", UserPoolId=pool_id, Username="zoe").content == b""
    again = app.api("AdminGetUser", UserPoolId=pool_id, Username="zoe")
    assert error(again) == "UserNotFoundException"
    assert again.json()["message"] == "User does not exist."


def test_recreated_username_is_another_user(app):
    first = app.pool.get_user("linus").sub
    app.api("AdminDeleteUser", Username="linus")
    app.api("AdminCreateUser", Username="linus")
    assert app.pool.get_user("linus").sub != first


def test_existing_and_malformed_users_are_refused(app):
    assert error(app.api("AdminCreateUser", Username="ADA")) == "UsernameExistsException"
    assert error(app.api("AdminCreateUser", Username="a b")) == "InvalidParameterException"
    assert error(app.api("AdminCreateUser")) == "InvalidParameterException"
    weak = app.api("AdminCreateUser", Username="x", TemporaryPassword="weak")
    assert error(weak) == "InvalidPasswordException"


def test_disabling_and_enabling(app):
    tokens = app.tokens()
    app.api("AdminDisableUser", Username="ada")
    assert app.api("AdminGetUser", Username="ada").json()["Enabled"] is False
    response = app.api(
        "GetTokensFromRefreshToken",
        RefreshToken=tokens["refresh_token"],
        ClientId=app.pool.client_id,
        ClientSecret=app.pool.client_secret,
    )
    assert error(response) == "NotAuthorizedException"
    assert response.json()["message"] == "User is disabled."
    app.api("AdminEnableUser", Username="ada")
    assert app.api("AdminGetUser", Username="ada").json()["Enabled"] is True


def test_groups(app):
    app.api("AdminAddUserToGroup", Username="linus", GroupName="editors")
    app.api("AdminAddUserToGroup", Username="linus", GroupName="editors")
    groups = app.api("AdminListGroupsForUser", Username="linus").json()["Groups"]
    assert [group["GroupName"] for group in groups] == ["editors"]
    app.api("AdminRemoveUserFromGroup", Username="linus", GroupName="editors")
    assert app.api("AdminListGroupsForUser", Username="linus").json()["Groups"] == []
    unknown = app.api("AdminAddUserToGroup", Username="linus", GroupName="nobodies")
    assert error(unknown) == "ResourceNotFoundException"


def test_attributes_are_changed(app):
    changed = [{"Name": "name", "Value": "Ada King"}]
    app.api("AdminUpdateUserAttributes", Username="ada", UserAttributes=changed)
    assert app.pool.get_user("ada").attributes["name"] == "Ada King"
    assert app.pool.get_user("ada").attributes["email"] == "ada@example.com"


def test_users_are_listed_filtered_and_paged(app):
    def names(**body) -> list[str]:
        return [user["Username"] for user in app.api("ListUsers", **body).json()["Users"]]

    assert names() == ["ada", "grace", "linus"]
    assert names(Filter='email = "grace@example.com"') == ["grace"]
    assert names(Filter='username ^= "l"') == ["linus"]
    assert names(Filter=f'sub = "{app.pool.get_user("ada").sub}"') == ["ada"]
    assert names(Filter='status = "Disabled"') == []
    first = app.api("ListUsers", Limit=2).json()
    assert len(first["Users"]) == 2
    assert names(Limit=2, PaginationToken=first["PaginationToken"]) == ["linus"]
    assert error(app.api("ListUsers", Filter="nonsense")) == "InvalidParameterException"


def test_user_signs_out_everywhere_with_the_right_scope(app):
    tokens, other = app.tokens(scope="openid aws.cognito.signin.user.admin"), app.tokens()
    assert error(app.api("GlobalSignOut", AccessToken=other["access_token"]))
    me = app.api("GetUser", AccessToken=tokens["access_token"]).json()
    assert me["Username"] == "ada"
    assert app.api("GlobalSignOut", AccessToken=tokens["access_token"]).json() == {}
    again = app.api("GlobalSignOut", AccessToken=tokens["access_token"])
    assert error(again) == "NotAuthorizedException"
    assert app.refresh(other["refresh_token"]).status_code == 400


def test_administrator_signs_a_user_out_everywhere(app):
    tokens = app.tokens()
    app.api("AdminUserGlobalSignOut", Username="ada")
    assert app.user_info(tokens["access_token"]).status_code == 401


def test_refresh_token_is_exchanged_and_revoked(app):
    tokens = app.tokens()
    client = {"ClientId": app.pool.client_id, "ClientSecret": app.pool.client_secret}
    response = app.api("GetTokensFromRefreshToken", RefreshToken=tokens["refresh_token"], **client)
    result = response.json()["AuthenticationResult"]
    assert set(result) == {"AccessToken", "IdToken", "ExpiresIn", "TokenType"}
    wrong = client | {"ClientSecret": "wrong" * 6}
    refused = app.api("RevokeToken", Token=tokens["refresh_token"], **wrong)
    assert error(refused) == "UnauthorizedException"
    access = app.api("RevokeToken", Token=tokens["access_token"], **client)
    assert error(access) == "UnsupportedTokenTypeException"
    assert app.api("RevokeToken", Token=tokens["refresh_token"], **client).json() == {}
    gone = app.api("GetTokensFromRefreshToken", RefreshToken=tokens["refresh_token"], **client)
    assert gone.json()["message"] == "Refresh Token has been revoked"


def test_reused_refresh_token_has_an_exception_of_its_own(make_local_pool):
    app = App(make_local_pool(rotate_refresh_tokens=True))
    call = {
        "RefreshToken": app.tokens()["refresh_token"],
        "ClientId": app.pool.client_id,
        "ClientSecret": app.pool.client_secret,
    }
    first = app.api("GetTokensFromRefreshToken", **call).json()["AuthenticationResult"]
    assert first["RefreshToken"] != call["RefreshToken"]
    assert error(app.api("GetTokensFromRefreshToken", **call)) == "RefreshTokenReuseException"


def test_client_is_described(make_local_pool):
    pool = make_local_pool(rotate_refresh_tokens=True, refresh_grace_seconds=30)
    described = App(pool).api("DescribeUserPoolClient", ClientId=pool.client_id).json()
    client = described["UserPoolClient"]
    assert client["CallbackURLs"][0] == "http://localhost:8000/signin"
    assert client["RefreshTokenRotation"] == {"Feature": "ENABLED", "RetryGracePeriodSeconds": 30}
    assert client["ClientSecret"] == pool.client_secret
    public = App(pool).api("DescribeUserPoolClient", ClientId=pool.config.public_client_id).json()
    assert "ClientSecret" not in public["UserPoolClient"]
    unknown = App(pool).api("DescribeUserPoolClient", ClientId="nobody")
    assert error(unknown) == "ResourceNotFoundException"


def test_nonsense_is_refused_in_the_apis_own_way(app):
    assert error(app.api("DestroyEverything")) == "UnknownOperationException"
    foreign = app.api("ListUsers", UserPoolId="local-1_Another")
    assert error(foreign) == "ResourceNotFoundException"
    app.pool.faults.add("api", "429", times=1)
    assert error(app.api("ListUsers")) == "TooManyRequestsException"
    assert app.pool.counts()["api:ListUsers"] == 2


MALFORMED = (b"", b"[]", b"{not json", b"\xff", b"[" * 9999, b'{"Username": "\\ud800"}')


@pytest.mark.parametrize("body", MALFORMED)
def test_body_that_is_not_an_object_is_a_serialization_error(app, body):
    headers = {"X-Amz-Target": "AWSCognitoIdentityProviderService.AdminGetUser"}
    response = requests.post(f"{app.pool.url}/", data=body, headers=headers, timeout=60)
    assert error(response) in ("SerializationException", "InvalidParameterException")


def test_member_that_is_null_counts_as_absent(app):
    body = {"ClientId": app.pool.config.public_client_id, "Username": "mary"}
    body |= {"Password": "Cognito-demo-1", "UserAttributes": [{"Name": "name", "Value": None}]}
    headers = {"X-Amz-Target": "AWSCognitoIdentityProviderService.SignUp"}
    response = requests.post(f"{app.pool.url}/", json=body, headers=headers, timeout=10)
    assert response.json()["UserConfirmed"] is False


def test_message_may_name_anything_in_any_script(app):
    for name in ("名前", "a\nb"):
        values = [{"Name": f"custom:x{name}", "Value": "1"}]
        app.api("AddCustomAttributes", CustomAttributes=[{"Name": "team"}])
        response = app.api("AdminUpdateUserAttributes", Username="ada", UserAttributes=values)
        assert error(response) == "InvalidParameterException"
        assert response.headers["x-amzn-ErrorMessage"].isascii()


def test_extra_client_of_the_kit_is_a_client_like_any_other(make_local_pool):
    own = Client("extraclient", "s" * 24, callback_urls=("http://localhost:8000/signin",))
    app = App(make_local_pool(clients=[own]))
    code = app.code(client_id="extraclient")
    assert app.redeem(code, auth=("extraclient", "s" * 24)).status_code == 200
