"""The guard that refuses connections of tests to other machines."""

import socket

import pytest
import requests

from tests.network import NetworkRefused


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "0.0.0.0"])
def test_connection_to_another_machine_is_refused(address, no_network):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as one, pytest.raises(NetworkRefused, match=address):
        one.connect((address, 443))
    assert no_network == [address]
    no_network.clear()


def test_name_of_another_machine_is_not_resolved(no_network):
    with pytest.raises(NetworkRefused, match="cognito-idp"):
        requests.get("https://cognito-idp.eu-west-1.amazonaws.com/", timeout=1)
    assert no_network == ["cognito-idp.eu-west-1.amazonaws.com"]
    no_network.clear()


def test_loopback_is_allowed(no_network):
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1]), timeout=60).close()
    assert no_network == []
