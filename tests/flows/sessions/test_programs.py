"""A script is told 401 in words it can read; a page visit is led to sign in."""

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
def test_program_gets_401_and_no_attempt_is_begun(visitor, headers, path):
    answer = visitor.get(path, headers=headers | {"Referer": f"{visitor.site}/dashboard/?year=1"})
    assert answer.status_code == 401
    assert answer.json() == {
        "detail": "You are not signed in. Sign in and try again.",
        "code": "not_authenticated",
        "error": "You are not signed in. Sign in and try again.",
        "login_url": "/accounts/login/?next=%2Fdashboard%2F%3Fyear%3D1",
    }
    assert "no-store" in answer.headers["Cache-Control"]
    assert not any(name.startswith("signin_") for name in visitor.http.cookies.get_dict())


@pytest.mark.parametrize("headers", PAGES)
def test_page_visit_is_led_to_sign_in(visitor, headers):
    answer = visitor.get("/profile/", headers=headers)
    assert answer.headers["Location"] == "/accounts/login/?next=/profile/"


def test_ended_session_is_told_apart(visitor):
    visitor.sign_in()
    visitor.pool.disable("ada")
    until_expired()
    answer = visitor.get("/note/", headers={"Sec-Fetch-Mode": "cors"})
    assert (answer.status_code, answer.json()["code"]) == (401, "session_ended")
    answer = visitor.get("/note/", headers={"Sec-Fetch-Mode": "cors"})
    assert answer.json()["code"] == "not_authenticated"


def test_api_says_where_to_sign_in_and_that_the_session_ended(visitor):
    page = {"Sec-Fetch-Mode": "cors", "Referer": f"{visitor.site}/dashboard/"}
    address = "/accounts/login/?next=%2Fdashboard%2F"
    answer = visitor.get("/api/user", headers=page)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert answer.json()["login_url"] == address
    visitor.sign_in()
    assert visitor.get("/api/user", headers=page).status_code == 200
    visitor.pool.disable("ada")
    until_expired()
    answer = visitor.get("/api/user", headers=page)
    assert (answer.status_code, answer.json()["code"]) == (401, "session_ended")
    assert answer.json()["login_url"] == address


@pytest.mark.parametrize("referer", ["https://evil.example/x", "//evil.example/x", "", "nonsense"])
def test_foreign_referer_is_nowhere_to_come_back_to(visitor, referer):
    headers = {"Sec-Fetch-Mode": "cors", "Referer": referer}
    assert visitor.get("/note/", headers=headers).json()["login_url"] == "/accounts/login/"


def test_script_does_not_change_where_a_tab_is_going(visitor):
    """A page began to sign in; a script of another tab asks meanwhile."""
    start = visitor.start("/note/?draft=1")
    visitor.get("/profile/", headers={"Sec-Fetch-Mode": "cors"})
    assert visitor.get(visitor.callback(start)).headers["Location"] == "/note/?draft=1"


def test_session_call_of_the_api_needs_the_csrf_token(visitor):
    visitor.sign_in()
    visitor.get("/profile/")
    url = f"{visitor.site}/note/"
    headers = {"Sec-Fetch-Mode": "cors"}
    assert visitor.http.post(url, headers=headers, timeout=20).status_code == 403
    headers["X-CSRFToken"] = visitor.http.cookies["csrftoken"]
    assert visitor.http.post(url, headers=headers, timeout=20).status_code == 200
