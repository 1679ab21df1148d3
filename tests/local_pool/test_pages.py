"""The hosted UI, page by page."""

import re

import pytest
import requests

from .conftest import CALLBACK, App
from .pages import Pages

PASSWORD = "Cognito-demo-2"


@pytest.fixture
def pages(app) -> Pages:
    return Pages(app.authorize_url())


def sign_up(pages: Pages, username: str = "mary", password: str = PASSWORD) -> None:
    pages.follow("Create account")
    email = {"requiredAttributes[email]": f"{username}@example.com"}
    pages.submit("/signup", username=username, password=password, **email)


def test_password_form_comes_first_and_its_submit_button_is_the_first_in_it(pages):
    form = re.search(r"<form .*?</form>", pages.response.text, re.DOTALL)[0]
    assert 'name="username"' in form
    assert 'name="password"' in form
    assert "signInSubmitButton" in re.search(r"<button[^>]*>", form)[0]


def test_each_declared_user_is_a_button_of_the_ordinary_form(pages):
    assert "Choose a user to sign in as" in pages.text
    assert re.findall(r'name="person" value="(\w+)"', pages.text) == ["ada", "grace", "linus"]
    assert pages.submit("/login", person="grace").startswith(f"{CALLBACK}?code=")


def test_wrong_password_and_unknown_user_get_the_same_message(pages):
    for username in ("ada", "nobody"):
        assert pages.submit("/login", username=username, password="wrong") is None
        assert pages.alert == "Incorrect username or password."
        assert f'value="{username}"' in pages.text
    assert "wrong" not in pages.text.replace("Incorrect", "")


def test_unknown_user_is_named_when_existence_errors_are_not_prevented(make_local_pool):
    pool = make_local_pool(prevent_user_existence_errors=False)
    pages = Pages(App(pool).authorize_url())
    pages.submit("/login", username="nobody", password="wrong")
    assert pages.alert == "User does not exist."


def test_sixth_attempt_after_five_wrong_passwords_has_to_wait(app, pages):
    for _ in range(5):
        pages.submit("/login", username="ada", password="wrong")
    pages.submit("/login", username="ada", password="Cognito-demo-1")
    assert pages.alert == "Password attempts exceeded"
    app.pool.clock.advance(2)
    assert pages.submit("/login", username="ada", password="Cognito-demo-1")


def test_verified_email_works_in_place_of_the_username(pages):
    assert pages.submit("/login", username="ADA@example.com", password="Cognito-demo-1")


def test_sign_up_confirm_and_straight_on_to_the_app(app, pages):
    sign_up(pages)
    assert "/confirm?" in pages.url
    mail = app.pool.mailbox[-1]
    assert mail.to == "mary@example.com"
    assert mail.body == f"Your confirmation code is {mail.code}"
    assert re.fullmatch(r"\d{6}", mail.code)
    callback = pages.submit("/confirm", code=mail.code)
    assert callback.startswith(f"{CALLBACK}?code=")
    person = app.pool.get_user("mary")
    assert person.status == "CONFIRMED"
    assert person.attributes == {"email": "mary@example.com", "email_verified": "true"}
    assert "code" in app.authorize(pages.session).headers["Location"]


def test_sign_up_link_of_the_app_opens_the_form(app):
    pages = Pages(app.authorize_url().replace("/oauth2/authorize", "/signup"))
    assert "Create account" in pages.text


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("Aa1-", "Password not long enough"),
        ("cognito-demo-1", "Password must have uppercase characters"),
        ("COGNITO-DEMO-1", "Password must have lowercase characters"),
        ("Cognito-demo-x", "Password must have numeric characters"),
        ("Cognito1demo1", "Password must have symbol characters"),
        (" Cognito1demo1 ", "Password must have symbol characters"),
    ],
)
def test_weak_password_is_refused_with_the_rule_and_loses_no_other_input(pages, password, rule):
    sign_up(pages, password=password)
    assert pages.alert == f"Password did not conform with policy: {rule}"
    assert 'value="mary@example.com"' in pages.text
    assert password not in pages.text


def test_policy_is_shown_before_it_is_broken(pages):
    pages.follow("Create account")
    assert "At least 8 characters, an uppercase letter, a lowercase letter" in pages.text


def test_taken_username_is_refused(pages):
    sign_up(pages, "Ada")
    assert pages.alert == "User already exists"


def test_missing_email_is_refused(app, pages):
    pages.follow("Create account")
    pages.submit("/signup", username="mary", password=PASSWORD)
    assert pages.alert == "Invalid email address format."
    assert not app.pool.mailbox


def test_email_of_another_user_is_refused_when_it_would_be_confirmed(app, pages):
    pages.follow("Create account")
    email = {"requiredAttributes[email]": "ada@example.com"}
    pages.submit("/signup", username="eve", password=PASSWORD, **email)
    pages.submit("/confirm", code=app.pool.mailbox[-1].code)
    assert pages.alert == "An account with the given email already exists."
    assert app.pool.get_user("eve").status == "UNCONFIRMED"


def test_wrong_code_five_times_ends_the_attempts(app, pages):
    sign_up(pages)
    right = app.pool.mailbox[-1].code
    wrong = "000000" if right != "000000" else "111111"
    for _ in range(5):
        pages.submit("/confirm", code=wrong)
        assert pages.alert == "Invalid verification code provided, please try again."
    pages.submit("/confirm", code=right)
    assert pages.alert == "Attempt limit exceeded, please try after some time."


def test_another_code_replaces_the_first(app, pages):
    sign_up(pages)
    first = app.pool.mailbox[-1].code
    pages.submit("/resendcode")
    assert "A new code was sent." in pages.text
    second = app.pool.mailbox[-1].code
    if first != second:
        pages.submit("/confirm", code=first)
        assert pages.alert == "Invalid verification code provided, please try again."
    assert pages.submit("/confirm", code=second)


def test_old_code_has_to_be_requested_again(app, pages):
    sign_up(pages)
    app.pool.clock.advance(24 * 3600 + 1)
    pages.submit("/confirm", code=app.pool.mailbox[-1].code)
    assert pages.alert == "Invalid code provided, please request a code again."


def test_signing_in_unconfirmed_leads_to_the_code_page(app, pages):
    sign_up(pages)
    again = Pages(app.authorize_url())
    again.submit("/login", username="mary", password=PASSWORD)
    assert "Confirm your account" in again.text
    assert again.submit("/confirm", code=app.pool.mailbox[-1].code)


def test_confirmation_link_confirms_without_signing_in(app, pages):
    sign_up(pages)
    link = {"client_id": app.pool.client_id, "user_name": "mary"}
    wrong = app.get("/confirmUser", **link, confirmation_code="x")
    assert wrong.status_code == 400
    right = app.get("/confirmUser", **link, confirmation_code=app.pool.mailbox[-1].code)
    assert "Your account is confirmed" in right.text
    assert "cognito" not in right.cookies


def test_forgotten_password_is_replaced_and_asked_for(app, pages):
    pages.follow(r"Forgot your password\?")
    pages.submit("/forgotPassword", username="linus")
    code = app.pool.mailbox[-1].code
    pages.submit("/confirmForgotPassword", code=code, password=PASSWORD, confirm_password="x")
    assert pages.alert == "Passwords don't match."
    fields = {"password": PASSWORD, "confirm_password": PASSWORD}
    assert pages.submit("/confirmForgotPassword", code=code, **fields) is None
    assert "Your password was changed." in pages.text
    pages.submit("/login", username="linus", password="Cognito-demo-1")
    assert pages.alert == "Incorrect username or password."
    assert pages.submit("/login", username="linus", password=PASSWORD)


def test_forgotten_password_does_not_reveal_unknown_users(app, pages):
    pages.follow(r"Forgot your password\?")
    pages.submit("/forgotPassword", username="nobody")
    assert "/confirmForgotPassword" in pages.url
    fields = {"code": "123456", "password": PASSWORD, "confirm_password": PASSWORD}
    pages.submit("/confirmForgotPassword", **fields)
    assert pages.alert == "Invalid verification code provided, please try again."
    assert not app.pool.mailbox


def test_reset_code_lives_an_hour(app, pages):
    pages.follow(r"Forgot your password\?")
    pages.submit("/forgotPassword", username="ada")
    app.pool.clock.advance(3601)
    fields = {"password": PASSWORD, "confirm_password": PASSWORD}
    pages.submit("/confirmForgotPassword", code=app.pool.mailbox[-1].code, **fields)
    assert pages.alert == "Invalid code provided, please request a code again."


def test_invited_user_chooses_a_password_first(app, pages):
    app.api(
        "AdminCreateUser", Username="zoe", UserAttributes=[{"Name": "email", "Value": "z@e.org"}]
    )
    temporary = app.pool.mailbox[-1].code
    assert pages.submit("/login", username="zoe", password=temporary) is None
    assert "Choose your own password" in pages.text
    pages.submit("/changePassword", password="weak", confirm_password="weak")
    assert "Password not long enough" in pages.alert
    assert pages.submit("/changePassword", password=PASSWORD, confirm_password=PASSWORD)
    assert app.pool.get_user("zoe").status == "CONFIRMED"


def test_new_password_page_cannot_be_used_without_the_temporary_password(app, pages):
    app.api("AdminCreateUser", Username="zoe", TemporaryPassword=PASSWORD, MessageAction="SUPPRESS")
    pages.submit("/login", username="zoe", password=PASSWORD)
    fields = {"password": "Cognito-demo-9", "confirm_password": "Cognito-demo-9"}
    pages.submit("/changePassword", session="guessed", **fields)
    assert pages.alert == "Invalid verification code provided, please try again."
    assert app.pool.get_user("zoe").status == "FORCE_CHANGE_PASSWORD"


def test_sign_out_leaves_for_a_registered_url_and_ends_the_session(app, pages):
    pages.submit("/login", person="ada")
    query = {"client_id": app.pool.client_id, "logout_uri": "http://localhost:8000/signout"}
    url = f"{app.pool.url}/logout"
    response = pages.session.get(
        url, params=query | {"state": "x"}, allow_redirects=False, timeout=60
    )
    assert response.headers["Location"] == "http://localhost:8000/signout"
    assert "/login?" in app.authorize(pages.session).headers["Location"]


def test_sign_out_can_lead_to_another_sign_in(app):
    query = {"client_id": app.pool.client_id, "redirect_uri": CALLBACK, "response_type": "code"}
    response = app.get("/logout", **query, state="s")
    location = response.headers["Location"]
    assert location.startswith(f"{app.pool.url}/login?")
    assert "state=s" in location
    assert "scope=openid+email" in location


def test_stolen_session_cookie_is_dead_after_sign_out(app, pages):
    pages.submit("/login", person="ada")
    stolen = dict(pages.session.cookies)
    app_query = {"client_id": app.pool.client_id, "logout_uri": "http://localhost:8000/signout"}
    pages.session.get(f"{app.pool.url}/logout", params=app_query, allow_redirects=False, timeout=60)
    url = app.authorize_url()
    response = requests.get(url, cookies=stolen, allow_redirects=False, timeout=60)
    assert "/login?" in response.headers["Location"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({}, "Missing required parameter client_id in request URL"),
        ({"client_id": "4localwebclient5demo6only7"}, "'redirect_uri' is not present"),
        (
            {"client_id": "4localwebclient5demo6only7", "redirect_uri": CALLBACK},
            "'response_type' is not present",
        ),
    ],
)
def test_malformed_sign_out_says_what_is_missing(app, query, message):
    assert (
        message
        in Pages(f"{app.pool.url}/logout?" + "&".join(f"{k}={v}" for k, v in query.items())).text
    )


def test_unregistered_sign_out_url_gets_the_error_page(app):
    response = app.get("/logout", client_id=app.pool.client_id, logout_uri="https://evil.example/")
    assert "/error?error=redirect_mismatch" in response.headers["Location"]


def test_form_of_another_site_is_refused(app, pages):
    url = pages.url
    form = {"username": "ada", "password": "Cognito-demo-1"}
    without = requests.post(url, form, timeout=60)
    assert without.status_code == 403
    assert "development only" in without.text
    csrf = re.search(r'name="_csrf" value="([^"]+)"', pages.text)[1]
    for header in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        response = pages.session.post(url, form | {"_csrf": csrf}, headers=header, timeout=60)
        assert response.status_code == 403


def test_ten_pages_of_a_new_browser_all_work(app):
    """Only the last page's cookie survives; the browser's own word replaces it for the others."""
    opened = [Pages(app.authorize_url(state=f"tab-{n}")) for n in range(10)]
    for number, tab in enumerate(opened):
        form = {"username": "ada", "password": "Cognito-demo-1", "_csrf": "an older page's"}
        headers = {"Origin": app.pool.url, "Sec-Fetch-Site": "same-origin"}
        response = opened[-1].session.post(tab.url, form, headers=headers, allow_redirects=False)
        assert f"state=tab-{number}" in response.headers["Location"]


@pytest.mark.parametrize("path", ["/login", "/error", "/nowhere", "/_local/", "/_local/mail"])
def test_every_page_says_that_it_is_for_development(app, path):
    query = app.authorize_url().partition("?")[2]
    response = requests.get(f"{app.pool.url}{path}?{query}", timeout=60)
    assert "Local pool: development only" in response.text
    assert response.headers["X-Frame-Options"] == "DENY"
