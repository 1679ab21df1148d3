"""Who may see inside."""

import pytest
from django.test import RequestFactory

from sso_project.trusted_callers import is_trusted


def trusted(address, **headers):
    return is_trusted(RequestFactory().get("/metrics", REMOTE_ADDR=address, headers=headers))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "127.8.8.8", "::ffff:127.0.0.1"])
def test_loopback_is_trusted(address):
    assert trusted(address)


@pytest.mark.parametrize("address", ["203.0.113.9", "10.0.0.7", "2001:db8::1", "", "nonsense"])
def test_everybody_else_is_not(address):
    assert not trusted(address)


def test_configured_network_is_trusted(settings):
    settings.TRUSTED_CALLERS = ["10.0.0.0/24"]
    assert trusted("10.0.0.7")
    assert not trusted("10.0.1.7")


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_forwarded_by_a_proxy_nobody_trusts_is_not_loopback(header):
    """A proxy on this machine: without TRUSTED_PROXIES everybody seems to come from here."""
    assert not trusted("127.0.0.1", **{header: "for=127.0.0.1"})


def test_behind_a_trusted_proxy_the_client_counts(settings):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    settings.TRUSTED_CALLERS = ["10.0.0.7"]
    assert trusted("127.0.0.1", **{"X-Forwarded-For": "10.0.0.7"})
    assert not trusted("127.0.0.1", **{"X-Forwarded-For": "203.0.113.9"})
    assert not trusted("127.0.0.1", **{"X-Forwarded-For": "10.0.0.7, 203.0.113.9"})
