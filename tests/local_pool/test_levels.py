"""Levels of authentication, and fresh sign-ins: acr_values, max_age and prompt=login."""

from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests

from local_pool.errors import ConfigError
from local_pool.testing import LocalPool, Seed

from .conftest import CALLBACK, App
from .pages import Pages

LEVELS = [f"urn:cognito:loa:{n}" for n in (1, 2, 3, 4)]


def authentication(tokens):
    """Return (acr, amr, auth_time), which are the same in both tokens."""
    found = [
        tuple(jwt.decode(tokens[name], options={"verify_signature": False}).get(claim)
              for claim in ("acr", "amr", "auth_time"))
        for name in ("access_token", "id_token")
    ]  # fmt: skip
    assert found[0] == found[1]
    return found[0]


def query(response):
    return parse_qs(urlsplit(response.headers["Location"]).query)


def test_password_alone_is_level_one(app):
    acr, amr, _ = authentication(app.tokens())
    assert (acr, amr) == (LEVELS[0], ["pwd"])
    assert app.pool.mailbox == []
    machine = jwt.decode(app.pool.machine_token(), options={"verify_signature": False})
    assert not {"acr", "amr"} & machine.keys()


@pytest.mark.parametrize(
    ("acr_values", "level"),
    [
        (LEVELS[0], 1),
        (LEVELS[1], 3),
        (LEVELS[2], 3),
        (f"{LEVELS[3]} {LEVELS[2]} {LEVELS[0]}", 3),
        (f"{LEVELS[0]} {LEVELS[2]}", 1),
        ("unknown", 1),
        (f"unknown {LEVELS[2]}", 3),
        ("", 1),
    ],
)
def test_first_requested_level_that_the_user_can_reach_is_required(app, acr_values, level):
    acr, amr, _ = authentication(app.tokens(acr_values=acr_values))
    assert acr == LEVELS[level - 1]
    assert amr == (["pwd", "email_otp", "mfa"] if level == 3 else ["pwd"])


def test_signed_in_browser_only_has_to_enter_a_code(app):
    browser = requests.Session()
    first = app.redeem(app.code(session=browser)).json()
    app.pool.clock.advance(60)
    pages = Pages(app.authorize_url(acr_values=LEVELS[2], max_age="300"))
    pages.session = browser
    pages.response = browser.get(app.authorize_url(acr_values=LEVELS[2]), timeout=60)
    assert "Enter a code" in pages.text
    assert 'name="password"' not in pages.text
    assert pages.submit("/mfa", code="000000") is None
    assert pages.alert.startswith("Invalid verification code")
    callback = pages.submit("/mfa", code=app.pool.mailbox[-1].code)
    assert callback.startswith(f"{CALLBACK}?code=")
    stronger = app.redeem(parse_qs(urlsplit(callback).query)["code"][0]).json()
    assert authentication(stronger)[0] == LEVELS[2]
    assert authentication(stronger)[2] >= authentication(first)[2] + 60

    # The stronger session is enough from now on, and a refresh changes nothing.
    assert "code" in query(app.authorize(browser, acr_values=LEVELS[2]))
    app.pool.clock.advance(60)
    assert authentication(app.refresh(stronger["refresh_token"]).json()) == authentication(stronger)
    assert authentication(app.refresh(first["refresh_token"]).json()) == authentication(first)


def test_old_session_needs_password_and_code(app):
    browser = requests.Session()
    app.code(session=browser)
    app.pool.clock.advance(60)
    page = browser.get(app.authorize_url(acr_values=LEVELS[2], max_age="59"), timeout=60)
    assert 'name="password"' in page.text
    code = app.code(session=browser, acr_values=LEVELS[2], max_age="59")
    assert authentication(app.redeem(code).json())[0] == LEVELS[2]


def test_code_does_not_replace_the_password(app):
    pages = Pages(app.authorize_url(acr_values=LEVELS[2]))
    pages.submit("/login", username="ada", password="Cognito-demo-1")
    right = app.pool.mailbox[-1].code
    form = {"username": "grace", "session": "0" * 32, "code": right}
    assert pages.submit("/mfa", **form) is None
    assert pages.alert
    form = {"username": "ada", "session": "0" * 32, "code": right}
    assert pages.submit("/mfa", **form) is None
    assert pages.alert.startswith("Invalid")


def test_user_who_cannot_reach_the_level_returns_to_the_app(make_local_pool):
    app = App(make_local_pool(people=[Seed("zoe", email_verified=False)]))
    url = app.pool.sign_in(app.authorize_url(acr_values=LEVELS[2]), "zoe")
    parameters = parse_qs(urlsplit(url).query)
    assert parameters["error"] == ["invalid_request"]
    assert parameters["state"] == ["a-state"]
    browser = requests.Session()
    app.code("zoe", session=browser)
    assert "error" in query(app.authorize(browser, acr_values=LEVELS[2]))
    assert "code" in query(app.authorize(browser, acr_values=f"{LEVELS[2]} {LEVELS[0]}"))


def test_prompt_none_is_refused_below_the_level(app):
    browser = requests.Session()
    app.code(session=browser)
    refused = query(app.authorize(browser, prompt="none", acr_values=LEVELS[2]))
    assert refused["error"] == ["login_required"]
    assert "code" in query(app.authorize(browser, prompt="none", acr_values=LEVELS[0]))


@pytest.mark.parametrize("changes", [{"prompt": "login"}, {"max_age": "0"}])
def test_fresh_sign_in_has_a_new_auth_time_and_leaves_the_old_session(app, changes):
    browser, copy = requests.Session(), requests.Session()
    old = app.redeem(app.code(session=browser)).json()
    copy.cookies.update(browser.cookies)
    assert "/login?" in app.authorize(browser, **changes).headers["Location"]
    app.pool.clock.advance(5)
    new = app.redeem(app.code(session=browser, **changes)).json()
    # The clock of the pool also runs, so a second may pass in between.
    assert authentication(new)[2] >= authentication(old)[2] + 5
    assert "code" in query(app.authorize(copy))


def test_levels_have_names_of_their_own(app):
    names = {"Level1": {"AcrValue": "low"}, "Level3": {"AcrValue": "high"}}
    assert app.api("UpdateUserPool", AcrConfiguration=names).json() == {}
    described = app.api("DescribeUserPool").json()["UserPool"]["AcrConfiguration"]
    assert [described[f"Level{n}"]["AcrValue"] for n in (1, 2, 3, 4)] == [
        "low", LEVELS[1], "high", LEVELS[3],
    ]  # fmt: skip
    assert authentication(app.tokens(acr_values="high"))[0] == "high"
    assert authentication(app.tokens(acr_values=LEVELS[2]))[0] == "low"


@pytest.mark.parametrize(
    "level", [{"Level1": {"AcrValue": "a b"}}, {"Level1": {"AcrValue": LEVELS[3]}}, {"Level9": {}}]
)
def test_wrong_names_of_levels_are_refused(app, level):
    response = app.api("UpdateUserPool", AcrConfiguration=level)
    assert response.json()["__type"] == "InvalidParameterException"
    with pytest.raises(ConfigError, match="POOL_ACR_VALUES"):
        LocalPool(acr_values=("a", "b", "c"))


def test_lite_plan_ignores_what_only_managed_login_has(app):
    browser = requests.Session()
    app.code(session=browser)
    app.pool.do("plan lite")
    assert app.api("DescribeUserPool").json()["UserPool"]["UserPoolTier"] == "LITE"
    for changes in ({"acr_values": LEVELS[2]}, {"max_age": "0"}, {"prompt": "login"}):
        assert "code" in query(app.authorize(browser, **changes))
    tokens = app.tokens(acr_values=LEVELS[2], resource="https://api.example.com")
    assert authentication(tokens)[:2] == (None, None)
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    assert "aud" not in claims
    refused = app.api("UpdateUserPool", AcrConfiguration={"Level1": {"AcrValue": "low"}})
    assert refused.json()["__type"] == "FeatureUnavailableInTierException"


def test_tokens_without_a_browser_have_any_level(pool):
    tokens = pool.tokens_for("ada", amr=("pwd", "email_otp", "mfa"))
    assert authentication(tokens)[:2] == (LEVELS[2], ["pwd", "email_otp", "mfa"])
