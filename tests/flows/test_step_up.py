"""Links that say how to sign in, and pages that require a stronger or more recent sign-in."""

import re
from urllib.parse import quote

import pytest
from django.http import HttpResponse
from django.urls import include, path
from playwright.sync_api import expect

from accounts.decorators import recent_sign_in_required
from accounts.models import SignIn
from tests.flows.conftest import query_of

pytestmark = pytest.mark.django_db(transaction=True)

LEVELS = [f"urn:cognito:loa:{level}" for level in range(1, 5)]


@recent_sign_in_required(acr=LEVELS[2])
def vault(request):
    return HttpResponse("<main>The vault is open.</main>")


urlpatterns = [path("vault/", vault), path("", include("sso_project.urls"))]


@pytest.fixture
def site(site, settings):
    settings.ROOT_URLCONF = __name__
    return site


def test_parameters_of_a_link_reach_the_hosted_ui(visitor):
    link = "/accounts/login/?login_hint=ada%40example.com&lang=de&identity_provider=Nobody&prompt=x"
    query = query_of(visitor.get(link).headers["Location"])
    assert (query["login_hint"], query["lang"]) == ("ada@example.com", "de")
    assert not {"identity_provider", "prompt"} & query.keys()


def test_second_try_keeps_the_parameters(visitor):
    start = visitor.get("/accounts/login/?next=/profile/&lang=de").headers["Location"]
    said = {
        "error": "invalid_request",
        "error_description": "Already found an entry for username x",
        "state": query_of(start)["state"],
    }
    again = visitor.get("/signin", params=said).headers["Location"]
    assert query_of(again)["lang"] == "de"


def test_second_try_still_asks_for_another_account(visitor):
    start = visitor.get("/accounts/login/?another=1").headers["Location"]
    said = {
        "error": "invalid_request",
        "error_description": "Already found an entry for username x",
        "state": query_of(start)["state"],
    }
    again = visitor.get("/signin", params=said).headers["Location"]
    assert query_of(again)["prompt"] == "login"


def test_cookie_of_an_attempt_stays_small(visitor):
    hint = quote("\U0001f600" * 128)
    response = visitor.get(f"/accounts/login/?login_hint={hint}&max_age=60")
    (value,) = (value for name, value in response.cookies.items() if name.startswith("signin_"))
    assert len(value) < 1000


def test_parameters_never_reach_the_log(visitor, caplog):
    visitor.get("/accounts/login/?login_hint=ada%40example.com&identity_provider=Secret-Provider")
    assert "ada@example.com" not in caplog.text
    assert "Secret-Provider" not in caplog.text
    assert "parameters=identity_provider" in caplog.text


def test_stronger_sign_in_opens_the_page(visitor, pool):
    visitor.sign_in("ada")
    start = visitor.get(visitor.get("/vault/").headers["Location"]).headers["Location"]
    assert query_of(start)["acr_values"] == f"{LEVELS[2]} {LEVELS[3]}"
    response = visitor.get(pool.sign_in(start, "ada", session=visitor.http))
    assert response.headers["Location"] == "/vault/"
    assert visitor.get("/vault/").status_code == 200
    assert SignIn.objects.live().count() == 1


def test_sign_in_that_is_not_strong_enough_is_a_page_and_not_a_circle(visitor, pool):
    visitor.sign_in("ada")
    pool.do("plan lite")  # ignores acr_values
    start = visitor.get(visitor.get("/vault/").headers["Location"]).headers["Location"]
    response = visitor.get(pool.sign_in(start, "ada", session=visitor.http))
    assert response.status_code == 403
    assert "insufficient" not in response.text  # a code for programs
    assert "sufficient for this page" in response.text
    assert visitor.is_signed_in  # with the earlier sign-in


@pytest.fixture
def with_providers(settings):
    options = {"IDENTITY_PROVIDERS": ["Google=Google", "Okta=Company account"]}
    settings.COGNITO = {**settings.COGNITO, **options}


def test_landing_page_has_a_button_for_each_provider(visitor, with_providers):
    page = visitor.get("/?next=/profile/").text
    (url,) = re.findall(r'href="([^"]+)">Sign in with Company account</a>', page)
    query = query_of(visitor.get(url.replace("&amp;", "&")).headers["Location"])
    assert query["identity_provider"] == "Okta"


@pytest.mark.browser
def test_link_fills_in_the_name_and_a_page_asks_for_a_second_factor(page, site, pool):
    page.goto(f"{site}/accounts/login/?next=/profile/&login_hint=linus")
    expect(page.get_by_label("Username")).to_have_value("linus")
    page.get_by_label("Password").fill("Cognito-demo-1")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{site}/profile/")
    page.goto(f"{site}/vault/")
    expect(page.get_by_label("Code")).to_be_visible()
    page.get_by_label("Code").fill(pool.mailbox[-1].code)
    page.get_by_role("button").first.click()
    page.wait_for_url(f"{site}/vault/")
    expect(page.get_by_role("main")).to_contain_text("The vault is open.")
