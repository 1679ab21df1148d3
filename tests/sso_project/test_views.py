"""What the server says about itself to anyone."""

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
def test_exact_versions_are_not_told_to_strangers(client, path):
    answer = client.get(path)
    told = f"{answer.text} {answer.headers}"
    assert RELEASE in told
    assert django.get_version() not in told
    assert platform.python_version() not in told
