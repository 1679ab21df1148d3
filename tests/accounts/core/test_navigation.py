import pytest
from django.test import RequestFactory

from accounts.core.navigation import redirect_target, safe_next_url


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
    assert next_url("http://localhost:8000/profile/?a=1#part") == "/profile/?a=1"


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
