"""Sessions in Chromium."""

import pytest
from playwright.sync_api import expect

from accounts.models import SignIn
from tests.flows.sessions.conftest import beyond_grace, let_pass, refreshes, until_expired
from tests.flows.test_browser import sign_in_as

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.services,
]

IMPORT = "const { sessionFetch, tokenFetch } = await import('/static/js/session.js');"


def at_the_pool_again(page, username="ada"):
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill("Cognito-demo-1")
    page.get_by_role("button", name="Sign in", exact=True).click()


def fill_in(page):
    page.get_by_label("Text").fill("a long draft")
    page.get_by_label("Secret").fill("never kept")
    page.get_by_label("Colour").select_option("green")
    page.get_by_label("Agree").check()


def end_the_session(pool, username="ada"):
    """End the session here and at the pool, so that the pool requires the password again."""
    pool.disable(username)
    pool.enable(username)
    until_expired()


def test_form_opened_before_expiry_is_sent_after_it(page, site, pool):
    sign_in_as(page, site)
    page.goto(f"{site}/note/")
    fill_in(page)
    until_expired()
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("body")).to_contain_text("a long draft")
    assert refreshes(pool) == 1


def test_form_is_preserved_over_a_new_sign_in_and_not_submitted(page, site, pool):
    sign_in_as(page, site)
    page.goto(f"{site}/note/?draft=7")
    fill_in(page)
    end_the_session(pool)
    posts = []
    page.on("request", lambda r: posts.append(r.url) if r.method == "POST" else None)
    page.get_by_role("button", name="Keep").click()
    at_the_pool_again(page)
    page.wait_for_url(f"{site}/note/?draft=7")
    expect(page.get_by_role("status")).to_contain_text("been sent yet")
    expect(page.get_by_label("Text")).to_have_value("a long draft")
    expect(page.get_by_label("Secret")).to_have_value("")
    expect(page.get_by_label("Colour")).to_have_value("green")
    expect(page.get_by_label("Agree")).to_be_checked()
    assert posts.count(f"{site}/note/?draft=7") == 1
    page.reload()
    expect(page.get_by_label("Text")).to_have_value("")


def test_form_is_preserved_while_cognito_is_unavailable(page, site, pool):
    sign_in_as(page, site)
    page.goto(f"{site}/note/")
    fill_in(page)
    beyond_grace()
    pool.stop()
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("main")).to_contain_text("You are still signed in")
    pool.start()
    let_pass(minutes=2)
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_label("Text")).to_have_value("a long draft")
    assert SignIn.objects.get().ended_at is None


def test_form_is_not_shown_to_another_user(page, site, pool):
    sign_in_as(page, site)
    page.goto(f"{site}/note/")
    fill_in(page)
    end_the_session(pool)
    page.get_by_role("button", name="Keep").click()
    at_the_pool_again(page, "grace")
    page.wait_for_url(f"{site}/note/")
    expect(page.get_by_label("Text")).to_have_value("")


def test_submitted_form_is_not_restored(page, site):
    sign_in_as(page, site)
    page.goto(f"{site}/note/")
    fill_in(page)
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("body")).to_contain_text("a long draft")
    page.goto(f"{site}/profile/")
    page.goto(f"{site}/note/")
    expect(page.get_by_label("Text")).to_have_value("")


def test_ten_tabs_after_expiry_all_work(page, site, pool):
    sign_in_as(page, site)
    until_expired()
    tabs = [page.context.new_page() for _ in range(10)]
    for tab in tabs:
        tab.evaluate("address => { location.href = address }", f"{site}/profile/")
    for tab in tabs:
        expect(tab.get_by_role("heading", level=1)).to_have_text("Ada Lovelace")
    assert refreshes(pool) == 1


def test_session_fetch_posts_with_the_csrf_token(page, site):
    sign_in_as(page, site)
    page.goto(f"{site}/note/")
    output = page.evaluate(
        f"""async () => {{ {IMPORT}
        const body = new URLSearchParams({{ text: "by script" }});
        const answer = await sessionFetch("/note/", {{ method: "POST", body }});
        return [answer.status, await answer.json()]; }}"""
    )
    assert output[0] == 200
    assert output[1]["received"] == "by script"


def test_session_fetch_redirects_to_sign_in_and_returns_to_the_page(page, site, pool):
    sign_in_as(page, site)
    page.goto(f"{site}/note/?draft=7")
    fill_in(page)
    end_the_session(pool)
    page.evaluate(
        f"""() => {{ (async () => {{ {IMPORT} await sessionFetch("/note/?by=script"); }})()
        .catch(() => null); }}"""
    )
    at_the_pool_again(page)
    page.wait_for_url(f"{site}/note/?draft=7")
    expect(page.get_by_label("Text")).to_have_value("a long draft")


def test_session_fetch_reports_a_missing_sign_in(page, site):
    page.goto(site)
    output = page.evaluate(
        f"""async () => {{ {IMPORT}
        try {{ await sessionFetch("/note/", {{ navigate: false }}); }}
        catch (error) {{ return [error.name, error.code, error.loginUrl]; }} }}"""
    )
    assert output == ["SignInRequired", "not_authenticated", "/accounts/login/?next=%2F"]
    assert not any(cookie["name"].startswith("signin_") for cookie in page.context.cookies())


@pytest.mark.parametrize("address", ["https://elsewhere.example/x", "//elsewhere.example/x"])
def test_session_and_tokens_are_not_sent_to_other_origins(page, site, address):
    page.goto(site)
    for make in ("sessionFetch", "tokenFetch()"):
        output = page.evaluate(
            f"""async (address) => {{ {IMPORT}
            try {{ await {make}(address); return "asked"; }}
            catch (error) {{ return error.name + error.message; }} }}""",
            address,
        )
        assert output.startswith("TypeError")
        assert " is for " in output  # rejected before a request is sent


def test_token_fetch_keeps_tokens_in_memory(page, site, pool):
    page.goto(site)
    output = page.evaluate(
        f"""async (accessToken) => {{ {IMPORT}
        const api = tokenFetch();
        let first = "none";
        try {{ await api("/api/user"); }} catch (error) {{ first = error.name; }}
        api.setTokens({{ accessToken }});
        const answer = await api("/api/user");
        const stored = JSON.stringify({{...localStorage, ...sessionStorage}});
        return [first, answer.status, stored]; }}""",
        pool.tokens_for("ada")["access_token"],
    )
    assert output[:2] == ["SignInRequired", 200]
    assert "eyJ" not in output[2]


def test_signing_out_everywhere_in_the_browser(page, site, pool, new_context, screenshot):
    sign_in_as(page, site)
    other = new_context().new_page()
    sign_in_as(other, site)
    page.goto(f"{site}/profile/")
    screenshot(page, "profile-sessions")
    page.get_by_role("link", name="Sign out everywhere").click()
    expect(page.get_by_role("main")).to_contain_text("This ends 2 sessions")
    screenshot(page, "sign-out-everywhere")
    page.get_by_role("button", name="Sign out everywhere").click()
    page.wait_for_url(f"{site}/signout")
    other.goto(f"{site}/profile/")
    expect(other.get_by_label("Password").or_(other.get_by_text("Profile")).first).to_be_visible()
    assert SignIn.objects.filter(end_reason="everywhere").count() == 2
