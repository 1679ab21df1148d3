"""Identity providers: federated users, linked users, and the errors of their callbacks."""

import json
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from local_pool.testing import LocalPool

from .conftest import App
from .pages import Pages
from .test_api import attributes, error


@pytest.fixture
def app(make_local_pool) -> App:
    return App(make_local_pool(identity_providers=["Google", "Acme"]))


def sign_in(app: App, subject: str = "117", provider: str = "Google", **form: str):
    """Sign in at the provider, and return the parameters of the callback."""
    pages = Pages(app.authorize_url(identity_provider=provider))
    callback = pages.submit("/_local/provider", subject=subject, **form)
    assert callback is not None, pages.alert
    return {name: values[0] for name, values in parse_qs(urlsplit(callback).query).items()}


def id_claims(app: App, **form: str) -> dict:
    tokens = app.redeem(sign_in(app, **form)["code"]).json()
    return jwt.decode(tokens["id_token"], options={"verify_signature": False})


def test_user_of_a_provider_becomes_a_user_of_the_pool(app):
    claims = id_claims(app, email="Mary@example.org", name="Mary Shelley")
    assert claims["cognito:username"] == "Google_117"
    assert claims["email_verified"] is False
    assert claims["cognito:groups"] == [f"{app.pool.pool_id}_Google"]
    assert claims["amr"] == ["fed"]
    [identity] = claims["identities"]
    assert identity["userId"] == "117"
    assert (identity["providerName"], identity["providerType"]) == ("Google", "Google")
    assert identity["primary"] == "true"
    user = app.api("AdminGetUser", Username="google_117").json()
    assert user["UserStatus"] == "EXTERNAL_PROVIDER"
    stored = attributes(user["UserAttributes"])
    assert json.loads(stored["identities"]) == [identity]


def test_next_sign_in_is_the_same_user_with_new_attributes(app):
    first = id_claims(app, email="mary@example.org")
    app.pool.restart()
    second = id_claims(app, email="mary@example.net")
    assert second["sub"] == first["sub"]
    assert second["email"] == "mary@example.net"
    assert id_claims(app, subject="118")["sub"] != first["sub"]


def test_linked_identity_signs_in_the_user_of_the_pool(app):
    link = {
        "DestinationUser": {"ProviderName": "Cognito", "ProviderAttributeValue": "ada"},
        "SourceUser": {
            "ProviderName": "Acme",
            "ProviderAttributeName": "Cognito_Subject",
            "ProviderAttributeValue": "a-1",
        },
    }
    app.api("AdminLinkProviderForUser", **link)
    claims = id_claims(app, subject="a-1", provider="Acme")
    assert claims["cognito:username"] == "ada"
    assert claims["identities"][0]["primary"] == "false"
    assert error(app.api("AdminLinkProviderForUser", **link)) == "InvalidParameterException"
    app.api("AdminDisableProviderForUser", User=link["SourceUser"])
    assert id_claims(app, subject="a-1", provider="Acme")["cognito:username"] == "Acme_a-1"


def test_disabled_user_of_a_provider_is_refused(app):
    sign_in(app)
    identity = {"ProviderName": "Google", "ProviderAttributeValue": "117"}
    app.api("AdminDisableProviderForUser", User=identity)
    refused = sign_in(app)
    assert refused["error"] == "invalid_request"
    assert refused["error_description"] == "User is not enabled"


def test_malformed_identities_are_ignored(app):
    body = [{"Name": "identities", "Value": "nonsense"}]
    app.api("AdminUpdateUserAttributes", Username="ada", UserAttributes=body)
    assert id_claims(app)["cognito:username"] == "Google_117"
    assert app.tokens()["id_token"]


def test_taken_username_is_cognitos_error(app):
    app.api("AdminCreateUser", Username="Google_117")
    refused = sign_in(app)
    assert refused["error_description"] == "Already found an entry for username Google_117"


def test_next_sign_in_fails_with_the_text_of_the_command(app):
    text = "PreSignUp failed with error Sign up with your company address please."
    app.pool.do(f"provider-error {text!r}")
    refused = sign_in(app)
    assert refused == {
        "error_description": text,
        "state": "a-state",
        "error": "invalid_request",
    }
    assert "code" in sign_in(app)


def test_sign_in_page_has_a_button_for_each_provider(app):
    pages = Pages(app.authorize_url())
    pages.follow("Continue with Acme")
    assert "Sign in with Acme" in pages.text
    pages.submit("/_local/provider", subject=" ")
    assert pages.alert == "Enter the ID of a user at the provider."
    assert "Sign in with Acme" in pages.text


def test_browser_session_of_a_federated_user_is_single_sign_on(app):
    pages = Pages(app.authorize_url(identity_provider="Google"))
    pages.submit("/_local/provider", subject="117")
    again = app.authorize(pages.session)
    assert again.headers["Location"].startswith("http://localhost:8000/signin?code=")


def test_kit_signs_in_at_a_provider_that_a_command_adds():
    with LocalPool() as pool:
        app = App(pool)
        refused = app.authorize(identity_provider="Google")
        assert "error=invalid_request" in refused.headers["Location"]
        pool.do("providers Google")
        assert app.code("117", identity_provider="Google")
        assert pool.get_user("Google_117").attributes["email"] == "117@example.com"
        pool.do("heal")
        assert pool.pool.config.identity_providers == ()


def test_providers_are_listed_and_described(app):
    listed = app.api("ListIdentityProviders").json()["Providers"]
    assert [(p["ProviderName"], p["ProviderType"]) for p in listed] == [
        ("Google", "Google"),
        ("Acme", "OIDC"),
    ]
    described = app.api("DescribeIdentityProvider", ProviderName="Acme").json()
    assert described["IdentityProvider"]["ProviderType"] == "OIDC"
    unknown = app.api("DescribeIdentityProvider", ProviderName="None")
    assert error(unknown) == "ResourceNotFoundException"
    client = app.api("DescribeUserPoolClient", ClientId=app.pool.client_id).json()
    providers = client["UserPoolClient"]["SupportedIdentityProviders"]
    assert providers == ["COGNITO", "Google", "Acme"]
