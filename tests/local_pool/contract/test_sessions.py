"""The browser's session at the pool, and logout: sections 2.4, 2.5 and 7 of the contract."""

from urllib.parse import urlsplit

import pytest

from tests.local_pool.contract.browser import Browser
from tests.local_pool.contract.target import parameters, unverified_claims
from tests.local_pool.contract.test_authorize import on_error_page


@pytest.fixture
def signed_in(target, browser):
    target.sign_in(browser)
    return browser


def is_signed_in(target, browser, **changes):
    sent = parameters(target.authorize(browser, prompt="none", **changes).headers["Location"])
    assert sent.keys() == ({"code", "state"} if "code" in sent else {"error", "state"})
    return "code" in sent


# Single sign-on


def test_session_cookie_is_the_hosts_own_and_closed_to_scripts(target, browser):
    browser.open(target.authorize_url())
    form = browser.form("username")
    if "password" not in form.fields:
        browser.fill(username=target.username)
        form = browser.form("password")
    values = {"username": target.username, "password": target.password}
    response = browser.post(form, {k: v for k, v in values.items() if k in form.fields})
    cookie = next(c for c in response.raw.headers.getlist("Set-Cookie") if c.startswith("cognito="))
    attributes = cookie.lower().replace(" ", "").split(";")
    assert "httponly" in attributes
    assert not any(part.startswith("domain=") for part in attributes)
    assert ("secure" in attributes) == target.url.startswith("https:")


def test_signed_in_browser_gets_a_code_at_once(target, signed_in):
    response = target.authorize(signed_in)
    assert response.status_code == 302
    assert response.headers["Location"].startswith(f"{target.callback_url}?code=")


def test_every_code_is_a_new_one(target, signed_in):
    codes = [parameters(target.authorize(signed_in).headers["Location"])["code"] for _ in range(3)]
    assert len(set(codes)) == 3
    assert target.redeem(codes[0]).status_code == 200


def test_prompt_none_is_content_with_a_session(target, signed_in):
    sent = target.authorize(signed_in, prompt="none", state="quietly").headers["Location"]
    assert parameters(sent)["state"] == "quietly"
    assert "code" in parameters(sent)


def test_clients_of_a_pool_share_the_session(target, signed_in, public_client):
    response = target.authorize(signed_in, client_id=public_client)
    assert "code" in parameters(response.headers["Location"])


def test_codes_of_a_session_have_the_time_of_the_sign_in(target, browser):
    first = unverified_claims(target.tokens(browser)["id_token"])
    second = unverified_claims(target.tokens(browser, nonce="another")["id_token"])
    assert first["auth_time"] == second["auth_time"]
    assert first["origin_jti"] != second["origin_jti"]
    assert second["nonce"] == "another"


def test_another_browser_is_not_signed_in(target, signed_in):
    assert not is_signed_in(target, Browser(target.url))


def test_prompt_login_requires_the_password_again_and_does_not_loop(control, target, signed_in):
    assert signed_in.open(target.authorize_url(prompt="login")) is None
    assert signed_in.path == "/login"
    callback = signed_in.sign_in(target.username, target.password)
    assert set(parameters(callback)) == {"code", "state"}


def test_prompt_login_leaves_the_session_until_then(control, target, signed_in):
    signed_in.open(target.authorize_url(prompt="login"))
    assert is_signed_in(target, signed_in)


@pytest.mark.parametrize(("seconds", "is_required"), [(59, False), (61, True)])
def test_max_age_requires_the_password_if_the_sign_in_is_older(
    control, target, signed_in, seconds, is_required
):
    control.clock.advance(seconds)
    leads_to = signed_in.open(target.authorize_url(max_age="60"))
    assert (leads_to is None) == is_required


def test_session_lasts_one_hour_and_does_not_slide(control, target, signed_in):
    for seconds in (1800, 1790):
        control.clock.advance(seconds)
        assert is_signed_in(target, signed_in)
    control.clock.advance(20)
    assert not is_signed_in(target, signed_in)


def test_refreshing_does_not_extend_the_session(control, target, browser):
    tokens = target.tokens(browser)
    control.clock.advance(3000)
    assert target.refresh(tokens["refresh_token"]).status_code == 200
    control.clock.advance(700)
    assert not is_signed_in(target, browser)


def test_tokens_of_a_session_have_full_lifetimes(control, target, browser):
    begun = unverified_claims(target.tokens(browser)["access_token"])
    control.clock.advance(3000)
    later = unverified_claims(target.tokens(browser)["access_token"])
    assert later["exp"] - later["iat"] == begun["exp"] - begun["iat"]
    assert later["auth_time"] == begun["auth_time"]


def test_group_and_attribute_changes_leave_the_session(control, target, signed_in):
    control.set_groups("ada", "editors")
    assert is_signed_in(target, signed_in)
    claims = unverified_claims(target.tokens(signed_in)["id_token"])
    assert claims["cognito:groups"] == ["editors"]


def test_sign_in_page_offers_the_signed_in_user(control, target, signed_in):
    signed_in.open(f"{target.url}/login?{urlsplit(target.authorize_url()).query}")
    assert "Sign in as ada" in signed_in.text
    callback = signed_in.submit(signed_in.forms[0])
    assert "code" in parameters(callback)


# Logout with logout_uri


def leave(target, browser, **query):
    form = {"client_id": target.client_id} | query
    return browser.session.get(
        f"{target.url}/logout", params=form, allow_redirects=False, timeout=60
    )


def test_logout_leads_to_the_registered_url_exactly(target, signed_in):
    response = leave(target, signed_in, logout_uri=target.logout_url)
    assert response.status_code == 302
    assert response.headers["Location"] == target.logout_url


def test_logout_ends_the_session(target, signed_in):
    assert is_signed_in(target, signed_in)
    leave(target, signed_in, logout_uri=target.logout_url)
    assert not is_signed_in(target, signed_in)


def test_ended_session_is_not_revived_by_its_old_cookie(target, signed_in):
    browser = Browser(target.url)
    browser.session.cookies.update(signed_in.session.cookies.copy())
    assert is_signed_in(target, browser)
    leave(target, signed_in, logout_uri=target.logout_url)
    assert not is_signed_in(target, browser)


def test_logout_echoes_no_state_and_ignores_the_rest(target, signed_in):
    response = leave(
        target,
        signed_in,
        logout_uri=target.logout_url,
        state="a-state",
        id_token_hint="x.y.z",
        post_logout_redirect_uri="https://evil.example/",
    )
    assert response.headers["Location"] == target.logout_url


def test_logout_without_session_leads_on_as_well(target, browser):
    response = leave(target, browser, logout_uri=target.logout_url)
    assert response.headers["Location"] == target.logout_url


def test_tokens_outlive_the_logout(target, browser):
    tokens = target.tokens(browser)
    leave(target, browser, logout_uri=target.logout_url)
    assert target.user_info(tokens["access_token"]).status_code == 200
    assert target.refresh(tokens["refresh_token"]).status_code == 200


def test_logout_ends_the_session_for_all_clients(target, signed_in, public_client):
    leave(target, signed_in, logout_uri=target.logout_url)
    assert not is_signed_in(target, signed_in, client_id=public_client)


def test_logout_leaves_other_browsers_alone(target, signed_in):
    other = Browser(target.url)
    target.sign_in(other)
    leave(target, signed_in, logout_uri=target.logout_url)
    assert is_signed_in(target, other)


# Logout to sign in again


def test_logout_with_a_callback_leads_to_the_sign_in_page(target, signed_in):
    query = target.query()
    location = leave(target, signed_in, **query).headers["Location"]
    assert location.startswith(f"{target.url}/login?")
    assert query.items() <= parameters(location).items()
    assert not is_signed_in(target, signed_in)


def test_missing_scope_is_filled_with_all_scopes(target, signed_in):
    location = leave(target, signed_in, **target.query(scope=None)).headers["Location"]
    assert {"openid", "email", "profile"} <= set(parameters(location)["scope"].split())


def test_logout_uri_wins_over_a_callback(target, signed_in):
    response = leave(target, signed_in, logout_uri=target.logout_url, **target.query())
    assert response.headers["Location"] == target.logout_url


def test_user_signs_in_again_from_there(target, signed_in):
    location = leave(target, signed_in, **target.query()).headers["Location"]
    assert signed_in.open(location) is None
    callback = signed_in.sign_in(target.username, target.password)
    assert set(parameters(callback)) == {"code", "state"}


# Malformed logout requests


@pytest.mark.parametrize("end", ["/", "?x=1", "x", "#a"])
def test_unregistered_logout_url_is_refused_on_the_error_page(target, signed_in, end):
    response = leave(target, signed_in, logout_uri=target.logout_url + end)
    on_error_page(target, response)


def test_callbacks_and_logout_urls_are_two_lists(target, browser):
    on_error_page(target, leave(target, browser, logout_uri=target.callback_url))
    query = target.query(redirect_uri=target.logout_url)
    on_error_page(target, leave(target, browser, **query))


@pytest.mark.parametrize(
    ("query", "missing"),
    [
        ({}, "redirect_uri"),
        ({"post_logout_redirect_uri": "CALLBACK", "id_token_hint": "x"}, "redirect_uri"),
        ({"redirect_uri": "CALLBACK"}, "response_type"),
    ],
    ids=["nothing", "generic OIDC", "no response_type"],
)
def test_missing_parameter_is_reported_with_cognitos_message(target, browser, query, missing):
    form = {k: target.callback_url if v == "CALLBACK" else v for k, v in query.items()}
    response = leave(target, browser, **form)
    assert "/error?" in response.headers["Location"]
    browser.open(response.headers["Location"])
    assert browser.response.status_code == 400
    assert f"Required String parameter '{missing}' is not present" in browser.text


def test_logout_without_client_leads_nowhere_else(target, browser):
    response = target.get("/logout", logout_uri=target.logout_url)
    assert not response.headers.get("Location", "").startswith(target.logout_url)
    browser.open(f"{target.url}/logout?logout_uri={target.logout_url}")
    assert "Missing required parameter client_id in request URL" in browser.text


def test_logout_is_for_get_alone(target):
    form = {"client_id": target.client_id, "logout_uri": target.logout_url}
    assert 400 <= target.post("/logout", form, None).status_code < 500
