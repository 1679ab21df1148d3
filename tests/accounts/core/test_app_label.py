"""The `__Host-` prefix of Secure cookies, which another host of the domain cannot plant."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from accounts.core.app_label import cookie_name
from accounts.sessions import return_page


@pytest.fixture
def https(settings):
    settings.SESSION_COOKIE_SECURE = True


def test_cookie_has_no_prefix_over_http():
    assert cookie_name("after_sign_out") == "after_sign_out"


@pytest.mark.usefixtures("https")
def test_prefixed_cookie_meets_the_browser_requirements():
    response = HttpResponse()
    return_page.store(response, "/profile/")
    cookie = response.cookies["__Host-after_sign_out"]
    assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")


@pytest.mark.usefixtures("https")
def test_cookie_without_the_prefix_is_ignored_over_https():
    response = HttpResponse()
    return_page.store(response, "/profile/")
    value = response.cookies["__Host-after_sign_out"].value
    request = RequestFactory().get("/")
    request.COOKIES["after_sign_out"] = value
    assert return_page.load(request) == ""
    request.COOKIES["__Host-after_sign_out"] = value
    request.COOKIES["after_sign_out"] = "planted"
    assert return_page.load(request) == "/profile/"


@pytest.mark.usefixtures("https")
def test_prefixed_cookie_is_deleted_with_the_secure_attribute():
    cookie = return_page.clear(HttpResponse()).cookies["__Host-after_sign_out"]
    assert (cookie["secure"], cookie["max-age"]) == (True, 0)
