"""What an orchestrator asks."""

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from accounts.cognito.errors import CognitoUnavailable
from accounts.provider import provider
from sso_project.observability import health

FOREIGN = {"REMOTE_ADDR": "203.0.113.9"}


@pytest.fixture(autouse=True)
def _cognito(cognito):
    """Keys to be had."""


def test_process_is_healthy_without_asking_anybody(client, django_assert_num_queries, db):
    with django_assert_num_queries(0):
        answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_probe_needs_neither_host_name_nor_https(client, settings):
    settings.ALLOWED_HOSTS = ["app.example.com"]
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/healthz", headers={"host": "10.0.0.7:8000"}).status_code == 200


def test_ready_says_of_what(client, db):
    answer = client.get("/readyz")
    assert answer.status_code == 200
    parts = answer.json()["parts"]
    assert parts["database"] == "ok"
    assert parts["keys"].startswith("ok")
    assert answer.headers["Cache-Control"] == "no-store"


def test_strangers_are_told_no_details(client, db):
    assert client.get("/readyz", **FOREIGN).json() == {"status": "ready"}


def test_probes_of_strangers_do_not_use_the_cache(client, db, monkeypatch):
    monkeypatch.setattr(health.accelerator, "is_away", lambda: pytest.fail("was probed"))
    monkeypatch.setattr(health, "is_configured", lambda: True)
    assert client.get("/readyz", **FOREIGN).json() == {"status": "ready"}


def test_lost_database_is_not_ready(client, db):
    def away(*args, **kwargs):
        raise OperationalError("connection refused")

    with connection.execute_wrapper(away):
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["database"] == "doesn't answer: OperationalError"
    assert client.get("/healthz").status_code == 200


def test_missing_migration_is_not_ready(client, db, monkeypatch):
    monkeypatch.setattr(health, "_migrated", [])
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda *args: ["one"])
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "manage.py migrate" in answer.json()["parts"]["database"]


def test_without_keys_it_is_not_ready(client, db, monkeypatch):
    def away(key_id):
        raise CognitoUnavailable("nobody there")

    monkeypatch.setattr(provider().verifier.keys, "key", away)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["keys"] == "none: cognito_unavailable"


def test_lost_cache_is_said_and_no_reason_to_be_unready(client, db, settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "sso_project.cache.JSONRedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    settings.COGNITO = {**settings.COGNITO, "SHARED_CACHE": "default"}
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["parts"]["cache"] == "doesn't answer; slower without"


def test_server_starts_on_a_database_that_is_ready(db, capsys):
    call_command("database_ready")
    assert capsys.readouterr() == ("", "")


def test_server_that_cannot_start_says_why(db, monkeypatch):
    def away(*args, **kwargs):
        raise OperationalError("connection refused")

    with connection.execute_wrapper(away), pytest.raises(CommandError, match="doesn't answer"):
        call_command("database_ready")
    monkeypatch.setattr(health, "_migrated", [])
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda *args: ["one"])
    with pytest.raises(CommandError, match=r"isn't ready: .* manage\.py migrate"):
        call_command("database_ready")
