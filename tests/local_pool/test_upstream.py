"""An upstream provider: a second local pool, over HTTP, with linking, and its failures."""

from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests

from local_pool.testing import LocalPool, OidcProvider, Seed

from .conftest import CALLBACK, App
from .pages import Pages
from .test_api import error

MAPPING = {"email": "email", "email_verified": "email_verified", "name": "name"}


@pytest.fixture
def acme(make_local_pool) -> LocalPool:
    """The user pool of a company, which knows its users best."""
    people = [Seed("mary", name="Mary Shelley", email="mary@example.com"), Seed("percy")]
    return make_local_pool(id="local-2_Acme", people=people)


@pytest.fixture
def app(make_local_pool, acme) -> App:
    """An app of a pool whose users can sign in at the company."""
    app = App(make_local_pool())
    callback = {"CallbackURLs": [f"{app.pool.url}/oauth2/idpresponse"]}
    made = (
        App(acme)
        .api(
            "CreateUserPoolClient",
            ClientName="downstream",
            GenerateSecret=True,
            AllowedOAuthFlows=["code"],
            AllowedOAuthFlowsUserPoolClient=True,
            SupportedIdentityProviders=["COGNITO"],
            AllowedOAuthScopes=["openid", "email", "profile"],
            **callback,
        )
        .json()["UserPoolClient"]
    )
    details = {
        "oidc_issuer": acme.issuer,
        "client_id": made["ClientId"],
        "client_secret": made["ClientSecret"],
        "authorize_scopes": "openid email profile",
    }
    created = app.api(
        "CreateIdentityProvider",
        ProviderName="Acme",
        ProviderType="OIDC",
        ProviderDetails=details,
        AttributeMapping=MAPPING | {"username": "sub"},
        IdpIdentifiers=["acme.example"],
    )
    assert created.json()["IdentityProvider"]["ProviderDetails"] == details
    return app


def sign_in(app: App, acme: LocalPool, username: str = "mary", **authorize: str) -> dict[str, str]:
    """Sign in at the company, and return the parameters of the app's callback."""
    browser = requests.Session()
    query = {"identity_provider": "Acme"} | authorize
    upstream = app.pool.sign_in(app.authorize_url(**query), username, session=browser)
    answer = acme.sign_in(upstream, username)
    callback = app.pool.sign_in(answer, username, session=browser)
    assert callback.startswith(CALLBACK)
    return {name: values[0] for name, values in parse_qs(urlsplit(callback).query).items()}


def claims(app: App, callback: dict[str, str]) -> dict:
    tokens = app.redeem(callback["code"]).json()
    return jwt.decode(tokens["id_token"], options={"verify_signature": False})


def test_user_signs_in_at_the_company_and_becomes_a_user_of_the_pool(app, acme):
    callback = sign_in(app, acme)
    assert callback["state"] == "a-state"
    user, sub = claims(app, callback), acme.get_user("mary").sub
    assert user["cognito:username"] == f"Acme_{sub}"
    assert (user["email"], user["email_verified"]) == ("mary@example.com", True)
    assert user["name"] == "Mary Shelley"
    assert user["cognito:groups"] == [f"{app.pool.pool_id}_Acme"]
    assert user["nonce"] == "a-nonce"
    assert user["amr"] == ["fed"]
    [identity] = user["identities"]
    assert (identity["userId"], identity["providerType"]) == (sub, "OIDC")

    # The next sign-in is the same user, with the attributes of today, also after a restart.
    renamed = [{"Name": "name", "Value": "Mary Godwin"}]
    App(acme).api("AdminUpdateUserAttributes", Username="mary", UserAttributes=renamed)
    app.pool.restart()
    again = claims(app, sign_in(app, acme, idp_identifier="acme.example", identity_provider=""))
    assert (again["sub"], again["name"]) == (user["sub"], "Mary Godwin")


def test_linked_identity_signs_in_a_user_of_the_pool(app, acme):
    source = {
        "ProviderName": "Acme",
        "ProviderAttributeName": "Cognito_Subject",
        "ProviderAttributeValue": acme.get_user("mary").sub,
    }
    destination = {"ProviderName": "Cognito", "ProviderAttributeValue": "ada"}
    app.api("AdminLinkProviderForUser", SourceUser=source, DestinationUser=destination)
    linked = claims(app, sign_in(app, acme))
    assert (linked["sub"], linked["cognito:username"]) == (app.pool.get_user("ada").sub, "ada")
    assert linked["identities"][0]["primary"] == "false"
    assert claims(app, sign_in(app, acme, "percy"))["sub"] != linked["sub"]
    app.api("AdminDisableProviderForUser", User=source)
    unlinked = claims(app, sign_in(app, acme))
    assert unlinked["cognito:username"].startswith("Acme_")


def test_sign_in_page_has_a_button_for_the_company(app, acme):
    pages = Pages(app.authorize_url())
    assert "Continue with Acme" in pages.text
    upstream = app.authorize(identity_provider="Acme", login_hint="mary", prompt="login")
    start = requests.get(upstream.headers["Location"], allow_redirects=False, timeout=60)
    url = start.headers["Location"]
    assert url.startswith(f"{acme.url}/oauth2/authorize?")
    query = parse_qs(urlsplit(url).query)
    assert (query["login_hint"], query["prompt"]) == (["mary"], ["login"])
    assert start.cookies["csrf-state"] == query["state"][0]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"endpoint": "token", "kind": "503"}, "Acme Error - 503 SERVICE UNAVAILABLE"),
        ({"endpoint": "token", "kind": "close"}, "Error occurred in calling IdP token endpoint"),
        ({"endpoint": "token", "kind": "garbage"}, "Acme Error - token is not a JSON object"),
        ({"endpoint": "userInfo", "kind": "500"}, "Acme Error - 500 INTERNAL SERVER ERROR"),
        ({"endpoint": "id-token", "kind": "wrong-nonce"}, "Invalid id_token: the nonce"),
        ({"endpoint": "id-token", "kind": "wrong-audience"}, "Invalid id_token: Audience"),
        ({"endpoint": "id-token", "kind": "wrong-issuer"}, "Invalid id_token: Invalid issuer"),
        ({"endpoint": "id-token", "kind": "wrong-key"}, "Invalid id_token: Signature"),
        ({"endpoint": "id-token", "kind": "expired"}, "Invalid id_token: Signature has expired"),
        ({"endpoint": "authorize", "kind": "denied"}, "Acme Error - User denied access"),
    ],
)
def test_failure_of_the_company_returns_to_the_app(app, acme, fault, expected):
    acme.faults.add(**fault, times=1)
    callback = sign_in(app, acme)
    assert callback["error"] == "invalid_request"
    assert callback["error_description"].startswith(expected)
    assert callback["state"] == "a-state"
    assert "code" in sign_in(app, acme)


def test_company_that_is_down_returns_to_the_app(app, acme):
    acme.stop()
    url = app.pool.sign_in(app.authorize_url(identity_provider="Acme"), "mary")
    expected = "Error occurred in calling IdP discovery endpoint"
    assert parse_qs(urlsplit(url).query)["error_description"] == [expected]


def test_lost_answer_of_the_company_is_an_outage_on_command(app, acme):
    app.pool.do("fail idpresponse 503 --times 1")
    browser = requests.Session()
    url = app.authorize_url(identity_provider="Acme")
    answer = acme.sign_in(app.pool.sign_in(url, "mary", session=browser), "mary")
    assert browser.get(answer, timeout=60).status_code == 503
    assert "code=" in app.pool.sign_in(answer, "mary", session=browser)


def test_answer_counts_once_and_in_the_browser_that_asked(app, acme):
    browser = requests.Session()
    upstream = app.pool.sign_in(
        app.authorize_url(identity_provider="Acme"), "mary", session=browser
    )
    answer = acme.sign_in(upstream, "mary")
    stranger = requests.get(answer, allow_redirects=False, timeout=60)
    assert "/error?error=invalid_request" in stranger.headers["Location"]
    assert "code=" in app.pool.sign_in(answer, "mary", session=browser)
    twice = browser.get(answer, allow_redirects=False, timeout=60)
    assert "/error?error=invalid_request" in twice.headers["Location"]


def test_provider_is_changed_and_deleted(app):
    refused = app.api("CreateIdentityProvider", ProviderName="Acme", ProviderType="OIDC",
                      ProviderDetails={})  # fmt: skip
    assert error(refused) == "DuplicateProviderException"
    saml = app.api("CreateIdentityProvider", ProviderName="Other", ProviderType="SAML",
                   ProviderDetails={})  # fmt: skip
    assert error(saml) == "InvalidParameterException"
    mapping = {"AttributeMapping": {"email": "mail"}}
    changed = app.api("UpdateIdentityProvider", ProviderName="Acme", **mapping).json()
    assert changed["IdentityProvider"]["AttributeMapping"] == {"email": "mail", "username": "sub"}
    found = app.api("GetIdentityProviderByIdentifier", IdpIdentifier="acme.example").json()
    assert found["IdentityProvider"]["ProviderName"] == "Acme"
    app.api("DeleteIdentityProvider", ProviderName="Acme")
    refused = app.authorize(identity_provider="Acme")
    assert "error=invalid_request" in refused.headers["Location"]


def test_provider_and_its_users_can_be_declared(make_local_pool, acme):
    provider = OidcProvider("Acme", acme.issuer, acme.client_id, acme.client_secret)
    people = [Seed("Acme_117", provider="Acme", email_verified=False)]
    app = App(make_local_pool(oidc_providers=[provider], people=people))
    user = app.api("AdminGetUser", Username="Acme_117").json()
    assert user["UserStatus"] == "EXTERNAL_PROVIDER"
    tokens = app.pool.tokens_for("Acme_117")
    declared = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert declared["identities"][0]["userId"] == "117"
    assert declared["cognito:groups"] == [f"{app.pool.pool_id}_Acme"]
