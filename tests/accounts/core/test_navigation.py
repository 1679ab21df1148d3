import pytest
from django.test import RequestFactory

from accounts.core.navigation import (
    is_page_request,
    page_path,
    redirect_target,
    safe_next_url,
)


def next_url(target, *, method="get", **extra):
    factory = RequestFactory(headers={"host": "localhost:8000"})
    return safe_next_url(getattr(factory, method)("/accounts/login/", {"next": target}, **extra))


@pytest.mark.parametrize(
    "target",
    ["/profile/", "/dashboard/?kpi=profit&year=2020", "/a%20b/?q=%2F%2Fevil.example"],
)
def test_path_of_this_site_is_accepted(target):
    assert next_url(target) == target


def test_url_of_this_site_is_reduced_to_its_path():
    assert next_url("http://localhost:8000/profile/?a=1#part") == "/profile/?a=1#part"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "http://localhost:8000@evil.example/",
        "http://localhost:9000/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "\x08//evil.example",
        "javascript:alert(1)",
        "http:///evil.example",
        "http:evil.example",
        "ftp://localhost:8000/",
        " https://evil.example",
        "profile/",
        "",
        "\u2028//evil.example",
    ],
)
def test_url_of_another_site_is_dropped(target):
    assert next_url(target) == ""


@pytest.mark.parametrize(
    "path", ["/signin?code=x", "/signout", "/accounts/login/", "/accounts/logout/"]
)
def test_sign_in_and_sign_out_urls_are_dropped(path):
    assert next_url(path) == ""


def test_http_url_is_dropped_on_an_https_site():
    assert next_url("http://localhost:8000/profile/", secure=True) == ""


def test_redirect_target_defaults_to_the_dashboard():
    assert redirect_target("") == "/dashboard/"
    assert redirect_target("/profile/") == "/profile/"


def request(method="GET", **headers):
    names = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    return RequestFactory().generic(method, "/here/?a=1", **names)


@pytest.mark.parametrize(
    ("headers", "page"),
    [
        ({}, True),
        ({"accept": "text/html"}, True),
        ({"accept": "*/*"}, True),
        ({"accept": "application/json"}, False),
        ({"accept": "application/json, text/plain"}, False),
        ({"accept": "application/json, text/plain, */*"}, False),
        ({"accept": "application/problem+json;q=0.9, */*"}, False),
        ({"accept": "text/html, application/json"}, True),
        ({"accept": "text/css, */*;q=0.1"}, True),
        ({"hx_request": "true", "accept": "text/html", "sec_fetch_mode": "navigate"}, False),
        ({"x_requested_with": "XMLHttpRequest", "accept": "text/html"}, False),
        ({"sec_fetch_mode": "navigate", "accept": "application/json"}, True),
        ({"sec_fetch_mode": "cors", "accept": "text/html"}, False),
        ({"sec_fetch_mode": "no-cors"}, False),
        ({"sec_fetch_mode": "navigate", "x_requested_with": "XMLHttpRequest"}, True),
    ],
)
def test_page_request_is_distinguished_from_a_script(headers, page):
    assert is_page_request(request(**headers)) is page


@pytest.mark.parametrize(
    ("method", "headers", "page"),
    [
        ("GET", {}, "/here/?a=1"),
        ("GET", {"referer": "http://testserver/before/"}, "/here/?a=1"),
        ("GET", {"sec_fetch_mode": "cors", "referer": "http://testserver/page/?b=2"}, "/page/?b=2"),
        ("POST", {"referer": "http://testserver/form/"}, "/form/"),
        ("POST", {"referer": "http://testserver:81/form/"}, ""),
        ("POST", {"referer": "https://elsewhere.example/form/"}, ""),
        ("POST", {"referer": "http://testserver"}, ""),
        ("POST", {"referer": "http://testserver//elsewhere.example/form/"}, ""),
        ("POST", {}, ""),
        ("POST", {"referer": "http://["}, ""),
        ("GET", {"hx_request": "true", "hx_current_url": "http://testserver/a/?b#c"}, "/a/?b#c"),
        ("GET", {"hx_request": "true", "hx_current_url": "http://elsewhere.example/a/"}, ""),
        ("GET", {"hx_request": "true", "referer": "http://testserver/page/"}, "/page/"),
    ],
)
def test_page_path_is_that_of_the_page_that_sent_the_request(method, headers, page):
    assert page_path(request(method, **headers)) == page
