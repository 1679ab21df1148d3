"""Signing in on the pages: sections 3.1 to 3.4 of the contract."""

from urllib.parse import urlsplit

import pytest

from tests.local_pool.contract.browser import Browser
from tests.local_pool.contract.target import parameters

WRONG = "Incorrect username or password."
EXCEEDED = "Password attempts exceeded"
LEGACY = pytest.mark.parametrize(
    "control", [{"prevent_user_existence_errors": False}], indirect=True, ids=["legacy errors"]
)


@pytest.fixture
def page(target, browser):
    """A browser that shows the sign-in page."""
    assert browser.open(target.authorize_url()) is None
    return browser


def test_sign_in_page_is_at_login_and_keeps_the_query(target, page):
    assert page.path == "/login"
    assert page.response.status_code == 200
    assert target.query().items() <= parameters(page.response.url).items()


def test_form_posts_to_login_with_the_same_query(target, page):
    action = page.form("username").action
    assert urlsplit(action).path in ("/login", "")
    assert target.query().items() <= parameters(action or page.response.url).items()


def test_form_carries_the_cookies_csrf_token(page):
    assert page.form("username").hidden["_csrf"] == page.session.cookies["XSRF-TOKEN"]


def test_form_without_the_csrf_token_is_refused(target, page):
    form = page.form("username")
    for value in ("", "11111111-2222-4333-8444-555555555555"):
        form.hidden["_csrf"] = value
        form.fields |= {"username": target.username, "password": target.password}
        response = page.post(form, {})
        assert "code=" not in response.headers.get("Location", "")
        assert response.status_code in (302, 400, 403)


def test_form_is_that_of_the_classic_page(control, page):
    """The page has one form, and its first button submits it."""
    form = page.form("username", "password")
    assert form.name == "cognitoSignInForm"
    assert form.ids["username"] == "signInFormUsername"
    assert form.ids["password"] == "signInFormPassword"
    assert form.buttons[0][0] == "signInSubmitButton"
    assert len(page.forms) == 1


def test_declared_users_are_buttons_of_the_same_form(control, target, page):
    form = page.form("username", "password")
    assert ("person", "grace") in form.buttons
    assert "Choose a user to sign in as" in page.text
    form.buttons = [("person", "grace")]
    callback = page.submit(form)
    code = parameters(callback)["code"]
    claims = target.verified(target.redeem(code).json()["id_token"])
    assert claims["cognito:username"] == "grace"


def test_wrong_password_stays_on_the_page(target, page):
    first = page.form("username")
    if "password" not in first.fields:
        page.fill(username=target.username)
        assert page.fill(password="wrong-Password-1") is None
    else:
        assert page.fill(username=target.username, password="wrong-Password-1") is None
    assert WRONG in page.text
    assert set(parameters(target.sign_in())) == {"code", "state"}


def test_unknown_user_gets_the_same_message(control, page):
    assert page.fill(username="nobody", password="wrong-Password-1") is None
    assert WRONG in page.text


@LEGACY
def test_legacy_errors_reveal_unknown_users(control, page):
    assert page.fill(username="nobody", password="wrong-Password-1") is None
    assert "User does not exist." in page.text


def test_typed_name_stays_and_the_password_does_not(control, page):
    page.fill(username="ada", password="wrong-Password-1")
    form = page.form("username", "password")
    assert (form.fields["username"], form.fields["password"]) == ("ada", "")


@pytest.mark.parametrize("name", ["ADA", "ada@example.com", "Ada@Example.com"])
def test_verified_email_and_any_case_work(control, page, name):
    assert page.fill(username=name, password="Cognito-demo-1")


def test_login_hint_fills_the_name_in(control, target):
    browser = Browser(target.url)
    browser.open(target.authorize_url(login_hint="grace@example.com"))
    assert browser.form("username").fields["username"] == "grace@example.com"


def test_disabled_user_comes_back_with_an_error(control, target, page):
    control.disable("ada")
    sent = parameters(page.fill(username="ada", password="Cognito-demo-1"))
    assert (sent["error"], sent["state"]) == ("invalid_request", "a-state")
    assert sent["error_description"] == "User is not enabled"


def fail(page, times):
    for _ in range(times):
        page.fill(username="ada", password="wrong-Password-1")


def test_five_failures_lock_the_name_even_for_the_right_password(control, page):
    fail(page, 5)
    assert page.fill(username="ada", password="Cognito-demo-1") is None
    assert EXCEEDED in page.text


def test_four_failures_do_not(control, page):
    fail(page, 4)
    assert page.fill(username="ada", password="Cognito-demo-1")


def test_lock_lasts_a_second_at_first_and_is_not_extended_by_trying(control, page):
    fail(page, 5)
    for _ in range(3):
        page.fill(username="ada", password="wrong-Password-1")
    control.clock.advance(1.1)
    assert page.fill(username="ada", password="Cognito-demo-1")


def test_lock_doubles_with_every_further_failure(control, page):
    fail(page, 5)
    for seconds in (1.1, 2.1):
        control.clock.advance(seconds)
        fail(page, 1)
    control.clock.advance(3.5)  # four seconds now
    assert page.fill(username="ada", password="Cognito-demo-1") is None
    control.clock.advance(0.6)
    assert page.fill(username="ada", password="Cognito-demo-1")


def test_fifteen_minutes_without_failures_reset_the_count(control, page):
    fail(page, 5)
    control.clock.advance(901)
    fail(page, 4)
    assert page.fill(username="ada", password="Cognito-demo-1")


def test_lock_is_for_one_name(control, page):
    fail(page, 6)
    assert page.fill(username="grace", password="Cognito-demo-1")


@pytest.mark.parametrize("path", ["/login", "/signup", "/forgotPassword", "/confirm"])
def test_pages_refuse_an_unregistered_callback_too(control, target, path):
    response = target.get(path, **target.query(redirect_uri="https://evil.example/"))
    assert response.headers["Location"].startswith(f"{target.url}/error?error=redirect_mismatch")


@pytest.mark.parametrize("path", ["/login", "/signup", "/forgotPassword", "/error", "/_local/"])
def test_every_page_says_that_it_is_for_development(control, target, path):
    assert "development only" in target.get(path, **target.query()).text
