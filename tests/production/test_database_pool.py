"""A process with a connection pool serves its first request after an outage of the database."""

import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import environ
import pytest
from django.db import OperationalError
from django.db.utils import ConnectionHandler

from sso_project.postgresql import MAX_WAIT_SECONDS, pool_options
from tools.rehearsal.services import PgBouncer, Postgres

pytestmark = pytest.mark.xdist_group("production")
SIZE = 6


class PooledProcess:
    """A process whose threads use a connection pool."""

    def __init__(self, url):
        options = {"connect_timeout": 3, "pool": pool_options(SIZE)}
        pooled = {
            **environ.Env.db_url_config(url),
            "ENGINE": "sso_project.postgresql",
            "OPTIONS": options,
        }
        self.connections = ConnectionHandler({"default": {}, "pooled": pooled})

    def query(self):
        """Run a query, and return its duration in seconds."""
        started, connection = time.monotonic(), self.connections["pooled"]
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        finally:
            connection.close()
        return time.monotonic() - started

    def use_all(self, action=lambda: None):
        """Use all connections of the pool, call `action`, and return the connections."""
        barrier, done = threading.Barrier(SIZE + 1), threading.Event()

        def hold():
            connection = self.connections["pooled"]
            try:
                connection.ensure_connection()
                barrier.wait(60)
                done.wait(60)
            finally:
                connection.close()

        with ThreadPoolExecutor(SIZE) as threads:
            holding = [threads.submit(hold) for _ in range(SIZE)]
            barrier.wait(60)
            try:
                action()
            finally:
                done.set()
            for thread in holding:
                thread.result()

    def close(self):
        self.connections["pooled"].close_pool()


@pytest.fixture
def folder():
    """A folder that PostgreSQL's user can read, unlike `tmp_path`."""
    with tempfile.TemporaryDirectory(prefix="database-") as name:
        yield Path(name)


@pytest.fixture
def database(folder):
    server = Postgres(folder)
    yield server
    server.close()


@pytest.fixture
def bouncer(database, folder):
    pooler = PgBouncer(folder, database.port, connections=SIZE)
    yield pooler
    pooler.end()


@pytest.fixture
def process(django_db_blocker):
    """A function that starts a process with a database URL; its pool is closed after the test."""
    started = []

    def start(url):
        started.append(PooledProcess(url))
        return started[-1]

    with django_db_blocker.unblock():
        yield start
        for process in started:
            process.close()


def refused(process):
    with pytest.raises(OperationalError):
        process.query()


def test_first_request_after_a_restart_replaces_all_idle_connections(database, process):
    pooled = process(database.url)
    pooled.use_all()
    database.stop()
    database.start()
    assert pooled.query() < MAX_WAIT_SECONDS
    pooled.use_all()


def test_request_after_an_outage_is_served(database, process):
    pooled = process(database.url)
    pooled.use_all()
    database.stop("immediate")
    with ThreadPoolExecutor(SIZE) as threads:
        list(threads.map(refused, [pooled] * 2 * SIZE))
    database.start()
    with ThreadPoolExecutor(2 * SIZE) as threads:
        list(threads.map(lambda _: pooled.query(), range(2 * SIZE)))


def test_request_during_the_start_of_the_database_is_served(database, process):
    pooled = process(database.url)
    pooled.use_all()
    database.stop()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(pooled.query)
        database.start()
        waiting.result()


def test_database_restarted_while_every_connection_is_in_use(database, process):
    pooled = process(database.url)

    def restart():
        database.stop()
        database.start()

    pooled.use_all(restart)
    pooled.query()
    pooled.use_all()


def test_process_started_before_its_database(database, process):
    database.stop()
    pooled = process(database.url)
    refused(pooled)
    database.start()
    pooled.query()


def test_restarted_pgbouncer(bouncer, process):
    pooled = process(bouncer.url)
    pooled.use_all()
    bouncer.end()
    bouncer.start()
    pooled.query()
    pooled.use_all()
