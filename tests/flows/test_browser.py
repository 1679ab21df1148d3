"""A new user in Chromium: sign in, view the figures and the profile, sign out."""

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.services,
]


def sign_in_as(page, site, username="ada"):
    page.goto(site)
    page.get_by_role("link", name="Sign in", exact=True).first.click()
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill("Cognito-demo-1")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{site}/dashboard/**")


def test_new_user_signs_in_views_pages_and_signs_out(page, site, pool, screenshot):
    call_command("seed_stats", until="2021-12", verbosity=0)
    response = page.goto(site)
    assert response.status == 200
    expect(page.get_by_role("link", name="Create account").first).to_be_visible()
    screenshot(page, "landing")
    page.get_by_role("link", name="Sign in", exact=True).first.click()
    page.wait_for_url(f"{pool.url}/login**")
    screenshot(page, "pool-sign-in")
    page.go_back()
    sign_in_as(page, site)

    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("canvas")).to_be_visible()
    expect(page.get_by_role("table").first).to_contain_text("revenue")
    screenshot(page, "dashboard")

    page.get_by_role("link", name="Profile", exact=True).click()
    for text in ("Ada Lovelace", "ada@example.com", "admins", pool.client_id):
        expect(page.get_by_role("main")).to_contain_text(text)
    screenshot(page, "profile")

    page.get_by_role("link", name="Server", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text("Django")
    screenshot(page, "server")

    page.get_by_role("button", name="Sign out", exact=True).first.click()
    page.wait_for_url(f"{site}/signout")
    expect(page.get_by_role("main")).to_contain_text("signed out")
    screenshot(page, "signed-out")

    page.goto(f"{site}/dashboard/")
    page.wait_for_url(f"{pool.url}/login**")
    expect(page.get_by_label("Password")).to_be_visible()


def test_deep_link_survives_the_way_through_the_hosted_ui(page, site, pool):
    page.goto(f"{site}/profile/")
    page.get_by_label("Username").fill("grace")
    page.get_by_label("Password").fill("Cognito-demo-1")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{site}/profile/")
    expect(page.get_by_role("main")).to_contain_text("Grace Hopper")


def test_back_button_over_the_callback_is_no_dead_end(page, site, pool):
    sign_in_as(page, site)
    page.go_back()
    page.goto(f"{site}/profile/")
    expect(page.get_by_role("main")).to_contain_text("Ada Lovelace")


def test_second_tab_is_signed_in_without_a_password(page, site, pool):
    sign_in_as(page, site)
    page.context.clear_cookies(name="sessionid")
    page.goto(f"{site}/profile/")  # single sign-on: the browser has a session at the pool
    page.wait_for_url(f"{site}/profile/")
    expect(page.get_by_role("main")).to_contain_text("Ada Lovelace")


def test_loopback_address_leads_to_localhost(page, site):
    page.goto(site.replace("localhost", "127.0.0.1"))
    assert page.url.startswith("http://localhost:")
