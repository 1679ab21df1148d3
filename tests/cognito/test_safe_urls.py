"""URLs that are safe for requests."""

import pytest

from accounts.cognito.safe_urls import url_problem


@pytest.mark.parametrize(
    "address",
    [
        "https://auth.example.com",
        "https://auth.example.com:8443/path",
        "http://localhost:9000",
        "http://127.0.0.1/x",
        "http://[::1]:9000/x",
    ],
)
def test_https_anywhere_and_http_on_loopback_are_accepted(address):
    assert url_problem(address) is None


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("", "is not a URL"),
        ("auth.example.com", "is not a URL"),
        ("https://", "is not a URL"),
        ("https://[::1", "is not a URL"),
        ("https://host:port", "is not a URL"),
        ("https://host:99999", "is not a URL"),
        ("https://ho\nst", "is not a URL"),
        ("https://ho st", "is not a URL"),
        ("https://host\\@evil.example", "is not a URL"),
        ("https://exämple.com", "is not a URL"),
        ("file:///etc/passwd", "must use https"),
        ("data:text/plain,x", "must use https"),
        ("file://host/etc/passwd", "must use https"),
        ("ftp://host/x", "must use https"),
        ("http://example.com", "must use https (plain http is for this machine only)"),
        ("http://localhost.evil.example", "must use https (plain http is for this machine only)"),
        ("http://127.0.0.1.evil.example", "must use https (plain http is for this machine only)"),
        ("https://user@host", "must not contain a username or password"),
        ("https://:pw@host", "must not contain a username or password"),
        ("https://host?x=1", "must not have a query or a fragment"),
        ("https://host#x", "must not have a query or a fragment"),
    ],
)
def test_other_urls_are_refused_with_the_reason(address, problem):
    assert url_problem(address) == problem
