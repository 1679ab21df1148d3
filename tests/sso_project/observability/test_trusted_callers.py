"""The callers that may read /metrics and the details of /readyz."""

import pytest
from django.test import RequestFactory

from sso_project.observability.trusted_callers import is_trusted


def trusted(address, **headers):
    return is_trusted(RequestFactory().get("/metrics", REMOTE_ADDR=address, headers=headers))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "127.8.8.8", "::ffff:127.0.0.1"])
def test_loopback_is_trusted(address):
    assert trusted(address)


@pytest.mark.parametrize("address", ["203.0.113.9", "10.0.0.7", "2001:db8::1", "", "nonsense"])
def test_other_addresses_are_not_trusted(address):
    assert not trusted(address)


def test_configured_network_is_trusted(settings):
    settings.TRUSTED_CALLERS = ["10.0.0.0/24"]
    assert trusted("10.0.0.7")
    assert not trusted("10.0.1.7")


PROXY_HEADERS = [
    "Via",
    "Forwarded",
    "X-Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "X-Forwarded-Client-Cert",
    "X-Real-IP",
    "x-real-port",
    "True-Client-IP",
    "X-Client-IP",
    "Client-IP",
    "X-Cluster-Client-Ip",
    "X-Remote-Addr",
    "X-Originating-IP",
    "CF-Connecting-IP",
    "CF-Ray",
    "CDN-Loop",
    "CloudFront-Viewer-Address",
    "Fastly-Client-IP",
    "Fly-Client-IP",
    "X-Amzn-Trace-Id",
    "X-Amz-Cf-Id",
    "X-Azure-ClientIP",
    "X-Envoy-External-Address",
    "X-Original-URL",
    "X-Scheme",
    "Max-Forwards",
]


@pytest.mark.parametrize("header", PROXY_HEADERS)
@pytest.mark.parametrize("trusted_proxy", [True, False])
def test_any_header_of_a_proxy_makes_a_request_forwarded(settings, header, trusted_proxy):
    settings.TRUSTED_PROXIES = ["127.0.0.1"] if trusted_proxy else []
    assert not trusted("127.0.0.1", **{header: "127.0.0.1"})


@pytest.mark.parametrize(
    "header",
    ["Accept", "Accept-Encoding", "User-Agent", "Connection", "Authorization", "X-Request-ID",
     "X-Prometheus-Scrape-Timeout-Seconds", "Traceparent", "Host", "Cookie"],
)  # fmt: skip
def test_headers_of_a_local_client_do_not_mean_a_proxy(header):
    assert trusted("127.0.0.1", **{header: "localhost"})


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_request_of_an_untrusted_local_proxy_is_not_trusted(header):
    """Without TRUSTED_PROXIES, each client of a proxy on this machine would count as loopback."""
    assert not trusted("127.0.0.1", **{header: "for=127.0.0.1"})


def test_client_behind_a_trusted_proxy_decides(settings):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    settings.TRUSTED_CALLERS = ["10.0.0.7"]
    assert trusted("127.0.0.1", **{"X-Forwarded-For": "10.0.0.7"})
    assert not trusted("127.0.0.1", **{"X-Forwarded-For": "203.0.113.9"})
    assert not trusted("127.0.0.1", **{"X-Forwarded-For": "10.0.0.7, 203.0.113.9"})
