"""The authorize endpoint: section 2 of the contract, and the headers of 1.4."""

import uuid
from urllib.parse import quote, urlsplit

import pytest

from local_pool.testing import Client
from tests.local_pool.contract.browser import Browser
from tests.local_pool.contract.target import VERIFIER, challenge_of, parameters, unverified_claims

ERROR_PAGE = "An error was encountered with the requested page."
CALLBACKS = ("http://localhost:8000/signin",)
IMPLICIT = pytest.mark.parametrize(
    "control",
    [
        {
            "clients": [
                Client("implicitclient", "s" * 24, ("code", "implicit"), callback_urls=CALLBACKS),
                Client("withquery", "s" * 24, callback_urls=("http://localhost:8000/in?from=a",)),
            ]
        }
    ],
    indirect=True,
    ids=["more clients"],
)


def to_callback(target, response):
    """Return the parameters that a response sends to the callback."""
    location = response.headers["Location"]
    assert response.status_code == 302
    assert location.startswith(target.callback_url)
    return parameters(location)


def on_error_page(target, response):
    """Return the query of the pool's error page, after checking that nothing goes to the app."""
    if not response.is_redirect:
        assert response.status_code == 400
        return parameters(response.url)
    location = response.headers["Location"]
    assert location.startswith(f"{target.url}/error?")
    shown = Browser(target.url).get(location)
    assert shown.status_code == 400
    assert ERROR_PAGE in shown.text
    return parameters(location)


def test_new_browser_goes_to_the_sign_in_page_with_the_same_parameters(target):
    response = target.authorize()
    assert response.status_code == 302
    location = response.headers["Location"]
    assert urlsplit(location).path == "/login"
    assert location.startswith(target.url)
    assert target.query().items() <= parameters(location).items()


def test_sign_in_comes_back_with_code_and_state_alone(target):
    callback = target.sign_in()
    assert callback.startswith(f"{target.callback_url}?")
    assert set(parameters(callback)) == {"code", "state"}


def test_code_looks_like_a_uuid(target):
    code = target.code()
    assert str(uuid.UUID(code)) == code


@pytest.mark.parametrize("state", ["a-state", "~._-+/=", "x" * 300])
def test_state_comes_back_as_sent(target, state):
    assert parameters(target.sign_in(state=state))["state"] == state


def test_no_state_comes_back_when_none_was_sent(target):
    assert set(parameters(target.sign_in(state=None))) == {"code"}


def test_bare_request_is_enough_and_means_all_scopes(target):
    tokens = target.tokens(scope=None, state=None, nonce=None)
    scopes = set(unverified_claims(tokens["access_token"])["scope"].split())
    assert scopes >= {"openid", "email", "profile", "aws.cognito.signin.user.admin"}


@pytest.mark.parametrize(
    "change",
    [
        {"identity_provider": "COGNITO"},
        {"lang": "fr"},
        {"acr_values": "urn:cognito:loa:4"},
        {"max_age": "3600"},
        {"response_mode": "form_post"},
        {"ui_locales": "fr", "display": "popup", "made_up": "1"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_parameters_lead_to_the_sign_in_page_too(target, change):
    response = target.authorize(**change)
    assert urlsplit(response.headers["Location"]).path == "/login"


# Errors on the pool's own page


@pytest.mark.parametrize(
    "changed",
    [
        lambda url: url + "/",
        lambda url: url.upper(),
        lambda url: url + "?x=1",
        lambda url: url + "/deeper",
        lambda url: url[:-1],
        lambda url: url.replace("://", "://evil."),
        lambda url: url.replace("://", "://user@"),
        lambda url: url + "#part",
        lambda url: url.replace("http", "xttp", 1),
        lambda url: "https://evil.example/" + quote(url),
    ],
    ids=lambda changed: changed("CALLBACK"),
)
def test_unregistered_callback_is_a_mismatch_on_the_error_page(target, changed):
    response = target.authorize(redirect_uri=changed(target.callback_url))
    location = response.headers["Location"]
    assert response.status_code == 302
    assert location == f"{target.url}/error?error=redirect_mismatch&client_id={target.client_id}"
    assert on_error_page(target, response)["error"] == "redirect_mismatch"


def test_client_cannot_use_the_others_callback(control, target):
    """Use a callback URL that the public client has and the web client does not have."""
    public_urls = set(control.config.clients[target.public_client_id].callback_urls)
    other = (public_urls - set(control.config.clients[target.client_id].callback_urls)).pop()
    refused = on_error_page(target, target.authorize(redirect_uri=other))
    assert refused["error"] == "redirect_mismatch"


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_missing_parameter_is_reported_on_the_error_page(target, name):
    on_error_page(target, target.authorize(**{name: None}))


@pytest.mark.parametrize("client_id", ["doesnotexist", "", "<script>"])
def test_unknown_client_is_refused_on_the_error_page(target, client_id):
    on_error_page(target, target.authorize(client_id=client_id))


def test_error_page_shows_no_markup_of_the_request(target):
    shown = target.get("/error", error="<script>alert(1)</script>", client_id='"><b>')
    assert shown.status_code == 400
    assert "<script>alert(1)" not in shown.text
    assert '"><b>' not in shown.text


def test_authorize_is_for_get_alone(target):
    assert 400 <= target.post("/oauth2/authorize", target.query(), None).status_code < 500


# Errors at the callback


@pytest.mark.parametrize(
    "change",
    [
        {"response_type": None},
        {"response_type": "code token"},
        {"response_type": "id_token"},
        {"code_challenge": challenge_of(VERIFIER)},
        {"code_challenge_method": "S256"},
        {"code_challenge": VERIFIER, "code_challenge_method": "plain"},
        {"code_challenge": challenge_of(VERIFIER), "code_challenge_method": "s256"},
    ],
    ids=lambda change: "-".join(f"{k}={v}"[:40] for k, v in change.items()),
)
def test_malformed_request_is_reported_to_the_callback(target, change):
    sent = to_callback(target, target.authorize(**change))
    assert (sent["error"], sent["state"]) == ("invalid_request", "a-state")


def test_flow_that_the_client_lacks_is_unauthorized(target):
    sent = to_callback(target, target.authorize(response_type="token"))
    assert (sent["error"], sent["state"]) == ("unauthorized_client", "a-state")


BAD_SCOPES = pytest.mark.parametrize(
    "scope",
    ["openid made-up", "openid offline_access", "openid unknown/read", "email", "profile openi"],
)


@BAD_SCOPES
def test_bad_scope_has_cognitos_own_order_of_parameters(target, scope):
    response = target.authorize(scope=scope)
    query = "error_description=invalid_scope&state=a-state&error=invalid_request"
    assert response.headers["Location"] == f"{target.callback_url}?{query}"


@BAD_SCOPES
def test_bad_scope_without_state(target, scope):
    response = target.authorize(scope=scope, state=None)
    query = "error_description=invalid_scope&error=invalid_request"
    assert response.headers["Location"] == f"{target.callback_url}?{query}"


def test_defined_scope_that_the_client_may_not_have_is_a_bad_scope(control, target):
    sent = to_callback(target, target.authorize(scope="openid stats/read"))
    assert (sent["error"], sent["error_description"]) == ("invalid_request", "invalid_scope")


def test_prompt_none_without_session_is_login_required(target):
    sent = to_callback(target, target.authorize(prompt="none"))
    assert sent == {"error": "login_required", "state": "a-state"}


# The implicit flow, and callbacks of another shape


@IMPLICIT
def test_implicit_flow_puts_tokens_into_the_fragment(control, target):
    callback = target.sign_in(client_id="implicitclient", response_type="token")
    sent = parameters(callback)
    assert callback.startswith(f"{CALLBACKS[0]}#")
    assert set(sent) == {"id_token", "access_token", "token_type", "expires_in", "state"}
    assert sent["token_type"].lower() == "bearer"
    assert sent["expires_in"] == "3600"
    claims = target.verified(sent["id_token"])
    assert (claims["aud"], claims["nonce"]) == ("implicitclient", "a-nonce")


@IMPLICIT
def test_implicit_flow_without_openid_has_no_id_token(control, target):
    scope = "aws.cognito.signin.user.admin"
    sent = target.sign_in(client_id="implicitclient", response_type="token", scope=scope)
    assert "id_token" not in parameters(sent)
    assert "access_token" in parameters(sent)


@IMPLICIT
def test_implicit_flow_reports_a_bad_scope_in_the_fragment(control, target):
    changes = {"client_id": "implicitclient", "response_type": "token", "state": None}
    response = target.authorize(scope="openid made-up", **changes)
    fragment = "error_description=invalid_scope&error=invalid_request"
    assert response.headers["Location"] == f"{CALLBACKS[0]}#{fragment}"


@IMPLICIT
def test_callback_with_a_query_keeps_it(control, target):
    callback = target.sign_in(client_id="withquery", redirect_uri="http://localhost:8000/in?from=a")
    assert set(parameters(callback)) == {"from", "code", "state"}


@IMPLICIT
def test_only_callback_of_a_client_may_be_left_out(control, target):
    callback = target.sign_in(client_id="withquery", redirect_uri=None)
    assert callback.startswith("http://localhost:8000/in?from=a&code=")


# Headers


@pytest.mark.parametrize("path", ["/oauth2/authorize", "/login", "/error", "/oauth2/userInfo"])
def test_domain_responses_are_not_cached_framed_or_sniffed(target, path):
    headers = target.get(path, **target.query()).headers
    assert str(uuid.UUID(headers["x-amz-cognito-request-id"]))
    assert {"no-cache", "no-store"} <= set(headers["Cache-Control"].replace(",", " ").split())
    assert headers["Pragma"] == "no-cache"
    assert headers["Expires"] == "0"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/revoke", "/oauth2/userInfo"])
def test_machine_endpoints_are_open_to_other_origins(target, path):
    response = target.get(path) if "userInfo" in path else target.post(path, {})
    assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("path", ["/oauth2/authorize", "/login", "/logout"])
def test_pages_are_closed_to_other_origins(target, path):
    headers = target.get(path, {"Origin": "https://evil.example"}, **target.query()).headers
    assert "Access-Control-Allow-Origin" not in headers
