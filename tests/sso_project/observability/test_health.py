"""The probes `/healthz` and `/readyz`."""

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from accounts.cognito.errors import CognitoUnavailable
from accounts.provider import provider
from sso_project.observability import health

UNTRUSTED = {"REMOTE_ADDR": "203.0.113.9"}


@pytest.fixture(autouse=True)
def _cognito(cognito):
    """Serve signing keys to every test."""


def test_liveness_probe_checks_no_other_system(client, django_assert_num_queries, db):
    with django_assert_num_queries(0):
        response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_probe_needs_neither_host_name_nor_https(client, settings):
    settings.ALLOWED_HOSTS = ["app.example.com"]
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/healthz", headers={"host": "10.0.0.7:8000"}).status_code == 200


def test_readiness_lists_the_state_of_each_part(client, db):
    response = client.get("/readyz")
    assert response.status_code == 200
    parts = response.json()["parts"]
    assert parts["database"] == "ok"
    assert parts["keys"].startswith("ok")
    assert response.headers["Cache-Control"] == "no-store"


def test_untrusted_caller_gets_no_details(client, db):
    assert client.get("/readyz", **UNTRUSTED).json() == {"status": "ready"}


def test_untrusted_probe_does_not_use_the_cache(client, db, monkeypatch):
    monkeypatch.setattr(health.shared_cache, "is_down", lambda: pytest.fail("was probed"))
    monkeypatch.setattr(health, "is_configured", lambda: True)
    assert client.get("/readyz", **UNTRUSTED).json() == {"status": "ready"}


def test_unavailable_database_is_not_ready(client, db):
    def fail(*args, **kwargs):
        raise OperationalError("connection refused")

    with connection.execute_wrapper(fail):
        response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["parts"]["database"] == "does not respond: OperationalError"
    assert client.get("/healthz").status_code == 200


def test_missing_migration_is_not_ready(client, db, monkeypatch):
    monkeypatch.setattr(health, "_migrated", [])
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda *args: ["one"])
    response = client.get("/readyz")
    assert response.status_code == 503
    assert "manage.py migrate" in response.json()["parts"]["database"]


def test_missing_signing_keys_are_not_ready(client, db, monkeypatch):
    def fail(key_id):
        raise CognitoUnavailable("connection refused")

    monkeypatch.setattr(provider().keys, "key", fail)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["parts"]["keys"] == "none: cognito_unavailable"


def test_unavailable_cache_is_reported_and_stays_ready(client, db, settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "sso_project.cache.JSONRedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    settings.COGNITO = {**settings.COGNITO, "SHARED_CACHE": "default"}
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["parts"]["cache"] == "does not respond; slower without it"


def test_database_ready_command_succeeds_silently(db, capsys):
    call_command("database_ready")
    assert capsys.readouterr() == ("", "")


def test_database_ready_command_names_the_cause(db, monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError("connection refused")

    with connection.execute_wrapper(fail), pytest.raises(CommandError, match="does not respond"):
        call_command("database_ready")
    monkeypatch.setattr(health, "_migrated", [])
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda *args: ["one"])
    with pytest.raises(CommandError, match=r"is not ready: .* manage\.py migrate"):
        call_command("database_ready")
