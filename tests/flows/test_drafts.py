"""Forms and buttons of a tab that is older than the current session."""

import re

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from stats.models import Stat
from tests.flows.conftest import live_sign_ins, query_of
from tests.flows.test_browser import sign_in_as

pytestmark = pytest.mark.django_db(transaction=True)

FORM = "/dashboard/figures/add/"
FIGURE = {"kpi": "draft", "month": "2031-05", "value": 1}


def form_token(visitor, path=FORM):
    return re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', visitor.get(path).text)[1]


def end_session(visitor, how):
    if how == "ended":
        call_command("cognito_sign_out_user", "grace")
    elif how == "cookie lost":
        visitor.http.cookies.clear(domain="localhost.local", path="/", name="sessionid")


def send(visitor, token, path=FORM, headers=None, **fields):
    fields = fields or FIGURE
    return visitor.http.post(
        visitor.site + path,
        {"csrfmiddlewaretoken": token, **fields},
        headers=headers,
        allow_redirects=False,
        timeout=60,
    )


@pytest.mark.parametrize("how", ["ended", "cookie lost", "again"])
def test_form_of_the_same_user_is_accepted_after_a_new_sign_in(visitor, how):
    visitor.sign_in("grace")
    token = form_token(visitor)
    for _ in range(2):
        end_session(visitor, how)
        start = visitor.get("/accounts/login/?another=1&next=/profile/").headers["Location"]
        visitor.get(visitor.callback(start, "grace"))
    assert send(visitor, token).status_code == 302
    assert Stat.objects.filter(kpi="draft").exists()


@pytest.mark.parametrize("path", ["/accounts/logout/", "/profile/sign-out-everywhere/"])
def test_open_forms_end_with_a_sign_out(visitor, path):
    visitor.sign_in("grace")
    token = form_token(visitor)
    assert "csrf_user" in visitor.http.cookies
    send(visitor, "old", path, {"Origin": visitor.site})
    assert "csrf_user" not in visitor.http.cookies
    start = visitor.get("/accounts/login/?another=1&next=/profile/").headers["Location"]
    visitor.get(visitor.callback(start, "grace"))
    response = send(visitor, token)
    assert response.status_code == 403
    assert "data-unsent-form" in response.text


def test_form_of_another_user_is_refused(visitor):
    visitor.sign_in("grace")
    token, secret = form_token(visitor), visitor.http.cookies["csrftoken"]
    visitor.sign_out()
    visitor.http.cookies.clear(domain="localhost.local", path="/", name="cognito")
    visitor.sign_in("ada")
    assert visitor.http.cookies["csrftoken"] != secret
    response = send(visitor, token)
    assert response.status_code == 403
    assert "data-unsent-form" in response.text
    assert not Stat.objects.filter(kpi="draft").exists()


def test_secret_that_was_planted_is_replaced_at_the_sign_in(visitor):
    planted = "a" * 32
    visitor.http.cookies.set("csrftoken", planted, domain="localhost.local")
    visitor.http.cookies.set("csrf_user", "0" * 40, domain="localhost.local")
    visitor.sign_in("grace")
    assert visitor.http.cookies.get("csrftoken", domain="localhost.local") != planted


@pytest.mark.parametrize("path", ["/accounts/logout/", "/profile/sign-out-everywhere/"])
@pytest.mark.parametrize("headers", [{"Origin": "{site}"}, {}], ids=["origin", "token"])
def test_signing_out_does_not_depend_on_the_age_of_the_tab(visitor, path, headers):
    visitor.sign_in("grace")
    token = form_token(visitor, "/profile/") if not headers else "old"
    headers = {name: value.format(site=visitor.site) for name, value in headers.items()}
    assert send(visitor, token, path, headers).headers["Location"].startswith(visitor.pool.url)
    assert live_sign_ins() == 0


@pytest.mark.parametrize("path", ["/accounts/logout/", "/profile/sign-out-everywhere/"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
def test_post_of_another_site_gets_a_page_with_the_button(visitor, path, origin):
    visitor.sign_in("grace")
    response = send(visitor, "forged", path, {"Origin": origin})
    assert response.status_code == 403
    assert re.search(
        r'<button class="button button--(primary|danger)" type="submit">', response.text
    )
    assert visitor.is_signed_in


def test_sign_out_after_the_session_ended_still_ends_the_session_of_the_pool(visitor):
    visitor.sign_in("grace")
    call_command("cognito_sign_out_user", "grace")
    response = send(visitor, "old", "/accounts/logout/", {"Origin": visitor.site})
    assert query_of(response.headers["Location"])["logout_uri"] == f"{visitor.site}/signout"


def test_get_of_the_sign_out_is_a_page_with_the_button(visitor):
    visitor.sign_in("grace")
    for method in ("get", "head"):
        response = visitor.http.request(method, f"{visitor.site}/accounts/logout/?next=/server/")
        assert response.status_code == 200
    assert visitor.is_signed_in
    page = visitor.get("/accounts/logout/?next=/server/")
    assert "Sign out now" in page.text
    assert 'name="next" value="/server/"' in page.text
    visitor.sign_out()
    assert "signed out" in visitor.get("/accounts/logout/").text


def test_page_that_can_only_be_posted_to_says_so(visitor):
    visitor.sign_in("grace")
    response = visitor.get("/profile/sessions/1/end/")
    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"
    assert 'href="/profile/"' in response.text


@pytest.mark.browser
def test_draft_is_sent_after_a_new_sign_in_in_another_tab(page, site, pool):
    sign_in_as(page, site, "grace")
    page.goto(f"{site}{FORM}")
    page.get_by_label("KPI").fill("draft")
    page.get_by_label("Month").fill("2031-05")
    page.get_by_label("Value").fill("7")
    pool.disable("grace")
    pool.enable("grace")
    call_command("cognito_sign_out_user", "grace")
    other = page.context.new_page()
    sign_in_as(other, site, "grace")
    page.get_by_role("button", name="Add").click()
    page.wait_for_url(re.compile("/dashboard/(?!figures)"))
    assert Stat.objects.get(kpi="draft").value == 7


@pytest.mark.browser
def test_draft_of_another_user_is_shown_for_copying(page, site, pool):
    sign_in_as(page, site, "grace")
    page.goto(f"{site}{FORM}")
    page.get_by_label("KPI").fill("a long draft")
    other = page.context.new_page()
    other.goto(f"{site}/accounts/logout/")
    other.get_by_role("button", name="Sign out now").click()
    sign_in_as(other, site, "ada")
    page.get_by_label("Month").fill("2031-05")
    page.get_by_label("Value").fill("7")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The form wasn't saved")
    expect(page.get_by_label("kpi")).to_have_value("a long draft")
    page.get_by_role("link", name="Open the form again").click()
    expect(page.get_by_label("KPI")).to_have_value("")
