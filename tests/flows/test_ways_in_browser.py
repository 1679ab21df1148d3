"""Ways to sign in, in Chromium: again, late, in many tabs, with a link from an office program."""

import re

import pytest
from playwright.sync_api import expect

from tests.flows.conftest import live_sign_ins

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.services,
]


def enter_password(page, username="linus"):
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill("Cognito-demo-1")
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_bookmark_of_the_sign_in_opens_the_page_each_time(page, site):
    bookmark = f"{site}/accounts/login/?next=/profile/%23sessions"
    page.goto(bookmark)
    enter_password(page)
    for _ in range(3):
        page.wait_for_url(f"{site}/profile/#sessions")
        expect(page.get_by_role("main")).to_contain_text("Linus")
        page.goto(f"{site}/dashboard/")
        page.goto(bookmark)


def test_user_who_needs_longer_than_ten_minutes_arrives(page, site, pool):
    page.goto(f"{site}/dashboard/?q=Größe#figures")
    page.wait_for_url(f"{pool.url}/login**")
    page.context.clear_cookies(name=re.compile("^signin_"))  # as after ten minutes
    enter_password(page)
    page.wait_for_url(re.compile(r"/dashboard/\?q=Gr%C3%B6%C3%9Fe"))


def test_first_federated_sign_in_starts_again_by_itself_once(page, site, pool, settings):
    settings.COGNITO = {**settings.COGNITO, "IDENTITY_PROVIDERS": ["Google=Google"]}
    pool.do("providers Google")
    # A trigger that links the user makes the first try fail.
    pool.do("provider-error 'Already found an entry for username Google_117'")
    page.goto(site)
    page.get_by_role("link", name="Sign in with Google").click()
    for _ in range(2):
        user_id = page.get_by_label("User ID")
        expect(user_id).to_have_value("")  # of the second try, not of the first one
        user_id.fill("117")
        page.get_by_label("Name", exact=True).fill("Marie Curie")
        page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{site}/dashboard/**")
    expect(page.get_by_role("banner")).to_contain_text("Marie Curie")
    page.goto(f"{site}/profile/")
    expect(page.get_by_role("main")).to_contain_text("Marie Curie")
    assert live_sign_ins() == 1


def test_fifteen_restored_tabs_all_arrive(page, site, pool):
    tabs = [page.context.new_page() for _ in range(15)]
    for number, tab in enumerate(tabs):
        tab.goto(f"{site}/profile/?tab={number}")
        tab.wait_for_url(f"{pool.url}/login**")
    for number, tab in enumerate(tabs):
        enter_password(tab)
        tab.wait_for_url(f"{site}/profile/?tab={number}")
    assert live_sign_ins() == 1


def test_link_in_an_office_program_and_a_repeated_callback(page, site, pool, new_visitor):
    program = new_visitor()  # Word follows the link itself, and opens the last URL in the browser
    page.goto(program.start("/profile/?from=word"))
    callbacks = []
    page.on("request", lambda request: callbacks.append(request.url))
    enter_password(page)
    page.wait_for_url(f"{site}/profile/?from=word")
    callback = next(url for url in reversed(callbacks) if "/signin?code=" in url)
    page.goto(callback)
    page.wait_for_url(f"{site}/profile/?from=word")
    assert live_sign_ins() == 1
