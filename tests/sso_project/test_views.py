"""The public server info."""

import platform

import django
import pytest

RELEASE = ".".join(map(str, django.VERSION[:2]))


def test_info_is_five_strings_without_patch_releases(client):
    info = client.get("/api/info/server").json()
    assert info.keys() == {"swagger", "framework", "version", "language", "repo"}
    assert {type(value) for value in info.values()} == {str}
    assert info["version"] == RELEASE


@pytest.mark.parametrize("path", ["/server/", "/api/info/server"])
def test_public_info_has_no_exact_versions(client, path):
    response = client.get(path)
    text = f"{response.text} {response.headers}"
    assert RELEASE in text
    assert django.get_version() not in text
    assert platform.python_version() not in text
