"""The pool's pages and console in Chromium."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from .conftest import App

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 1280)])
def test_pages_have_no_known_accessibility_faults(app, new_context, scheme, width):
    app.tokens()
    app.authorize(redirect_uri="http://localhost:8000/signin/", state="wrong")
    page = new_context(color_scheme=scheme, viewport={"width": width, "height": 800}).new_page()
    query = app.authorize_url().partition("?")[2]
    hosted = ("login", "signup", "confirm", "forgotPassword", "confirmForgotPassword", "error")
    for path in (*(f"{name}?{query}" for name in hosted), "_local/", "_local/mail", "nowhere"):
        page.goto(f"{app.pool.url}/{path}")
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        faults = Axe().run(page).response["violations"]
        violations = [
            (path, fault["id"], node["html"]) for fault in faults for node in fault["nodes"]
        ]
        assert violations == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_console_shows_a_sign_in_as_it_happens(app: App, page):
    page.goto(f"{app.pool.url}/_local/")
    page.get_by_text("No sign-ins yet").wait_for()
    app.tokens("grace", state="live")
    page.locator("article", has_text="grace").get_by_text("signed in").wait_for()
    page.locator("article summary", has_text="ID token").click()
    app.tokens("linus", state="another")
    page.locator("article", has_text="linus").wait_for()
    details = page.locator("article", has_text="grace").locator("details[open]")
    assert details.count() == 1


def test_user_button_signs_in_from_the_keyboard(app: App, page):
    page.route("http://localhost:8000/**", lambda route: route.abort())
    page.goto(app.authorize_url(redirect_uri="http://localhost:3000/signin"))
    page.get_by_role("button", name="linus Linus Pauling").focus()
    with page.expect_request("http://localhost:3000/signin?code=*"):
        page.keyboard.press("Enter")
