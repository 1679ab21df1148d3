"""The requested page is opened after the sign-in, whatever happens on the way."""

from urllib.parse import quote

import pytest
from django.contrib.sessions.models import Session

from accounts.signin import destination
from tests.flows.conftest import query_of

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = {
    "long": "/dashboard/?q=" + "x1y2" * 500,
    "not ASCII": "/dashboard/?q=" + quote("Größe, 東京 ✓ " * 20),
    "fragment": "/dashboard/?a=1#/view/7?tab=2",
    "long fragment": "/dashboard/#" + "part/" * 100,
    "admin filter": "/admin/accounts/user/?is_active__exact=1&q=%C3%A4%20&_popup=a%3Db",
}


def lose_attempt(visitor):
    """Let the attempt's cookies expire."""
    for name in [c.name for c in visitor.http.cookies if c.name.startswith("signin_")]:
        del visitor.http.cookies[name]


def return_without_attempt(visitor, callback):
    """Request a callback whose attempt is not known, and return the final response."""
    again = visitor.get(callback)
    assert again.headers["Location"].startswith(f"{visitor.pool.url}/oauth2/authorize?")
    return visitor.get(visitor.callback(again.headers["Location"], "linus"))


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_page_is_opened_with_and_without_the_attempt(visitor, new_visitor, page):
    start = visitor.start(page)
    assert len(query_of(start)["state"]) < 512
    assert page.partition("/")[2][:20] not in start
    assert visitor.get(visitor.callback(start, "linus")).headers["Location"] == page

    late = new_visitor()
    callback = late.callback(late.start(page), "linus")
    lose_attempt(late)
    assert return_without_attempt(late, callback).headers["Location"] == page


def test_page_of_an_attempt_that_another_program_began_is_opened(visitor, new_visitor):
    """Office programs follow a link themselves, and open the last URL in the browser."""
    program, page = new_visitor(), "/dashboard/?from=word"
    callback = visitor.callback(program.start(page), "linus")
    assert return_without_attempt(visitor, callback).headers["Location"] == page
    callback = visitor.callback(program.start(page), "linus")
    assert visitor.get(callback).headers["Location"] == page
    assert not program.is_signed_in


def test_fifteen_tabs_all_end_at_their_pages(visitor):
    starts = [visitor.start(f"/dashboard/?tab={number}") for number in range(15)]
    visitor.callback(starts[0], "linus")
    places = []
    for start in starts:
        response = visitor.get(visitor.callback(start, "linus"))
        if response.headers["Location"].startswith(visitor.pool.url):
            response = visitor.get(visitor.callback(response.headers["Location"], "linus"))
        places.append(response.headers["Location"])
    assert places == [f"/dashboard/?tab={number}" for number in range(15)]


def test_parameters_of_the_link_survive_the_loss_of_the_attempt(visitor, pool, settings):
    settings.COGNITO = {**settings.COGNITO, "IDENTITY_PROVIDERS": ["Google=Google"]}
    pool.do("providers Google")
    link = {"identity_provider": "Google", "lang": "de", "login_hint": "x@y.example"}
    query = {"next": "/profile/", **link}
    start = visitor.get("/accounts/login/", params=query).headers["Location"]
    assert len(query_of(start)["state"]) < 512
    callback = visitor.callback(start, "117")
    lose_attempt(visitor)
    again = visitor.get(callback).headers["Location"]
    assert link.items() <= query_of(again).items()
    assert visitor.get(visitor.callback(again, "117")).headers["Location"] == "/profile/"


def test_other_account_is_used_after_the_attempt_expired(visitor):
    visitor.sign_in("ada")
    start = visitor.get("/accounts/login/?another=1&next=/profile/").headers["Location"]
    visitor.http.cookies.clear(domain="localhost.local", path="/", name="cognito")
    callback = visitor.callback(start, "grace")
    lose_attempt(visitor)
    again = visitor.get(callback).headers["Location"]
    assert visitor.get(visitor.callback(again, "grace")).headers["Location"] == "/profile/"
    assert "Grace Hopper" in visitor.get("/profile/").text


@pytest.mark.parametrize("page", ["https://evil.example/", "//evil.example/" + "x" * 300])
def test_other_site_is_never_a_destination(visitor, page):
    callback = visitor.callback(visitor.start(page), "linus")
    lose_attempt(visitor)
    assert return_without_attempt(visitor, callback).headers["Location"] == "/dashboard/"


@pytest.mark.parametrize("limit", ["MAX_STORED_PER_SUBNET", "MAX_STORED"])
def test_limited_number_of_long_pages_is_stored(visitor, monkeypatch, limit):
    monkeypatch.setattr(destination, limit, 2)
    callbacks = [visitor.callback(visitor.start(PAGES["long"]), "linus") for _ in range(3)]
    assert Session.objects.count() == 2
    lose_attempt(visitor)
    assert return_without_attempt(visitor, callbacks[2]).headers["Location"] == "/dashboard/"
