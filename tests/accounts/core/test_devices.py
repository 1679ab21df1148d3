import pytest

from accounts.core.request_meta import device_name

LINUX = "Mozilla/5.0 (X11; Linux x86_64)"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"


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
