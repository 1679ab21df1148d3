"""The settings of the database connection, which survives an outage of the database."""

import json

import pytest

from tests.processes import run_python
from tests.sso_project.test_deploy_checks import PRODUCTION


@pytest.fixture
def database(clean_environ):
    def read(**changes):
        code = (
            "import json, sso_project.settings as s\n"
            "d = s.DATABASES['default']; d.pop('NAME')\n"
            "print(json.dumps([d, s.ENVIRONMENT_PROBLEMS], default=str))"
        )
        environ = {**clean_environ, **PRODUCTION, **changes}
        done = run_python(["-c", code], environ)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return read


def test_connections_are_reused_and_checked_before_use(database):
    settings, problems = database()
    assert problems == {}
    assert settings["CONN_MAX_AGE"] == 60
    assert settings["CONN_HEALTH_CHECKS"] is True
    assert settings["ATOMIC_REQUESTS"] is False
    assert settings["OPTIONS"]["connect_timeout"] == 3
    assert settings["OPTIONS"]["tcp_user_timeout"] == 3_000
    assert "pool" not in settings["OPTIONS"]


def test_connection_pool_replaces_persistent_connections(database):
    settings, problems = database(DATABASE_POOL_SIZE="4", DATABASE_CONN_MAX_AGE="600")
    assert problems == {}
    assert settings["CONN_MAX_AGE"] == 0
    assert settings["ENGINE"] == "sso_project.postgresql"
    assert settings["CONN_HEALTH_CHECKS"] is False
    pool = {"min_size": 1, "max_size": 4, "timeout": 5, "reconnect_timeout": 1}
    assert "function" in settings["OPTIONS"]["pool"].pop("reconnect_failed")
    assert settings["OPTIONS"]["pool"] == pool


def test_server_side_cursors_can_be_switched_off_behind_a_pooler(database):
    url = "postgres://app@127.0.0.1:6432/app?sslmode=require&disable_server_side_cursors=true"
    settings, problems = database(DATABASE_URL=url, DATABASE_CONN_MAX_AGE="0")
    assert problems == {}
    assert settings["DISABLE_SERVER_SIDE_CURSORS"]
    assert settings["CONN_MAX_AGE"] == 0
    assert settings["OPTIONS"]["sslmode"] == "require"
    assert "disable_server_side_cursors" not in settings["OPTIONS"]


def test_malformed_pool_size_is_a_problem(database):
    _, problems = database(DATABASE_POOL_SIZE="many")
    assert problems == {"DATABASE_POOL_SIZE": "must be a whole number, 0 or more"}


def test_sqlite_writers_wait_for_each_other(database):
    settings, _ = database(DATABASE_URL="sqlite:////tmp/x.sqlite3")
    assert settings["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert settings["CONN_MAX_AGE"] == 60
    assert "pool" not in settings["OPTIONS"]
