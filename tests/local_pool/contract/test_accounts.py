"""New users, codes by email, forgotten and temporary passwords: 3.1 to 3.5 of the contract."""

import re
from urllib.parse import urlsplit

import pytest

from tests.local_pool.contract.browser import Browser
from tests.local_pool.contract.target import parameters
from tests.local_pool.contract.test_pages import LEGACY, WRONG

pytestmark = pytest.mark.usefixtures("control")
PASSWORD = "Cognito-demo-2"
BAD_CODE = "Invalid verification code provided, please try again."
OLD_CODE = "Invalid code provided, please request a code again."


def go(target, path, **changes):
    """Open a page with the authorize query in its URL, as a deep link does."""
    browser = Browser(target.url)
    query = urlsplit(target.authorize_url(**changes)).query
    assert browser.open(f"{target.url}{path}?{query}") is None
    assert browser.response.status_code == 200
    return browser


def sign_up(target, username="mary", password=PASSWORD, email="mary@example.com"):
    browser = go(target, "/signup")
    browser.fill(**{"username": username, "password": password, "requiredAttributes[email]": email})
    return browser


def latest_code(control):
    return re.search(r"\b[0-9]{6}\b", control.mailbox[-1].body)[0]


def person(target, callback):
    return target.verified(target.redeem(parameters(callback)["code"]).json()["id_token"])


# Sign up


def test_sign_up_page_shows_the_password_policy(target):
    text = go(target, "/signup").text.lower()
    for rule in ("8 characters", "uppercase", "lowercase", "number", "symbol"):
        assert rule in text


def test_sign_up_form_is_that_of_the_classic_page(target):
    form = go(target, "/signup").form("username", "password", "requiredAttributes[email]")
    assert urlsplit(form.action).path == "/signup"
    assert target.query().items() <= parameters(form.action).items()
    assert form.hidden["_csrf"]
    assert form.buttons[0][0] == "signUpButton"


def test_sign_up_leads_to_the_confirmation_with_a_redirect(target):
    browser = go(target, "/signup")
    form = browser.form("username", "password")
    values = {"username": "mary", "password": PASSWORD, "requiredAttributes[email]": "m@ex.org"}
    response = browser.post(form, values)
    assert response.status_code == 302
    assert urlsplit(response.headers["Location"]).path == "/confirm"
    assert target.query().items() <= parameters(response.headers["Location"]).items()


def test_code_goes_to_the_given_email_address(control, target):
    sign_up(target)
    mail = control.mailbox[-1]
    assert (mail.to, mail.subject) == ("mary@example.com", "Your verification code")
    assert mail.body == f"Your confirmation code is {latest_code(control)}"


def test_code_signs_the_new_user_in(control, target):
    browser = sign_up(target)
    assert "Confirm your account" in browser.text
    callback = browser.fill(code=latest_code(control))
    claims = person(target, callback)
    assert claims["cognito:username"] == "mary"
    assert (claims["email"], claims["email_verified"]) == ("mary@example.com", True)
    assert "cognito:groups" not in claims
    assert parameters(callback)["state"] == "a-state"


def test_new_user_signs_in_with_the_password(control, target):
    sign_up(target).fill(code=latest_code(control))
    assert go(target, "/login").fill(username="mary", password=PASSWORD)


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("Aa1-xyz", "Password not long enough"),
        ("cognito-demo-1", "Password must have uppercase characters"),
        ("COGNITO-DEMO-1", "Password must have lowercase characters"),
        ("Cognito-demo-x", "Password must have numeric characters"),
        ("Cognitodemo1", "Password must have symbol characters"),
    ],
)
def test_password_policy_is_enforced_with_cognitos_message(target, password, rule):
    browser = sign_up(target, password=password)
    assert browser.path == "/signup"
    assert f"Password did not conform with policy: {rule}" in browser.text


@pytest.mark.parametrize("username", ["ada", "ADA"])
def test_taken_username_is_reported(target, username):
    assert "User already exists" in sign_up(target, username=username).text


@pytest.mark.parametrize("email", ["", "nobody"])
def test_malformed_email_is_reported(target, email):
    assert "Invalid email address format." in sign_up(target, email=email).text


def test_wrong_code_is_reported_and_the_right_one_still_works(control, target):
    browser = sign_up(target)
    right = latest_code(control)
    assert browser.fill(code="000000" if right != "000000" else "000001") is None
    assert BAD_CODE in browser.text
    assert browser.fill(code=right)


def test_code_has_expired_after_a_day(control, target):
    browser = sign_up(target)
    control.clock.advance(24 * 3600 + 1)
    assert browser.fill(code=latest_code(control)) is None
    assert OLD_CODE in browser.text


def test_another_code_can_be_sent(control, target):
    browser = sign_up(target)
    sent = len(control.mailbox)
    resend = next(f for f in browser.forms if urlsplit(f.action).path == "/resendcode")
    assert browser.submit(resend) is None
    assert browser.path == "/confirm"
    assert len(control.mailbox) == sent + 1
    assert browser.fill(code=latest_code(control))


def test_unconfirmed_user_is_led_to_the_code(control, target):
    sign_up(target)
    browser = go(target, "/login")
    assert browser.fill(username="mary", password=PASSWORD) is None
    assert browser.path == "/confirm"
    assert person(target, browser.fill(code=latest_code(control)))["cognito:username"] == "mary"


def test_unconfirmed_user_with_a_wrong_password_gets_no_information(target):
    sign_up(target)
    browser = go(target, "/login")
    browser.fill(username="mary", password="wrong-Password-1")
    assert browser.path == "/login"
    assert WRONG in browser.text


def test_link_confirms_and_signs_no_user_in(control, target):
    sign_up(target)
    query = {"client_id": target.client_id, "user_name": "mary"}
    response = target.get("/confirmUser", confirmation_code=latest_code(control), **query)
    assert response.status_code == 200
    assert "cognito" not in response.cookies
    assert go(target, "/login").fill(username="mary", password=PASSWORD)


def test_link_with_a_wrong_code_confirms_no_user(control, target):
    sign_up(target)
    wrong = "000000" if latest_code(control) != "000000" else "000001"
    target.get("/confirmUser", user_name="mary", confirmation_code=wrong)
    browser = go(target, "/login")
    browser.fill(username="mary", password=PASSWORD)
    assert browser.path == "/confirm"


def test_confirmed_email_of_another_is_not_taken_over(control, target):
    browser = sign_up(target, email="ada@example.com")
    assert browser.fill(code=latest_code(control)) is None
    assert "An account with the given email already exists." in browser.text


# Forgotten password


def forgot(target, username="ada"):
    browser = go(target, "/forgotPassword")
    assert browser.fill(username=username) is None
    assert browser.path == "/confirmForgotPassword"
    return browser


def reset(browser, code, password=PASSWORD):
    return browser.fill(code=code, password=password, confirm_password=password)


def test_reset_ends_at_the_sign_in_page_without_a_session(control, target):
    browser = forgot(target)
    assert control.mailbox[-1].to == "ada@example.com"
    assert reset(browser, latest_code(control)) is None
    assert browser.path == "/login"
    assert target.query().items() <= parameters(browser.response.url).items()
    assert "cognito" not in browser.session.cookies
    assert browser.fill(username="ada", password=PASSWORD)


def test_old_password_does_not_work_after_a_reset(control, target):
    reset(forgot(target), latest_code(control))
    browser = go(target, "/login")
    browser.fill(username="ada", password="Cognito-demo-1")
    assert WRONG in browser.text


def test_wrong_reset_code_is_reported(control, target):
    browser = forgot(target)
    right = latest_code(control)
    reset(browser, "000000" if right != "000000" else "000001")
    assert BAD_CODE in browser.text
    assert reset(browser, right) is None
    assert browser.path == "/login"


def test_reset_code_has_expired_after_an_hour(control, target):
    browser = forgot(target)
    control.clock.advance(3601)
    reset(browser, latest_code(control))
    assert OLD_CODE in browser.text


def test_reset_code_works_once(control, target):
    code = [reset(forgot(target), latest_code(control)), latest_code(control)][1]
    browser = go(target, "/confirmForgotPassword")
    reset_again = browser.form("code", "password")
    reset_again.hidden["username"] = "ada"
    values = {"code": code, "password": "Cognito-demo-3", "confirm_password": "Cognito-demo-3"}
    assert browser.submit(reset_again, values) is None
    assert browser.path == "/confirmForgotPassword"


def test_reset_enforces_the_policy_and_keeps_the_code(control, target):
    browser = forgot(target)
    reset(browser, latest_code(control), "short")
    assert "Password did not conform with policy" in browser.text
    reset(browser, latest_code(control))
    assert browser.path == "/login"


def test_unknown_user_gets_the_same_response(control, target):
    browser = forgot(target, "nobody")
    assert control.mailbox == []
    reset(browser, "123456")
    assert BAD_CODE in browser.text


@LEGACY
def test_legacy_errors_reveal_an_unknown_user(control, target):
    browser = go(target, "/forgotPassword")
    browser.fill(username="nobody")
    assert "Username/client id combination not found." in browser.text


def test_unverified_email_gets_no_reset_code(control, target):
    sign_up(target)
    sent = len(control.mailbox)
    forgot(target, "mary")
    assert len(control.mailbox) == sent


# Temporary password


@pytest.fixture
def invited(control, target):
    attributes = [{"Name": "email", "Value": "joan@example.com"}]
    response = target.call("AdminCreateUser", Username="joan", UserAttributes=attributes)
    assert response.json()["User"]["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    return re.search(r"temporary password is (\S+)", control.mailbox[-1].body)[1]


def test_invitation_is_mailed(control, invited):
    mail = control.mailbox[-1]
    assert (mail.to, mail.subject) == ("joan@example.com", "Your temporary password")
    assert "joan" in mail.body


def test_invited_user_chooses_a_password_and_is_signed_in(control, target, invited):
    browser = go(target, "/login")
    assert browser.fill(username="joan", password=invited) is None
    callback = browser.fill(password=PASSWORD, confirm_password=PASSWORD)
    assert person(target, callback)["cognito:username"] == "joan"
    again = go(target, "/login")
    assert again.fill(username="joan", password=invited) is None
    assert again.fill(username="joan", password=PASSWORD)


def test_two_different_new_passwords_are_refused(control, target, invited):
    browser = go(target, "/login")
    browser.fill(username="joan", password=invited)
    assert browser.fill(password=PASSWORD, confirm_password=PASSWORD + "x") is None
    assert "match" in browser.text
    assert browser.fill(password=PASSWORD, confirm_password=PASSWORD)


def test_temporary_password_alone_does_not_sign_in(control, target, invited):
    browser = go(target, "/login")
    browser.fill(username="joan", password=invited)
    assert "cognito" not in browser.session.cookies
