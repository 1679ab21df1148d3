"""The URLs that begin a sign-in: visited again, by HEAD, by a prefetch, by a forbidden page."""

from urllib.parse import urlencode

import pytest
from django.contrib.auth.decorators import login_required, permission_required, user_passes_test
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import include, path, reverse_lazy

from accounts.models import SignInEvent
from accounts.signin.views import SignInView
from tests.flows.conftest import live_sign_ins, query_of

pytestmark = pytest.mark.django_db(transaction=True)


def reports(request):
    return HttpResponse("reports")


def entrance(request):
    return HttpResponseRedirect("/accounts/login/?next=/profile/")


def ask_for_another(request):
    return HttpResponseRedirect("/accounts/login/?another=1&next=/another/")


def never(user):
    return False


urlpatterns = [
    path("reports/", permission_required("stats.nobody")(reports)),
    path("reports/own/", user_passes_test(never, login_url=reverse_lazy("our_login"))(reports)),
    path("dashboard/", permission_required("stats.nobody")(reports)),
    path("private/", login_required(reports)),
    path("entrance/", entrance),
    path("another/", ask_for_another),
    path("our/sign-in", SignInView.as_view(), name="our_login"),
    path("", include("sso_project.urls")),
]


@pytest.fixture
def site(site, settings):
    settings.ROOT_URLCONF = __name__
    return site


def follow(visitor, path):
    """Return the last response after at most five redirects within the site."""
    response = visitor.get(path)
    for _ in range(5):
        if not response.headers.get("Location", "").startswith("/"):
            return response
        response = visitor.get(response.headers["Location"])
    raise AssertionError(f"{path} redirects in a circle")


@pytest.mark.parametrize("url", ["/accounts/login/", "/accounts/signup/", "/our/sign-in"])
def test_sign_in_url_leads_to_the_page_as_often_as_it_is_visited(visitor, url):
    visitor.sign_in("linus")
    for page in ("/profile/", "/private/", "/profile/", "/profile/", ""):
        response = visitor.get(url, params={"next": page})
        assert response.status_code == 302
        assert response.headers["Location"] == (page or "/dashboard/")


@pytest.mark.parametrize("page", ["/reports/", "/reports/?a=1&b=%C3%A4", "/reports/own/"])
def test_page_without_permission_is_a_403_each_time(visitor, page):
    visitor.sign_in("linus", "/profile/")
    for url in (page, page, f"/accounts/login/?{urlencode({'next': page})}"):
        response = follow(visitor, url)
        assert response.status_code == 403
        assert "have access to this page" in response.text
    assert visitor.http.post(visitor.site + page, allow_redirects=False).status_code == 403
    assert visitor.get("/accounts/login/?next=/profile/").headers["Location"] == "/profile/"


def test_forbidden_default_page_is_a_403_and_no_redirect_loop(visitor):
    visitor.sign_in("linus", "/profile/")
    assert follow(visitor, "/accounts/login/").status_code == 403


def test_redirect_to_another_page_or_account_is_not_refused(visitor):
    visitor.sign_in("linus", "/profile/")
    assert follow(visitor, "/entrance/").status_code == 200
    assert follow(visitor, "/another/").headers["Location"].startswith(visitor.pool.url)


@pytest.mark.parametrize("url", ["/accounts/login/", "/accounts/signup/"])
def test_head_is_answered_like_get_and_begins_nothing(visitor, caplog, url):
    caplog.set_level("INFO")
    response = visitor.http.head(f"{visitor.site}{url}?next=/profile/", allow_redirects=False)
    assert response.status_code == 302
    assert response.headers["Location"].startswith(visitor.pool.url)
    assert not response.cookies
    assert "authorize" not in caplog.text


def test_head_of_a_callback_uses_no_code(visitor):
    callback = visitor.callback(visitor.start("/profile/"), "linus")
    before = visitor.pool.counts()["token"]
    for _ in range(2):
        response = visitor.http.head(callback, allow_redirects=False)
        assert (response.status_code, response.headers["Location"]) == (302, "/profile/")
        assert not response.cookies
    assert live_sign_ins() == 0
    assert visitor.pool.counts()["token"] == before
    assert visitor.get(callback).headers["Location"] == "/profile/"
    assert visitor.is_signed_in


def test_malformed_callback_is_recorded_for_visits_only(visitor):
    state = query_of(visitor.start("/profile/"))["state"]
    malformed = f"/signin?code=a&code=b&state={state}"
    assert visitor.get(malformed, headers={"Sec-Purpose": "prefetch"}).status_code == 403
    assert visitor.http.head(f"{visitor.site}{malformed}").status_code == 400
    assert not SignInEvent.objects.exists()
    assert visitor.get(malformed).status_code == 400
    assert SignInEvent.objects.get().kind == "refused"


@pytest.mark.parametrize(
    "mark",
    [
        {"Sec-Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X-Moz": "prefetch"},
    ],
    ids=str,
)
def test_prefetch_begins_no_sign_in(visitor, mark):
    callback = visitor.callback(visitor.start("/private/"), "linus")
    cookies = dict(visitor.http.cookies)
    for _ in range(2):
        response = visitor.get("/private/", headers=mark)
        response = visitor.get(response.headers["Location"], headers=mark)
        assert response.status_code == 403
        assert not response.cookies
        assert "no-store" in response.headers["Cache-Control"]
        assert visitor.get(callback, headers=mark).status_code == 403
    assert dict(visitor.http.cookies) == cookies
    assert visitor.get(callback).headers["Location"] == "/private/"
    assert visitor.get("/private/").text == "reports"
