import pytest
from django.test import RequestFactory

from accounts.core import navigation


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
        ({"x_requested_with": "XMLHttpRequest", "accept": "text/html"}, False),
        ({"sec_fetch_mode": "navigate", "accept": "application/json"}, True),
        ({"sec_fetch_mode": "cors", "accept": "text/html"}, False),
        ({"sec_fetch_mode": "no-cors"}, False),
        ({"sec_fetch_mode": "navigate", "x_requested_with": "XMLHttpRequest"}, True),
    ],
)
def test_page_request_is_distinguished_from_a_script(headers, page):
    assert navigation.is_page_request(request(**headers)) is page


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
    ],
)
def test_page_path_is_that_of_the_page_that_sent_the_request(method, headers, page):
    assert navigation.page_path(request(method, **headers)) == page
