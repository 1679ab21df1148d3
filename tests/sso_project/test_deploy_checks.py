"""`manage.py check --deploy`: no message for the documented settings, one for each mistake."""

import json
import re
from collections import Counter

import pytest
from cryptography.fernet import Fernet

from sso_project import deploy_checks
from tests.imports import ROOT
from tests.processes import run_python

PRODUCTION = {
    "ENV_FILE": "/dev/null",
    "SECRET_KEY": "Vx7-9nq2LrT4wZkP0sYbH3mJ6cQfD8uGaE1iKoRtXvNhB5yWzMlC",
    "PUBLIC_URL": "https://app.example.com",
    "TOKEN_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "COGNITO_POOL_ID": "eu-west-1_AbCdEfGhI",
    "COGNITO_CLIENT_ID": "1example23456789abcdefghij",
    "COGNITO_CLIENT_SECRET": "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0u1v2w3x4y5z",
    "COGNITO_CLIENT_DOMAIN": "my-prefix",
    "DATABASE_URL": "postgres://app@127.0.0.1:1/app",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "TRUSTED_PROXIES": "10.0.0.10",
}
DOCUMENTS = ("docs/operations.md",)


@pytest.fixture
def messages(tmp_path, clean_environ):
    (tmp_path / "staticfiles.json").write_text(json.dumps({"paths": {}, "version": "1.1"}))

    def run(**changes):
        environ = {**clean_environ, **PRODUCTION, "STATIC_ROOT": str(tmp_path), **changes}
        code = (
            "import django; django.setup()\n"
            "from django.core import checks\n"
            "messages = checks.run_checks(include_deployment_checks=True, databases=[])\n"
            "print(sorted({m.id for m in messages if not m.is_silenced()}))\n"
        )
        done = run_python(
            ["-c", code], {**environ, "DJANGO_SETTINGS_MODULE": "sso_project.settings"}
        )
        assert done.returncode == 0, done.stderr
        # W007 depends on the Python that runs the tests, not on these settings.
        return re.findall(r"'((?!sso_project\.W007)[\w.]+)'", done.stdout)

    return run


def test_documented_production_settings_have_no_messages(messages):
    assert messages() == []


def is_old(version):
    return version[2] < deploy_checks.MIN_PYTHON.get(tuple(version[:2]), 0)


@pytest.mark.parametrize(
    ("version", "is_named"),
    [
        ((3, 11, 14), True),
        ((3, 11, 15), False),
        ((3, 12, 12), True),
        ((3, 12, 13), False),
        ((3, 13, 9), True),
        ((3, 13, 10), False),
        ((3, 14, 0), True),
        ((3, 14, 1), False),
        ((3, 15, 0), False),
    ],
)
def test_python_with_known_faults_is_reported(version, is_named, monkeypatch):
    monkeypatch.setattr(deploy_checks.sys, "version_info", (*version, "final", 0))
    messages = deploy_checks.check_python(None)
    assert [message.id for message in messages] == ["sso_project.W007"] * is_named


def test_image_has_a_python_without_known_faults():
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    versions = re.findall(r"^FROM python:([\d.]+)-", dockerfile, re.MULTILINE)
    assert len(versions) == 2
    assert not any(is_old([int(part) for part in version.split(".")]) for version in versions)


def test_operations_page_lists_the_same_settings():
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    block = text.split("```sh\n# production", 1)[1].split("```", 1)[0]
    names = set(re.findall(r"^([A-Z_]+)=", block, re.MULTILINE))
    assert names == PRODUCTION.keys() - {"ENV_FILE"}


@pytest.mark.parametrize(
    ("changes", "check_id"),
    [
        ({"SPA_COMPAT": "1"}, "accounts.W001"),
        ({"COGNITO_ISSUER": "http://localhost:9000/eu-west-1_AbCdEfGhI"}, "accounts.W002"),
        ({"COGNITO_ISSUER": "https://pool.example/x, http://localhost/x"}, "accounts.W002"),
        ({"SESSION_IDLE_SECONDS": "99", "SESSION_ABSOLUTE_SECONDS": "9"}, "accounts.W003"),
        ({"TRUSTED_PROXIES": "10.0.0.300"}, "sso_project.E002"),
        ({"TRUSTED_CALLERS": "prometheus"}, "sso_project.E002"),
        ({"TRUSTED_PROXIES": ""}, "sso_project.W001"),
        ({"BIND": "unix:/run/app.sock"}, "sso_project.W001"),
        ({"ALLOWED_HOSTS": "*"}, "sso_project.W002"),
        ({"DATABASE_URL": "sqlite:////tmp/x.sqlite3"}, "sso_project.W003"),
        ({"STATIC_ROOT": "/nonexistent"}, "sso_project.W004"),
        (
            {"TOKEN_ENCRYPTION_KEYS": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
            "sso_project.W005",
        ),
        ({"TRUSTED_PROXIES": "0.0.0.0/0"}, "sso_project.W006"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_mistake_is_reported(messages, changes, check_id):
    assert messages(**changes) == [check_id]


def test_lambda_needs_no_trusted_proxy(messages):
    assert messages(TRUSTED_PROXIES="", AWS_LAMBDA_FUNCTION_NAME="site") == []


def check_ids():
    """Yield the ID of each message of our checks, with the name of its file."""
    files = [ROOT / f"{app}/checks.py" for app in ("accounts", "sso_project")]
    files += sorted(ROOT.glob("sso_project/*_checks.py"))
    for file in files:
        text = file.read_text(encoding="utf-8")
        code = text.split('"""', 2)[2] if text.startswith('"""') else text
        for check_id in set(re.findall(r'"((?:accounts|sso_project)\.[EW]\d{3})"', code)):
            yield check_id, file.name


def test_check_ids_are_unique():
    shared = {check_id for check_id, _ in check_ids()}
    assert set(Counter(check_ids()).values()) == {1}
    assert len(shared) == len(list(check_ids()))


def test_every_check_id_is_documented():
    text = "".join((ROOT / name).read_text(encoding="utf-8") for name in DOCUMENTS)
    assert {check_id for check_id, _ in check_ids()} == set(
        re.findall(r"`((?:accounts|sso_project)\.[EW]\d{3})`", text)
    )
