"""Requests of scripts and of htmx without a session."""

import pytest
from playwright.sync_api import expect

from tests.flows.sessions.test_in_browser import IMPORT
from tests.flows.test_browser import sign_in_as

pytestmark = pytest.mark.django_db(transaction=True)

HTMX = {"HX-Request": "true", "Accept": "*/*", "Sec-Fetch-Mode": "cors"}


def test_script_that_names_json_gets_a_401(visitor):
    response = visitor.get("/profile/", headers={"Accept": "application/json, text/plain, */*"})
    assert response.status_code == 401
    assert response.json()["code"] == "not_authenticated"
    assert {"Accept", "HX-Request"} <= set(response.headers["Vary"].split(", "))
    assert visitor.get("/profile/", headers={"Accept": "*/*"}).status_code == 302


@pytest.mark.parametrize("path", ["/profile/", "/api/user"])
def test_htmx_goes_to_a_sign_in_that_returns_to_its_page(visitor, path):
    page = f"{visitor.site}/dashboard/?kpi=profit#table"
    response = visitor.get(path, headers={**HTMX, "HX-Current-URL": page})
    assert response.status_code == 401
    start = visitor.get(response.headers["HX-Redirect"]).headers["Location"]
    back = visitor.get(visitor.callback(start, "linus"))
    assert back.headers["Location"] == "/dashboard/?kpi=profit#table"


def test_invalid_token_of_htmx_is_not_redirected(visitor):
    response = visitor.get("/api/user", headers={**HTMX, "Authorization": "Bearer x"})
    assert response.status_code == 401
    assert "HX-Redirect" not in response.headers


def test_boosted_links_for_signing_in_and_out_leave_the_page(visitor):
    response = visitor.get("/accounts/login/?next=/profile/", headers=HTMX)
    assert (response.status_code, response.text) == (200, "")
    assert "Location" not in response.headers
    visitor.get(visitor.callback(response.headers["HX-Redirect"], "linus"))
    assert visitor.is_signed_in
    visitor.http.headers.update(HTMX)
    response = visitor.post("/accounts/logout/")
    assert response.headers["HX-Redirect"].startswith(f"{visitor.pool.url}/logout?")
    assert not visitor.is_signed_in


@pytest.mark.browser
def test_session_fetch_returns_to_the_fragment(page, site, pool):
    sign_in_as(page, site)
    page.goto(f"{site}/note/?a=1#part")
    page.context.clear_cookies()
    fetching = f"async () => {{ {IMPORT} await sessionFetch('/api/user').catch(() => {{}}); }}"
    page.evaluate(fetching)
    page.wait_for_url(f"{pool.url}/login**")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill("Cognito-demo-1")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{site}/note/?a=1#part")
    expect(page.get_by_label("Text")).to_be_visible()
