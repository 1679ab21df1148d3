"""A single-page app in Chromium stays signed in when its tokens expire."""

import time
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from stats.models import Stat

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def pool_settings():
    return {"access_token_seconds": 2, "id_token_seconds": 2}


@pytest.fixture
def figures():
    Stat.objects.create(kpi="revenue", year=2020, month=1, value=1)
    Stat.objects.create(kpi="revenue", year=2020, month=2, value=2)


def sign_in(page, site, pool, spa_origin):
    query = urlencode({"api": site, "pool": pool.url, "client": pool.client_id})
    page.goto(f"{spa_origin}/?{query}")
    expect(page.locator("#server")).to_have_text("Django")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Username").fill("grace")
    page.get_by_label("Password").fill("Cognito-demo-1")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{spa_origin}/")
    expect(page.locator("#person")).to_have_text("grace")


def test_page_stays_signed_in_past_the_expiry_of_its_tokens(page, site, pool, spa_origin, figures):
    sign_in(page, site, pool, spa_origin)
    expect(page.locator("#figures")).to_have_text("2")
    assert page.locator("#error").inner_text() == ""
    before = page.evaluate("sessionStorage.accessToken")
    time.sleep(2.1)
    page.get_by_role("button", name="Load").click()
    expect(page.locator("#figures")).to_have_text("2")
    expect(page.locator("#person")).to_have_text("grace")
    assert page.locator("#error").inner_text() == ""
    assert int(page.locator("#refreshed").inner_text()) >= 1
    assert page.evaluate("sessionStorage.accessToken") != before
    # Two requests with the expired token cause one call.
    assert pool.counts()["token:refresh_token"] == 1


def test_page_detects_that_the_sign_in_has_ended(page, site, pool, spa_origin):
    sign_in(page, site, pool, spa_origin)
    pool.sign_out_everywhere("grace")
    time.sleep(2.1)
    page.get_by_role("button", name="Load").click()
    expect(page.locator("#error")).to_contain_text("401 the sign-in has ended; sign in again")
