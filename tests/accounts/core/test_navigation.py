import pytest
from django.test import RequestFactory

from accounts.core.navigation import destination, safe_next_url


def next_url(wanted, *, method="get", **extra):
    factory = RequestFactory(headers={"host": "localhost:8000"})
    return safe_next_url(getattr(factory, method)("/accounts/login/", {"next": wanted}, **extra))


@pytest.mark.parametrize(
    "wanted",
    ["/profile/", "/dashboard/?kpi=profit&year=2020", "/a%20b/?q=%2F%2Fevil.example"],
)
def test_page_of_this_site_is_kept(wanted):
    assert next_url(wanted) == wanted


def test_full_address_of_this_site_is_kept_as_its_path():
    assert next_url("http://localhost:8000/profile/?a=1#part") == "/profile/?a=1"


@pytest.mark.parametrize(
    "wanted",
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
def test_address_of_anywhere_else_is_dropped(wanted):
    assert next_url(wanted) == ""


@pytest.mark.parametrize(
    "step", ["/signin?code=x", "/signout", "/accounts/login/", "/accounts/logout/"]
)
def test_step_of_signing_in_or_out_is_nowhere_to_return_to(step):
    assert next_url(step) == ""


def test_plain_http_is_dropped_on_an_https_site():
    assert next_url("http://localhost:8000/profile/", secure=True) == ""


def test_destination_without_a_page_is_the_dashboard():
    assert destination("") == "/dashboard/"
    assert destination("/profile/") == "/profile/"
