"""Swagger UI and the browsable API in Chromium."""

import pytest
from playwright.sync_api import expect

from stats.models import Stat

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def site(site, pool, settings):
    settings.COGNITO = {
        **settings.COGNITO,
        "PUBLIC_CLIENT_ID": pool.env()["COGNITO_PUBLIC_CLIENT_ID"],
    }
    return site


def sign_in(page, username="ada"):
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill("Cognito-demo-1")
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_authorize_signs_in_and_an_endpoint_can_be_called(page, site, pool, screenshot):
    page.goto(f"{site}/docs")
    page.locator("button.authorize").first.click()
    dialog = page.locator(".auth-container", has_text="authorizationCode").first
    expect(dialog.get_by_label("client_id:")).to_have_value(pool.config.public_client_id)
    expect(dialog.get_by_label("client_secret:")).to_be_hidden()
    with page.expect_popup() as opened:
        dialog.locator("button.authorize").click()
    popup = opened.value
    popup.get_by_label("Username").fill("ada")
    popup.get_by_label("Password").fill("Cognito-demo-1")
    with popup.expect_event("close"):
        popup.get_by_role("button", name="Sign in", exact=True).click()
    expect(dialog.locator("button", has_text="Logout")).to_be_visible()
    page.locator(".close-modal").first.click()
    assert not [cookie for cookie in page.context.cookies() if cookie["name"] == "sessionid"]

    operation = page.locator("#operations-user-get_user")
    operation.locator(".opblock-summary").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    response = operation.locator(".live-responses-table")
    expect(response).to_contain_text('"userName": "ada"')
    expect(response).to_contain_text(pool.config.public_client_id)
    screenshot(page, "api-docs")
    background = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(background)
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_class("dark-mode")
    assert page.evaluate(background) != light
    screenshot(page, "api-docs-dark")
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).not_to_have_class("dark-mode")


def test_browsable_api_signs_in_and_out_and_comes_back(page, site, pool, screenshot):
    Stat.objects.create(kpi="revenue", year=2020, month=1, value=1)
    page.goto(f"{site}/api/user")
    expect(page.locator("pre").last).to_contain_text("not_authenticated")
    page.get_by_role("link", name="Sign in").click()
    sign_in(page, "grace")
    page.wait_for_url(f"{site}/api/user")
    expect(page.locator("pre").last).to_contain_text('"userName": "grace"')
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    screenshot(page, "browsable-api")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{site}/api/user")
    expect(page.locator("pre").last).to_contain_text("not_authenticated")
    page.get_by_role("link", name="Sign in").click()
    page.wait_for_url(f"{pool.url}/login**")  # the hosted UI's own session has ended as well


def test_browsable_list_writes_a_figure(page, site, pool):
    page.goto(f"{site}/api/stats")
    page.get_by_role("link", name="Sign in").click()
    sign_in(page, "ada")
    page.wait_for_url(f"{site}/api/stats")
    figure = '{"kpi": "profit", "year": 2021, "month": 5, "value": 7.5}'
    page.locator("textarea[name=_content]").first.fill(figure)
    page.get_by_role("button", name="POST", exact=True).first.click()
    expect(page.locator("pre").last).to_contain_text("201 Created")
    assert Stat.objects.get().kpi == "profit"
