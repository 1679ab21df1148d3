"""Passkeys: through the API, in the hosted UI, and their refusals."""

import json
import subprocess
import sys

import jwt
import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.cognito.loopback import ScriptedServer

from .api_client import ApiClient
from .conftest import CALLBACK, App
from .pages import Pages
from .software_authenticator import SoftwareAuthenticator
from .test_api import error

LEVELS = [f"urn:cognito:loa:{n}" for n in (1, 2, 3, 4)]
FACTORS = ["PASSWORD", "EMAIL_OTP", "WEB_AUTHN"]


@pytest.fixture
def app(make_local_pool) -> App:
    return App(make_local_pool(first_auth_factors=FACTORS))


@pytest.fixture
def client(app) -> ApiClient:
    return ApiClient(app)


@pytest.fixture
def authenticator(app) -> SoftwareAuthenticator:
    return SoftwareAuthenticator(app.pool.url)


def register(client: ApiClient, authenticator: SoftwareAuthenticator, username: str = "ada"):
    token = client.access(username)
    started = client.app.api("StartWebAuthnRegistration", **token)
    options = started.json()["CredentialCreationOptions"]
    return client.app.api(
        "CompleteWebAuthnRegistration", Credential=authenticator.create(options), **token
    )


def sign_in(client: ApiClient, authenticator: SoftwareAuthenticator):
    step = client.start("USER_AUTH", PREFERRED_CHALLENGE="WEB_AUTHN").json()
    options = json.loads(step["ChallengeParameters"]["CREDENTIAL_REQUEST_OPTIONS"])
    return client.answer(step, CREDENTIAL=json.dumps(authenticator.get(options)))


def amr_of(access_token: str) -> list[str]:
    return jwt.decode(access_token, options={"verify_signature": False})["amr"]


@pytest.mark.parametrize(("attachment", "amr"), [("platform", "swk"), ("cross-platform", "hwk")])
def test_passkey_signs_in_through_the_api(client, authenticator, attachment, amr):
    authenticator.attachment = attachment
    assert register(client, authenticator).status_code == 200
    client.pool.restart()
    step = client.start("USER_AUTH").json()
    assert step["AvailableChallenges"] == ["PASSWORD", "PASSWORD_SRP", "EMAIL_OTP", "WEB_AUTHN"]
    token = sign_in(client, authenticator).json()["AuthenticationResult"]["AccessToken"]
    assert amr_of(token) == [amr]
    assert jwt.decode(token, options={"verify_signature": False})["acr"] == LEVELS[2]


def test_passkeys_are_listed_and_deleted(client, authenticator):
    register(client, authenticator)
    token = client.access()
    again = client.app.api("StartWebAuthnRegistration", **token).json()
    options = again["CredentialCreationOptions"]
    assert {p["alg"] for p in options["pubKeyCredParams"]} == {-7, -257}
    assert options["rp"]["id"] == "localhost"
    listed = client.app.api("ListWebAuthnCredentials", **token).json()["Credentials"]
    assert [c["id"] for c in options["excludeCredentials"]] == [listed[0]["CredentialId"]]
    other = {"CredentialId": listed[0]["CredentialId"]}
    refused = client.app.api("DeleteWebAuthnCredential", **client.access("grace"), **other)
    assert error(refused) == "ResourceNotFoundException"
    client.app.api("DeleteWebAuthnCredential", **token, **other)
    assert client.app.api("ListWebAuthnCredentials", **token).json()["Credentials"] == []
    assert "WEB_AUTHN" not in client.start("USER_AUTH").json()["AvailableChallenges"]


def test_deleted_users_passkey_is_not_that_of_a_new_user(client, authenticator):
    register(client, authenticator)
    client.pool.delete("ada")
    client.app.api("AdminCreateUser", Username="ada")
    assert client.pool.pool.state.passkeys == {}
    assert "WEB_AUTHN" not in client.start("USER_AUTH").json()["AvailableChallenges"]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"origin": "http://localhost:1"}, "WebAuthnOriginNotAllowedException"),
        ({"party": "example.com"}, "WebAuthnRelyingPartyMismatchException"),
        ({"flags": 0}, "InvalidParameterException"),
    ],
)
def test_registration_is_refused(client, authenticator, changes, kind):
    vars(authenticator).update(changes)
    assert error(register(client, authenticator)) == kind


def test_registration_needs_its_own_challenge(client, authenticator):
    token = client.access()
    options = client.app.api("StartWebAuthnRegistration", **token).json()
    credential = authenticator.create(options["CredentialCreationOptions"])
    client.app.api("StartWebAuthnRegistration", **token)
    refused = client.app.api("CompleteWebAuthnRegistration", Credential=credential, **token)
    assert error(refused) == "WebAuthnClientMismatchException"
    used = client.app.api("CompleteWebAuthnRegistration", Credential=credential, **token)
    assert error(used) == "WebAuthnChallengeNotFoundException"


@pytest.mark.parametrize("changes", [{"origin": "http://localhost:1"}, {"flags": 0}, {"id": b"x"}])
def test_wrong_assertion_is_refused(client, authenticator, changes):
    register(client, authenticator)
    vars(authenticator).update(changes)
    assert error(sign_in(client, authenticator)) == "NotAuthorizedException"


def test_another_authenticator_with_the_same_id_is_refused(client, authenticator):
    register(client, authenticator)
    forged = SoftwareAuthenticator(client.pool.url)
    forged.id = authenticator.id
    refused = sign_in(client, forged)
    assert error(refused) == "NotAuthorizedException"
    assert "signature" in refused.json()["message"]


def test_pool_can_require_user_verification(client, authenticator):
    settings = {"WebAuthnConfiguration": {"UserVerification": "required"}}
    client.app.api("SetUserPoolMfaConfig", **settings)
    described = client.app.api("GetUserPoolMfaConfig").json()["WebAuthnConfiguration"]
    assert described["UserVerification"] == "required"
    authenticator.flags &= ~4
    assert error(register(client, authenticator)) == "InvalidParameterException"
    other = {"WebAuthnConfiguration": {"RelyingPartyId": "example.com"}}
    assert error(client.app.api("SetUserPoolMfaConfig", **other)) == "InvalidParameterException"


def test_passkeys_are_off_by_default(pool):
    client = ApiClient(App(pool))
    refused = client.app.api("StartWebAuthnRegistration", **client.access())
    assert error(refused) == "WebAuthnNotEnabledException"
    pool.do("first-factors PASSWORD WEB_AUTHN")
    assert client.app.api("StartWebAuthnRegistration", **client.access()).status_code == 200
    pool.do("plan lite")
    refused = client.app.api("StartWebAuthnRegistration", **client.access())
    assert error(refused) == "WebAuthnNotEnabledException"


def test_missing_library_is_named(client, monkeypatch):
    token = client.access()
    monkeypatch.setitem(sys.modules, "fido2.server", None)
    refused = client.app.api("StartWebAuthnRegistration", **token)
    assert error(refused) == "WebAuthnConfigurationMissingException"
    assert "pip install fido2" in refused.json()["message"]


def test_user_who_must_have_a_second_factor_cannot_start_with_a_passkey(client, authenticator):
    register(client, authenticator)
    client.pool.do("mfa on")
    offered = client.start("USER_AUTH").json()["AvailableChallenges"]
    assert offered == ["PASSWORD", "PASSWORD_SRP"]


def test_page_asks_for_the_username_and_then_for_a_factor(app):
    pages = Pages(app.authorize_url())
    assert 'name="password"' not in pages.text
    assert ">Next<" in pages.text
    pages.submit("/login", username="ada")
    assert "Email me a code" in pages.text
    assert "passkey" not in pages.text
    assert pages.submit("/login", username="ada", password="Cognito-demo-1").startswith(CALLBACK)
    unknown = Pages(app.authorize_url())
    unknown.submit("/login", username="nobody")
    assert "Email me a code" in unknown.text


def test_code_by_email_replaces_the_password_in_the_hosted_ui(app):
    pages = Pages(app.authorize_url())
    pages.submit("/login", username="ada@example.com")
    pages.submit("/login", username="ada@example.com", factor="EMAIL_OTP")
    assert pages.submit("/mfa", code="000000") is None
    assert pages.alert.startswith("Invalid verification code")
    callback = pages.submit("/mfa", code=app.pool.mailbox[-1].code)
    code = callback.partition("code=")[2].partition("&")[0]
    claims = jwt.decode(app.redeem(code).json()["id_token"], options={"verify_signature": False})
    assert (claims["acr"], claims["amr"]) == (LEVELS[1], ["email_otp"])


def test_unknown_user_gets_no_code_and_the_same_page(app):
    pages = Pages(app.authorize_url())
    pages.submit("/login", username="nobody", factor="EMAIL_OTP")
    assert "Enter a code" in pages.text
    assert app.pool.mailbox == []
    assert pages.submit("/mfa", code="123456") is None
    assert pages.alert.startswith("Invalid verification code")


def test_passkey_reaches_level_three_for_a_user_without_a_verified_address(app, authenticator):
    client = ApiClient(app)
    flag = [{"Name": "email_verified", "Value": "false"}]
    app.api("AdminUpdateUserAttributes", Username="ada", UserAttributes=flag)
    refused = app.pool.sign_in(app.authorize_url(acr_values=LEVELS[2]), "ada")
    assert "User%20cannot%20reach%20the%20level" in refused
    register(client, authenticator)
    pages = Pages(app.authorize_url(acr_values=LEVELS[2]))
    pages.submit("/login", username="ada", password="Cognito-demo-1")
    assert "Sign in with a passkey" in pages.text
    assert 'action="/mfa' not in pages.text


@pytest.mark.browser
def test_passkey_is_registered_and_used_in_chromium(make_local_pool, new_context):
    with ScriptedServer() as site:
        app = App(make_local_pool(first_auth_factors=FACTORS, public_url=site.url))
        register_and_sign_in(app, f"{site.url}/signin", new_context())


def register_and_sign_in(app, callback, context):
    page = context.new_page()
    cdp = context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    page.goto(app.authorize_url(redirect_uri=callback))
    page.get_by_label("Username").fill("ada")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Password").fill("Cognito-demo-1")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{callback}?code=*")
    page.goto(f"{app.pool.url}/passkeys/add?client_id={app.pool.client_id}&redirect_uri={callback}")
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="Create a passkey").click()
    page.wait_for_url(callback)
    [passkey] = app.pool.pool.state.passkeys.values()
    assert (passkey.sub, passkey.transports) == (app.pool.get_user("ada").sub, ("internal",))

    context.clear_cookies()
    page.goto(app.authorize_url(redirect_uri=callback, acr_values=LEVELS[2]))
    page.get_by_label("Username").fill("ada")
    page.get_by_role("button", name="Next").click()
    button = page.get_by_role("button", name="Sign in with a passkey")
    button.wait_for()
    assert Axe().run(page).response["violations"] == []
    button.click()
    page.wait_for_url(f"{callback}?code=*")
    code = page.url.partition("code=")[2].partition("&")[0]
    tokens = app.redeem(code, redirect_uri=callback).json()
    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert (claims["acr"], claims["amr"]) == (LEVELS[2], ["swk"])


def test_page_for_a_passkey_needs_a_session_and_a_registered_url(app):
    query = {"client_id": app.pool.client_id, "redirect_uri": CALLBACK}
    assert "/login?" in app.get("/passkeys/add", **query).headers["Location"]
    wrong = app.get("/passkeys/add", **query | {"redirect_uri": f"{CALLBACK}/"})
    assert "redirect_mismatch" in wrong.headers["Location"]


def test_pool_without_passkeys_does_not_load_the_library():
    program = (
        "import sys; from local_pool.testing import LocalPool\n"
        "with LocalPool() as pool: pool.tokens_for('ada')\n"
        "assert not [m for m in sys.modules if m.startswith(('fido2', 'botocore'))]"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
