"""Four server processes, one database: a storm of requests, and a sign-out that all of them hear.

On PostgreSQL and Redis when the suite runs there, otherwise on a SQLite file.
"""

import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from urllib.parse import quote

import pytest
import requests
from django.conf import settings
from django.db import connection

from accounts.models import SignIn
from accounts.tokens.storage import open_tokens
from local_pool.testing import LocalPool
from tests.flows.conftest import ENVIRONMENT_NAMES, Visitor
from tests.flows.sessions.conftest import at_once, refreshes, until_expired
from tests.imports import ROOT

pytestmark = pytest.mark.django_db(transaction=True)

PROCESSES = 4
REQUESTS = 50


def database_url():
    """The test database, as another process names it."""
    config = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{config['NAME']}"
    password = f":{quote(config['PASSWORD'])}" if config["PASSWORD"] else ""
    host = f"{config['HOST'] or '127.0.0.1'}:{config['PORT'] or 5432}"
    return f"postgres://{quote(config['USER'])}{password}@{host}/{config['NAME']}"


@contextmanager
def processes(number, pool, port, *, own=(), **environment):
    """The addresses of that many servers; the first is the registered one. `own`: what one of them
    has in its environment and the others have not, by its number."""
    base = {name: os.environ[name] for name in ("PATH", "HOME", "REDIS_URL") if name in os.environ}
    base |= pool.env() | {
        "ENV_FILE": os.devnull,
        "DEBUG": "1",
        "SECRET_KEY": settings.SECRET_KEY,
        "PUBLIC_URL": f"http://localhost:{port}",
        "DATABASE_URL": database_url(),
        "DATABASE_CONN_MAX_AGE": "0",  # each request has a thread of its own here
        **environment,
    }
    with ExitStack() as stack:
        running = []
        for count in range(number):
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.flows.sessions.server"],
                cwd=ROOT,
                env=base | dict(own).get(count, {}) | {"LISTEN_ON": str(0 if count else port)},
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.callback(process.wait, timeout=10)
            stack.callback(process.terminate)
            stack.callback(process.stdout.close)
            running.append(process)
        yield [f"http://localhost:{int(process.stdout.readline())}" for process in running]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture
def pool():
    port = free_port()
    with LocalPool(
        public_url=f"http://localhost:{port}", rotate_refresh_tokens=True, refresh_grace_seconds=0
    ) as running:
        running.app_port = port
        yield running


@pytest.fixture(autouse=True)
def same_pool(settings, pool):
    """What this process needs to open the sign-ins that the servers make."""
    environment = pool.env()
    settings.COGNITO = {
        **settings.COGNITO,
        **{key: environment.get(name, "") for key, name in ENVIRONMENT_NAMES.items()},
    }


def signed_in_visitor(addresses, pool):
    visitor = Visitor(addresses[0], pool, requests.Session())
    visitor.sign_in()
    assert visitor.is_signed_in
    return visitor


def storm(addresses, visitor):
    """Many requests at once to all processes, with one access token that is over."""
    until_expired()
    cookies = visitor.http.cookies.get_dict()

    def ask(address):
        return requests.get(
            f"{address}/profile/", cookies=cookies, allow_redirects=False, timeout=30
        ).status_code

    targets = [addresses[number % len(addresses)] for number in range(REQUESTS)]
    return at_once(*[partial(ask, address) for address in targets])


def test_storm_over_four_processes_makes_one_call_and_signs_nobody_out(pool):
    with processes(PROCESSES, pool, pool.app_port) as addresses:
        visitor = signed_in_visitor(addresses, pool)
        pool.faults.add("token", "slow", seconds=0.2, grant="refresh_token")
        for round_ in (1, 2):
            assert storm(addresses, visitor) == [200] * REQUESTS
            assert refreshes(pool) == round_
        assert SignIn.objects.get().ended_at is None


def test_storm_test_notices_when_the_lease_is_gone(pool):
    with processes(2, pool, pool.app_port, WITHOUT_LEASE="1") as addresses:
        visitor = signed_in_visitor(addresses, pool)
        pool.faults.add("token", "slow", seconds=0.2, grant="refresh_token")
        storm(addresses, visitor)
        assert refreshes(pool) > 1


def test_sign_out_everywhere_is_heard_by_every_process_within_a_second(pool):
    with processes(PROCESSES, pool, pool.app_port) as addresses:
        visitor = signed_in_visitor(addresses, pool)
        access_token = open_tokens(SignIn.objects.get()).access_token
        direct = pool.tokens_for("ada")["access_token"]  # of no session of ours

        def status(address, token):
            headers = {"Authorization": f"Bearer {token}"}
            return requests.get(f"{address}/api/user", headers=headers, timeout=20).status_code

        everywhere = [(address, token) for address in addresses for token in (access_token, direct)]
        assert {status(*one) for one in everywhere} == {200}
        visitor.get("/profile/")
        visitor.post("/profile/sign-out-everywhere/")
        time.sleep(1.0)
        assert {status(*one) for one in everywhere} == {401}
        assert not visitor.is_signed_in
