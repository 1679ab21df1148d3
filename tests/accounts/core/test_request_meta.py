import pytest
from django.test import RequestFactory

from accounts.core.request_meta import client_ip, device_name, is_trusted_proxy, sender_fields
from accounts.models import SignIn, SignInEvent

LINUX = "Mozilla/5.0 (X11; Linux x86_64)"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
PROXIES = ["10.0.0.0/8", "192.0.2.1"]


def client_ip_of(remote, forwarded=None):
    headers = {"x-forwarded-for": forwarded} if forwarded is not None else {}
    return client_ip(RequestFactory().get("/", headers=headers, REMOTE_ADDR=remote))


def test_forwarded_header_is_ignored_without_trusted_proxies():
    assert client_ip_of("203.0.113.9", "198.51.100.7") == "203.0.113.9"


@pytest.mark.parametrize(
    ("remote", "forwarded", "expected"),
    [
        ("10.1.2.3", "198.51.100.7", "198.51.100.7"),
        ("10.1.2.3", "198.51.100.7, 192.0.2.1, 10.9.9.9", "198.51.100.7"),
        # The client wrote the first value, and the proxy appended the second one:
        ("10.1.2.3", "1.1.1.1, 198.51.100.7", "198.51.100.7"),
        ("10.1.2.3", "10.0.0.1, 198.51.100.7", "198.51.100.7"),
        # The sender is not a trusted proxy:
        ("203.0.113.9", "198.51.100.7", "203.0.113.9"),
        ("10.1.2.3", "not an address", "10.1.2.3"),
        ("10.1.2.3", None, "10.1.2.3"),
        ("10.1.2.3", "10.9.9.9", "10.9.9.9"),
        ("", "198.51.100.7", None),  # a Unix socket, which PROXIES do not list
        ("::ffff:10.1.2.3", "2001:db8::7", "2001:db8::7"),
    ],
)
def test_client_ip_is_the_last_one_that_is_not_a_trusted_proxy(
    settings, remote, forwarded, expected
):
    settings.TRUSTED_PROXIES = PROXIES
    assert client_ip_of(remote, forwarded) == expected


def test_unix_socket_is_a_trusted_proxy_if_it_is_listed(settings):
    settings.TRUSTED_PROXIES = ["unix", "10.0.0.0/8"]
    assert client_ip_of("", "198.51.100.7, 10.0.0.1") == "198.51.100.7"
    assert client_ip_of("") is None
    assert client_ip_of("203.0.113.9", "198.51.100.7") == "203.0.113.9"
    for remote, is_trusted in (("", True), ("10.0.0.1", True), ("203.0.113.9", False)):
        request = RequestFactory().get("/", REMOTE_ADDR=remote)
        assert is_trusted_proxy(request) is is_trusted


def test_unix_socket_without_a_proxy_has_no_ip_address():
    assert client_ip_of("") is None


@pytest.mark.parametrize("model", [SignIn, SignInEvent])
def test_long_user_agent_is_cut_to_the_length_of_the_field(model):
    request = RequestFactory().get("/", headers={"user-agent": "a" * 300}, REMOTE_ADDR="192.0.2.7")
    length = model._meta.get_field("device").max_length
    assert sender_fields(request) == {"device": "a" * length, "ip_address": "192.0.2.7"}


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (f"{LINUX} {CHROME}", "Chrome on Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Edg/150.0", "Edge on Windows"),
        (f"{LINUX} Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1",
            "Safari on iPhone",
        ),
        (f"Mozilla/5.0 (Linux; Android 16) {CHROME}", "Chrome on Android"),
        ("python-requests/2.34.2", "python-requests"),
        ("", "Unknown device"),
        ("x" * 1000, "x" * 40),
    ],
)
def test_device_name_is_read_from_the_user_agent(user_agent, name):
    assert device_name(user_agent) == name
