"""The administrator's operations: users' attributes, groups, clients, resource servers, domains."""

import jwt
import pytest
import requests

from local_pool import service_model
from local_pool.api import OPERATIONS
from local_pool.api_clients import DEFAULT_FLOWS

from .api_client import PASSWORD, ApiClient
from .conftest import CALLBACK as CB
from .conftest import App
from .test_api import attributes, error
from .test_sign_up_api import pairs


def claims_of(token: str) -> dict[str, object]:
    return jwt.decode(token, options={"verify_signature": False})


def change(app: App, username: str = "ada", **values: str):
    body = {"Username": username, "UserAttributes": pairs(**values)}
    return app.api("AdminUpdateUserAttributes", **body)


# Users


def test_new_address_loses_its_flag_unless_it_is_sent_along(app):
    change(app, email="ada@example.org")
    assert app.pool.get_user("ada").attributes["email_verified"] == "false"
    change(app, email="ada@example.net", email_verified="True")
    assert app.pool.get_user("ada").attributes["email_verified"] == "true"
    change(app, email="ada@example.net")
    assert app.pool.get_user("ada").attributes["email_verified"] == "true"


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"email": "grace@example.com", "email_verified": "true"}, "AliasExistsException"),
        ({"email": "nonsense"}, "InvalidParameterException"),
        ({"sub": "1"}, "InvalidParameterException"),
        ({"shoe_size": "43"}, "InvalidParameterException"),
    ],
)
def test_attribute_is_refused(app, values, kind):
    assert error(change(app, **values)) == kind


def test_declared_custom_attributes_are_the_only_ones(app):
    assert change(app, custom__anything="x").status_code == 200
    schema = [{"Name": "department", "AttributeDataType": "String"}]
    app.api("AddCustomAttributes", CustomAttributes=schema)
    assert change(app, custom__department="x").status_code == 200
    assert error(change(app, custom__anything="x")) == "InvalidParameterException"
    assert error(app.api("AddCustomAttributes", CustomAttributes=schema))
    names = app.api("DescribeUserPool").json()["UserPool"]["SchemaAttributes"]
    assert "custom:department" in [attribute["Name"] for attribute in names]
    app.api("AdminDeleteUserAttributes", Username="ada", UserAttributeNames=["custom:department"])
    assert "custom:department" not in app.pool.get_user("ada").attributes


def test_attribute_has_the_type_and_the_options_of_its_schema(app):
    schema = [
        {"Name": "level", "AttributeDataType": "Number"},
        {"Name": "tenant", "AttributeDataType": "String", "Mutable": False},
    ]
    app.api("AddCustomAttributes", CustomAttributes=schema)
    described = app.api("DescribeUserPool").json()["UserPool"]["SchemaAttributes"]
    [tenant] = [each for each in described if each["Name"] == "custom:tenant"]
    assert (tenant["AttributeDataType"], tenant["Mutable"]) == ("String", False)
    initial = pairs(custom__tenant="a", custom__level="1")
    made = app.api("AdminCreateUser", Username="mary", UserAttributes=initial)
    assert made.status_code == 200
    assert change(app, "mary", custom__level="2").status_code == 200
    assert error(change(app, "mary", custom__level="high")) == "InvalidParameterException"
    refused = change(app, "mary", custom__tenant="b").json()["message"]
    assert refused == "user.custom:tenant: Attribute cannot be updated."
    assert error(app.api("AddCustomAttributes", CustomAttributes=[{"Mutable": True}]))
    required = [{"Name": "other", "AttributeDataType": "String", "Required": True}]
    assert error(app.api("AddCustomAttributes", CustomAttributes=required))


def test_user_is_found_by_sub_and_by_address(app):
    for name in (app.pool.get_user("ada").sub, "Ada@example.com"):
        assert app.api("AdminGetUser", Username=name).json()["Username"] == "ada"


def test_permanent_and_temporary_passwords(app):
    client = ApiClient(app)
    body = {"Username": "ada", "Password": "Another-demo-2"}
    app.api("AdminSetUserPassword", **body, Permanent=True)
    assert "AuthenticationResult" in client.password("ada", "Another-demo-2").json()
    app.api("AdminSetUserPassword", **body)
    assert client.password("ada", "Another-demo-2").json()["ChallengeName"]
    assert error(app.api("AdminSetUserPassword", **body | {"Password": "weak"}))


def test_password_policy_is_changed(app):
    policy = {"MinimumLength": 14, "RequireNumbers": True}
    changed = app.api("UpdateUserPool", Policies={"PasswordPolicy": policy})
    assert changed.status_code == 200
    described = app.api("DescribeUserPool").json()["UserPool"]["Policies"]
    assert policy.items() <= described["PasswordPolicy"].items()
    assert described["PasswordPolicy"]["RequireSymbols"] is False
    assert described["SignInPolicy"]["AllowedFirstAuthFactors"] == ["PASSWORD"]
    for password, problem in (
        ("Cognito-demo1", "Password not long enough"),
        ("cognito-demo-no", "Password must have numeric characters"),
        ("14-characters!", ""),
    ):
        response = app.api("AdminSetUserPassword", Username="ada", Password=password)
        message = f"Password did not conform with policy: {problem}"
        assert response.json().get("message", "") == (message if problem else "")
    assert app.api("AdminCreateUser", Username="mary").status_code == 200
    page = app.get("/signup", client_id=app.pool.client_id, response_type="code", redirect_uri=CB)
    assert "At least 14 characters and a number." in page.text
    history = {"PasswordPolicy": {"PasswordHistorySize": 2}}
    factors = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "SMS_OTP"]}}
    for policies in (history, factors):
        response = app.api("UpdateUserPool", Policies=policies)
        assert error(response) == "InvalidParameterException"
    both = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}
    assert app.api("UpdateUserPool", Policies=both).status_code == 200
    assert app.pool.pool.config.first_auth_factors == ("PASSWORD", "EMAIL_OTP")
    assert app.pool.pool.config.password_min_length == 14


@pytest.mark.parametrize(
    "body",
    [
        {"MessageAction": "NEVER"},
        {"UserAttributes": pairs(email="nonsense")},
        {"Username": ""},
        {"Username": "x" * 129},
    ],
)
def test_user_is_not_created(app, body):
    refused = app.api("AdminCreateUser", **{"Username": "mary"} | body)
    assert error(refused) == "InvalidParameterException"


def test_address_is_moved_to_a_new_user_only_by_force(app):
    body = {"Username": "mary", "UserAttributes": pairs(email="ada@example.com")}
    body["UserAttributes"] += pairs(email_verified="true")
    assert error(app.api("AdminCreateUser", **body)) == "UsernameExistsException"
    app.api("AdminCreateUser", **body, ForceAliasCreation=True)
    assert app.pool.get_user("ada@example.com").username == "mary"


def test_list_shows_the_attributes_that_were_asked_for(app):
    users = app.api("ListUsers", AttributesToGet=["email"]).json()["Users"]
    assert [list(attributes(user["Attributes"])) for user in users] == [["email"]] * 3
    assert error(app.api("ListUsers", Limit=61)) == "InvalidParameterException"
    everything = app.api("ListUsers", AttributesToGet=[], Limit=1).json()["Users"][0]
    assert len(everything["Attributes"]) > 1
    custom = app.api("ListUsers", Filter='custom:a = "x"')
    assert custom.json()["message"] == "Invalid search attribute: custom:a"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (r'name = "Ada \"the\" \\"', ["ada"]),
        ('cognito:user_status = "Confirmed"', ["ada", "grace", "linus"]),
        ('status = "Enabled"', ["ada", "grace", "linus"]),
        ('status = "enabled"', []),
        ('username = "ADA"', []),
        ('email^="g"', ["grace"]),
    ],
)
def test_filter_selects_users(app, text, names):
    change(app, name='Ada "the" \\')
    users = app.api("ListUsers", Filter=text).json()["Users"]
    assert [user["Username"] for user in users] == names


@pytest.mark.parametrize("text", ['name = "a" and email = "b"', "name = a", '名 = "a"'])
def test_malformed_filter_is_refused(app, text):
    response = app.api("ListUsers", Filter=text)
    assert error(response) == "InvalidParameterException"
    assert response.json()["message"] == "Error while parsing filter."


# Groups


def test_roles_of_groups_are_in_the_id_token(app):
    def claims() -> dict[str, object]:
        tokens = app.tokens()
        assert "cognito:roles" not in claims_of(tokens["access_token"])
        return claims_of(tokens["id_token"])

    assert "cognito:roles" not in claims()
    for name, precedence in (("low", 9), ("high", 1), ("tie", 1), ("none", None)):
        rank = {} if precedence is None else {"Precedence": precedence}
        role = f"arn:aws:iam::000000000000:role/{name}"
        app.api("CreateGroup", GroupName=name, RoleArn=role, **rank)
        app.api("AdminAddUserToGroup", GroupName=name, Username="ada")
    tied = claims()
    assert {role.rpartition("/")[2] for role in tied["cognito:roles"]} == {
        *("low", "high", "tie", "none")
    }
    assert "cognito:preferred_role" not in tied
    app.api("AdminRemoveUserFromGroup", GroupName="tie", Username="ada")
    assert claims()["cognito:preferred_role"].endswith("role/high")


def test_group_is_created_changed_and_deleted(app):
    role = "arn:aws:iam::000000000000:role/writers"
    made = app.api("CreateGroup", GroupName="writers", Precedence=0, RoleArn=role).json()["Group"]
    assert made["Precedence"] == 0
    assert error(app.api("CreateGroup", GroupName="writers")) == "GroupExistsException"
    app.api("UpdateGroup", GroupName="writers", Description="They write.")
    got = app.api("GetGroup", GroupName="writers").json()["Group"]
    assert (got["Description"], got["RoleArn"]) == ("They write.", role)
    app.api("AdminAddUserToGroup", Username="linus", GroupName="writers")
    members = app.api("ListUsersInGroup", GroupName="writers").json()["Users"]
    assert [user["Username"] for user in members] == ["linus"]
    app.pool.restart()
    groups = app.api("ListGroups").json()["Groups"]
    assert [group["GroupName"] for group in groups] == ["admins", "editors", "writers"]
    for name in ("writers", "admins"):  # the second one is declared in pool.toml
        assert app.api("DeleteGroup", GroupName=name).content == b""
        assert error(app.api("GetGroup", GroupName=name)) == "ResourceNotFoundException"
    assert app.pool.get_user("linus").groups == ()
    app.pool.do("reset")
    assert app.api("GetGroup", GroupName="admins").status_code == 200


def test_lists_have_pages(app):
    first = app.api("ListGroups", Limit=1).json()
    second = app.api("ListGroups", Limit=1, NextToken=first["NextToken"]).json()
    assert second["Groups"][0]["GroupName"] == "editors"
    assert "NextToken" not in second
    assert error(app.api("ListGroups", NextToken="x")) == "InvalidParameterException"


# App clients


def test_client_is_created_used_changed_and_deleted(app):
    made = app.api(
        "CreateUserPoolClient",
        ClientName="cli",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"],
        AccessTokenValidity=5,
        TokenValidityUnits={"AccessToken": "minutes"},
        RefreshTokenRotation={"Feature": "ENABLED", "RetryGracePeriodSeconds": 10},
    ).json()["UserPoolClient"]
    assert "ClientSecret" not in made
    client = ApiClient(app, made["ClientId"])
    result = client.password().json()["AuthenticationResult"]
    assert result["ExpiresIn"] == 300
    body = {"ClientId": made["ClientId"], "RefreshToken": result["RefreshToken"]}
    rotated = app.api("GetTokensFromRefreshToken", **body).json()["AuthenticationResult"]
    assert rotated["RefreshToken"] != result["RefreshToken"]
    app.pool.restart()
    assert client.password().status_code == 200
    changed = app.api(
        "UpdateUserPoolClient", ClientId=made["ClientId"], PreventUserExistenceErrors="LEGACY"
    ).json()["UserPoolClient"]
    assert changed["ExplicitAuthFlows"] == [*DEFAULT_FLOWS]
    assert changed["ClientName"] == "cli"
    assert changed["RefreshTokenRotation"]["Feature"] == "DISABLED"
    assert error(client.srp("nobody")) == "UserNotFoundException"
    ids = [c["ClientId"] for c in app.api("ListUserPoolClients").json()["UserPoolClients"]]
    assert made["ClientId"] in ids
    assert app.pool.client_id in ids
    assert app.api("DeleteUserPoolClient", ClientId=made["ClientId"]).content == b""
    assert error(client.password()) == "ResourceNotFoundException"


def test_client_with_a_secret_uses_the_hosted_ui(app):
    callback = "https://app.example.com/callback"
    made = app.api(
        "CreateUserPoolClient",
        ClientName="web2",
        GenerateSecret=True,
        AllowedOAuthFlows=["code"],
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthScopes=["openid", "stats/read"],
        CallbackURLs=[callback],
        SupportedIdentityProviders=["COGNITO"],
    ).json()["UserPoolClient"]
    url = {"client_id": made["ClientId"], "redirect_uri": callback, "scope": "openid stats/read"}
    auth = (made["ClientId"], made["ClientSecret"])
    tokens = app.redeem(app.code(**url), auth=auth, redirect_uri=callback)
    assert tokens.status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"ClientName": "a", "CallbackURLs": ["http://example.com/"]},
        {"ClientName": "a", "AnalyticsConfiguration": {}},
        {"ClientName": "a", "AccessTokenValidity": 25},
        {"ClientName": "a", "ReadAttributes": ["unknown"]},
        {"ClientName": "a", "DefaultRedirectURI": "https://example.com/"},
        {"ClientName": "a", "AllowedOAuthFlowsUserPoolClient": True},
        {"ClientName": "a", "EnableTokenRevocation": False},
        {"ClientName": "a", "RefreshTokenRotation": {"Feature": "ENABLED"}},
        {},
    ],
)
def test_client_is_not_created(app, body):
    assert error(app.api("CreateUserPoolClient", **body)) == "InvalidParameterException"


# Resource servers, domains, the pool


def test_resource_server_defines_scopes(app):
    scopes = [{"ScopeName": "read", "ScopeDescription": "Read books"}]
    body = {"Identifier": "books", "Name": "Books"}
    app.api("CreateResourceServer", Scopes=scopes, **body)
    assert error(app.api("CreateResourceServer", **body)) == "InvalidParameterException"
    flows = {"AllowedOAuthFlows": ["client_credentials"], "GenerateSecret": True}
    flows["AllowedOAuthFlowsUserPoolClient"] = True
    made = app.api(
        "CreateUserPoolClient", ClientName="m", AllowedOAuthScopes=["books/read"], **flows
    ).json()["UserPoolClient"]
    auth = (made["ClientId"], made["ClientSecret"])
    assert app.token(auth=auth, grant_type="client_credentials").status_code == 200
    servers = app.api("ListResourceServers").json()["ResourceServers"]
    assert [server["Identifier"] for server in servers] == ["stats", "books"]
    app.api("UpdateResourceServer", **body | {"Name": "All books"}, Scopes=scopes)
    described = app.api("DescribeResourceServer", Identifier="books").json()["ResourceServer"]
    assert described["Name"] == "All books"
    app.api("DeleteResourceServer", Identifier="books")
    assert error(app.api("DescribeResourceServer", Identifier="books"))


def test_domain_is_registered_and_deleted(app):
    name = {"Domain": "my-login"}
    assert app.api("DescribeUserPoolDomain", **name).json() == {"DomainDescription": {}}
    app.api("CreateUserPoolDomain", **name)
    described = app.api("DescribeUserPoolDomain", **name).json()["DomainDescription"]
    assert described["Status"] == "ACTIVE"
    assert app.api("DescribeUserPool").json()["UserPool"]["Domain"] == "my-login"
    assert error(app.api("CreateUserPoolDomain", Domain="second"))
    changed = app.api("UpdateUserPoolDomain", ManagedLoginVersion=2, **name)
    assert changed.json() == {"ManagedLoginVersion": 2}
    described = app.api("DescribeUserPoolDomain", **name).json()["DomainDescription"]
    assert described["ManagedLoginVersion"] == 2
    wrong = app.api("UpdateUserPoolDomain", ManagedLoginVersion=3, **name)
    assert error(wrong) == "InvalidParameterException"
    app.pool.do("plan lite")
    refused = app.api("UpdateUserPoolDomain", ManagedLoginVersion=2, **name)
    assert error(refused) == "FeatureUnavailableInTierException"
    unknown = app.api("UpdateUserPoolDomain", Domain="other")
    assert error(unknown) == "ResourceNotFoundException"
    app.api("DeleteUserPoolDomain", **name)
    assert error(app.api("DeleteUserPoolDomain", **name)) == "InvalidParameterException"


def test_pool_is_described_and_listed(app):
    described = app.api("DescribeUserPool").json()["UserPool"]
    assert described["MfaConfiguration"] == "OFF"
    assert described["EstimatedNumberOfUsers"] == 3
    pools = app.api("ListUserPools", MaxResults=5).json()["UserPools"]
    assert [pool["Id"] for pool in pools] == [app.pool.pool_id]


# Every operation checks its request by AWS's model


VALUES = {
    "ClientId": "4localwebclient5demo6only7",
    "Username": "ada",
    "GroupName": "admins",
    "AuthFlow": "USER_PASSWORD_AUTH",
    "ChallengeName": "EMAIL_OTP",
    "Session": "s" * 30,
    "Password": PASSWORD,
    "UserCode": "123456",
    "UserSessionTracking": "ENABLED",
    "TokenSession": {"MaxPerUser": 5},
    "SSOSession": {"MaxValidityMinutes": 5},
    "SessionId": "tkn" + "a" * 25,
    "CustomAttributes": [{"Name": "a", "AttributeDataType": "String"}],
    "UserAttributes": [{"Name": "name", "Value": "Ada"}],
    "UserAttributeNames": ["name"],
    "ClientSecretId": "4localwebclient5demo6only7--0",
    "MaxResults": 5,
    "AccessToken": "a.b.c",
    "RefreshToken": "a.b.c.d.e",
    "Token": "a.b.c.d.e",
}
CHECKED = [name for name in sorted(OPERATIONS) if name != "GetSecretValue"]


def minimal_body(operation: str) -> dict:
    required = service_model.operation_model(operation).input_shape.required_members
    return {name: VALUES.get(name, "text") for name in required if name != "UserPoolId"}


def test_minimal_request_never_fails_in_the_pool(app):
    for operation in CHECKED:
        status = app.api(operation, **minimal_body(operation)).status_code
        assert status in (200, 400), operation


def test_invalid_members_are_refused(app):
    for operation in CHECKED:
        shape, body = service_model.operation_model(operation).input_shape, minimal_body(operation)
        for name, member in shape.members.items():
            wrong = {"string": 5, "integer": "5", "boolean": "true"}.get(member.type_name, "text")
            refused = app.api(operation, **body | {name: wrong})
            assert error(refused) == "SerializationException", (operation, name)


def test_machine_gets_a_token_without_a_domain(app):
    config = app.pool.config
    client = {"ClientId": config.machine_client_id, "Secret": config.machine_client_secret}
    result = app.api("GetClientToken", Scopes=["stats/read"], **client).json()
    claims = jwt.decode(
        result["ClientAuthenticationResult"]["AccessToken"], options={"verify_signature": False}
    )
    assert (claims["scope"], claims["client_id"]) == ("stats/read", config.machine_client_id)
    wrong = app.api("GetClientToken", **client | {"Secret": "x" * 24})
    assert error(wrong) == "NotAuthorizedException"


@pytest.mark.parametrize("operation", ["AdminInitiateAuth", "CreateUserPoolClient", "SignUp"])
def test_message_names_the_constraint(app, operation):
    shape, body = service_model.operation_model(operation).input_shape, minimal_body(operation)
    for name in shape.required_members:
        refused = app.api(operation, **body | {name: None})
        member = f"{name[0].lower()}{name[1:]}"
        expected = (
            f"1 validation error detected: Value null at '{member}' failed to satisfy"
            " constraint: Member must not be null"
        )
        assert refused.json()["message"] == expected


# Pages of another origin


ORIGIN = {"Origin": "http://localhost:3000"}


def test_page_may_call_public_operations(app):
    ask = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-amz-target,x-amz-user-agent",
    }
    preflight = requests.options(f"{app.pool.url}/", headers=ORIGIN | ask, timeout=60)
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert "x-amz-target" in preflight.headers["Access-Control-Allow-Headers"]
    target = {"X-Amz-Target": "AWSCognitoIdentityProviderService.InitiateAuth"}
    body = {"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": app.pool.config.public_client_id}
    body["AuthParameters"] = {"USERNAME": "ada", "PASSWORD": PASSWORD}
    allowed = requests.post(f"{app.pool.url}/", json=body, headers=ORIGIN | target, timeout=60)
    assert allowed.status_code == 200
    assert allowed.headers["Access-Control-Allow-Origin"] == "*"
    wrong = body | {"AuthParameters": {"USERNAME": "ada", "PASSWORD": "wrong"}}
    refused = requests.post(f"{app.pool.url}/", json=wrong, headers=ORIGIN | target, timeout=60)
    assert refused.headers["Access-Control-Expose-Headers"] == "x-amzn-errortype"


def test_page_may_not_call_an_administrators_operation(app):
    target = {"X-Amz-Target": "AWSCognitoIdentityProviderService.AdminDisableUser"}
    body = {"UserPoolId": app.pool.pool_id, "Username": "ada"}
    refused = requests.post(f"{app.pool.url}/", json=body, headers=ORIGIN | target, timeout=60)
    assert refused.status_code == 403
    assert app.pool.get_user("ada").enabled
