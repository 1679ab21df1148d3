"""The settings of app clients: flows, lifetimes, default URL, and permissions for attributes."""

import re

import jwt
import pytest
import requests

from .api_client import ApiClient
from .conftest import App
from .test_api import error
from .test_sign_up_api import pairs

CALLBACKS = ["https://app.example.com/one", "https://app.example.com/two"]
OAUTH = {
    "ClientName": "a",
    "GenerateSecret": True,
    "AllowedOAuthFlowsUserPoolClient": True,
    "AllowedOAuthFlows": ["code"],
    "AllowedOAuthScopes": ["openid", "email", "profile"],
    "CallbackURLs": CALLBACKS,
    "SupportedIdentityProviders": ["COGNITO"],
}
PERMISSIONS = {
    "ClientName": "b",
    "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"],
    "ReadAttributes": ["name"],
    "WriteAttributes": ["name"],
}


def create(app, **body):
    response = app.api("CreateUserPoolClient", **body)
    assert response.status_code == 200, response.text
    return response.json()["UserPoolClient"]


def claims(token):
    return jwt.decode(token, options={"verify_signature": False})


def test_settings_are_described_as_they_were_sent(app):
    sent = OAUTH | {
        "AccessTokenValidity": 60,
        "RefreshTokenValidity": 10,
        "TokenValidityUnits": {"AccessToken": "minutes"},
        "DefaultRedirectURI": CALLBACKS[1],
        "AuthSessionValidity": 5,
        "ExplicitAuthFlows": ["ALLOW_CUSTOM_AUTH", "ALLOW_USER_SRP_AUTH"],
    }
    made = create(app, **sent)
    del sent["GenerateSecret"]
    assert {name: made[name] for name in sent} == sent
    least = create(app, ClientName="least")
    assert least["RefreshTokenValidity"] == 30
    assert "ALLOW_CUSTOM_AUTH" in least["ExplicitAuthFlows"]
    assert {"AccessTokenValidity", "TokenValidityUnits", "ReadAttributes"}.isdisjoint(least)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"AllowedOAuthFlows": ["code", "client_credentials"]}, "InvalidOAuthFlowException"),
        (
            {"AllowedOAuthFlows": ["client_credentials"], "GenerateSecret": False},
            "InvalidOAuthFlowException",
        ),
        ({"AllowedOAuthScopes": ["unknown/scope"]}, "ScopeDoesNotExistException"),
        ({"IdTokenValidity": 25}, "InvalidParameterException"),
        (
            {"RefreshTokenValidity": 59, "TokenValidityUnits": {"RefreshToken": "minutes"}},
            "InvalidParameterException",
        ),
    ],
)
def test_impossible_settings_are_refused(app, changes, kind):
    assert error(app.api("CreateUserPoolClient", **OAUTH | changes)) == kind


def test_client_without_the_oauth_switch_has_no_hosted_ui(app):
    made = create(app, **OAUTH | {"AllowedOAuthFlowsUserPoolClient": False})
    assert made["AllowedOAuthFlows"] == ["code"]
    response = app.authorize(client_id=made["ClientId"], redirect_uri=CALLBACKS[0])
    assert "error=unauthorized_client" in response.headers["Location"]


def test_default_url_replaces_redirect_uri(app):
    made = create(app, **OAUTH, DefaultRedirectURI=CALLBACKS[1])
    response = app.authorize(client_id=made["ClientId"], redirect_uri=None, prompt="none")
    assert response.headers["Location"].startswith(f"{CALLBACKS[1]}?error=login_required")


def test_page_only_has_the_clients_providers(make_local_pool):
    app = App(make_local_pool(identity_providers=["Google", "Acme"]))
    for providers, buttons, fields in (
        (["COGNITO", "Google"], {"Google"}, True),
        (["Acme"], {"Acme"}, False),
    ):
        made = create(app, **OAUTH | {"SupportedIdentityProviders": providers})
        query = {"client_id": made["ClientId"], "redirect_uri": CALLBACKS[0]}
        page = requests.get(app.authorize_url(**query), timeout=10).text
        assert set(re.findall(r"identity_provider=(\w+)", page)) == buttons
        assert ('name="password"' in page) == fields
        other = app.authorize(identity_provider=({"Google", "Acme"} - buttons).pop(), **query)
        assert "error=invalid_request" in other.headers["Location"]
    with pytest.raises(AssertionError, match="Sign in with one of the identity providers"):
        app.pool.sign_in(app.authorize_url(**query), "ada")
    none = create(app, **OAUTH | {"SupportedIdentityProviders": []})
    refused = app.authorize(client_id=none["ClientId"], redirect_uri=CALLBACKS[0])
    assert "error=invalid_request" in refused.headers["Location"]


def test_user_existence_errors_are_off_by_default(app):
    made = create(app, ClientName="a", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"])
    assert made["PreventUserExistenceErrors"] == "LEGACY"
    assert error(ApiClient(app, made["ClientId"]).password("nobody")) == "UserNotFoundException"


@pytest.mark.parametrize(("validity", "status"), [({}, 400), ({"AuthSessionValidity": 5}, 200)])
def test_challenge_is_valid_as_long_as_the_client_says(app, validity, status):
    app.pool.do("mfa on")
    flows = ["ALLOW_USER_PASSWORD_AUTH"]
    made = create(app, ClientName="c", ExplicitAuthFlows=flows, **validity)
    step = ApiClient(app, made["ClientId"]).password().json()
    app.pool.clock.advance(4 * 60)
    response = app.api("AssociateSoftwareToken", Session=step["Session"])
    assert response.status_code == status


def test_client_only_reads_and_writes_what_it_may(app):
    client = ApiClient(app, create(app, **PERMISSIONS)["ClientId"])
    result = client.tokens()
    assert "name" in claims(result["IdToken"])
    assert "email" not in claims(result["IdToken"])
    token = {"AccessToken": result["AccessToken"]}
    shown = {pair["Name"] for pair in app.api("GetUser", **token).json()["UserAttributes"]}
    assert shown == {"sub", "name"}
    changed = app.api("UpdateUserAttributes", UserAttributes=pairs(name="Ada"), **token)
    assert changed.status_code == 200
    for operation, body in (
        ("UpdateUserAttributes", {"UserAttributes": pairs(nickname="A")}),
        ("DeleteUserAttributes", {"UserAttributeNames": ["email"]}),
    ):
        response = app.api(operation, **body, **token)
        message = "A client attempted to write unauthorized attribute"
        assert (error(response), response.json()["message"]) == ("NotAuthorizedException", message)
    body = {"Password": "Cognito-demo-1", "UserAttributes": pairs(email="a@example.com")}
    assert error(client.call("SignUp", "new", **body)) == "NotAuthorizedException"


@pytest.mark.parametrize(
    ("readable", "status"), [(["email", "email_verified", "name"], 200), (["email"], 400)]
)
def test_scope_requires_its_attributes_to_be_readable(app, readable, status):
    made = create(app, **OAUTH, ReadAttributes=readable)
    client = {"client_id": made["ClientId"], "redirect_uri": CALLBACKS[0]}
    auth = (made["ClientId"], made["ClientSecret"])
    response = app.redeem(app.code(**client), auth=auth, redirect_uri=CALLBACKS[0])
    assert response.status_code == status
    if status == 400:
        assert response.json() == {"error": "invalid_grant"}
    else:
        user_info = app.user_info(response.json()["access_token"]).json()
        assert user_info["email"] == "ada@example.com"
