"""Run the tests of the database and the cache on PostgreSQL and Redis.

`python -m tests.services [pytest options]` selects the tests that use the database or have the
marker `services`. All others do the same in `make test`: pytest-django refuses them the database,
and the fixture `own_cache` the shared cache. Of the browser tests, only those with the marker run:
the others test what pages do in a browser, with requests that other tests make, too.

DATABASE_URL and REDIS_URL override the default URLs. If a service does not respond, the command
prints why and runs no tests. With REQUIRE_SERVICES=1 that is an error.
"""

import os
import sys

import environ
import psycopg
import pytest
import redis

DEFAULTS = {
    "DATABASE_URL": "postgres://postgres@127.0.0.1:5432/postgres",
    "REDIS_URL": "redis://127.0.0.1:6379/9",
}


def postgresql_problem(url: str) -> str | None:
    """Return why the tests cannot use the database at `url`, or None if they can."""
    config = environ.Env.db_url_config(url)
    if "postgresql" not in config["ENGINE"]:
        return "DATABASE_URL is not the URL of a PostgreSQL database"
    try:
        psycopg.connect(
            host=config["HOST"] or None,
            port=config["PORT"] or None,
            user=config["USER"] or None,
            password=config["PASSWORD"] or None,
            dbname=config["NAME"],
            connect_timeout=5,
        ).close()
    except psycopg.Error as error:
        return f"PostgreSQL (DATABASE_URL) does not respond: {error}"
    return None


def redis_problem(url: str) -> str | None:
    """Return why the tests cannot use Redis at `url`, or None if they can."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=5) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        return f"Redis (REDIS_URL) does not respond: {error}"
    return None


def is_selected(item: pytest.Item) -> bool:
    """Return True if the test uses the database, or has the marker `services`."""
    if item.get_closest_marker("services") or item.get_closest_marker("django_db"):
        return True
    return "_django_db_helper" in getattr(item, "fixturenames", ())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the other tests. pytest calls this only if this module is a plugin (`main`)."""
    selected = [
        item
        for item in items
        if is_selected(item)
        and (not item.get_closest_marker("browser") or item.get_closest_marker("services"))
    ]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(selected)])
    items[:] = selected


def main(options: list[str]) -> int:
    for name, value in DEFAULTS.items():
        os.environ[name] = os.environ.get(name) or value
    results = [
        postgresql_problem(os.environ["DATABASE_URL"]),
        redis_problem(os.environ["REDIS_URL"]),
    ]
    problems = [problem for problem in results if problem]
    if not problems:
        command = [sys.executable, "-m", "pytest", "-p", "tests.services", *options]
        os.execv(sys.executable, command)
    print("The tests on PostgreSQL and Redis were not run.", *problems, sep="\n", file=sys.stderr)
    return 0 if os.environ.get("REQUIRE_SERVICES", "") in ("", "0") else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
