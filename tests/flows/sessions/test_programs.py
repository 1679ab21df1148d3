"""Scripts get 401 in JSON; page requests are redirected to sign in."""

import pytest

from tests.flows.sessions.conftest import until_expired

pytestmark = pytest.mark.django_db(transaction=True)

PROGRAMS = [
    {"Sec-Fetch-Mode": "cors", "Accept": "text/html"},
    {"Sec-Fetch-Mode": "same-origin"},
    {"X-Requested-With": "XMLHttpRequest"},
    {"Accept": "application/json"},
]
PAGES = [
    {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"},
    {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"},
    {"Accept": "*/*"},
]


@pytest.mark.parametrize("headers", PROGRAMS)
@pytest.mark.parametrize("path", ["/profile/", "/note/", "/accounts/login/?next=/note/"])
def test_script_gets_401_and_no_attempt_starts(visitor, headers, path):
    response = visitor.get(path, headers=headers | {"Referer": f"{visitor.site}/dashboard/?year=1"})
    assert response.status_code == 401
    assert response.json() == {
        "detail": "You are not signed in. Sign in and try again.",
        "code": "not_authenticated",
        "error": "You are not signed in. Sign in and try again.",
        "login_url": "/accounts/login/?next=%2Fdashboard%2F%3Fyear%3D1",
    }
    assert "no-store" in response.headers["Cache-Control"]
    assert not any(name.startswith("signin_") for name in visitor.http.cookies.get_dict())


@pytest.mark.parametrize("headers", PAGES)
def test_page_request_is_redirected_to_sign_in(visitor, headers):
    response = visitor.get("/profile/", headers=headers)
    assert response.headers["Location"] == "/accounts/login/?next=/profile/"


def test_ended_session_has_its_own_code(visitor):
    visitor.sign_in()
    visitor.pool.disable("ada")
    until_expired()
    response = visitor.get("/note/", headers={"Sec-Fetch-Mode": "cors"})
    assert (response.status_code, response.json()["code"]) == (401, "session_ended")
    response = visitor.get("/note/", headers={"Sec-Fetch-Mode": "cors"})
    assert response.json()["code"] == "not_authenticated"


def test_api_returns_the_sign_in_url_and_that_the_session_ended(visitor):
    page = {"Sec-Fetch-Mode": "cors", "Referer": f"{visitor.site}/dashboard/"}
    address = "/accounts/login/?next=%2Fdashboard%2F"
    response = visitor.get("/api/user", headers=page)
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")
    assert response.json()["login_url"] == address
    visitor.sign_in()
    assert visitor.get("/api/user", headers=page).status_code == 200
    visitor.pool.disable("ada")
    until_expired()
    response = visitor.get("/api/user", headers=page)
    assert (response.status_code, response.json()["code"]) == (401, "session_ended")
    assert response.json()["login_url"] == address


@pytest.mark.parametrize("referer", ["https://evil.example/x", "//evil.example/x", "", "nonsense"])
def test_foreign_referer_is_not_a_return_page(visitor, referer):
    headers = {"Sec-Fetch-Mode": "cors", "Referer": referer}
    assert visitor.get("/note/", headers=headers).json()["login_url"] == "/accounts/login/"


def test_script_does_not_change_the_return_page_of_a_tab(visitor):
    """A page starts to sign in, then a script of another tab sends a request."""
    start = visitor.start("/note/?draft=1")
    visitor.get("/profile/", headers={"Sec-Fetch-Mode": "cors"})
    assert visitor.get(visitor.callback(start)).headers["Location"] == "/note/?draft=1"


def test_session_call_of_the_api_needs_the_csrf_token(visitor):
    visitor.sign_in()
    visitor.get("/profile/")
    url = f"{visitor.site}/note/"
    headers = {"Sec-Fetch-Mode": "cors"}
    assert visitor.http.post(url, headers=headers, timeout=60).status_code == 403
    headers["X-CSRFToken"] = visitor.http.cookies["csrftoken"]
    assert visitor.http.post(url, headers=headers, timeout=60).status_code == 200
