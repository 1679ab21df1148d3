"""Four server processes with one database: concurrent renewals, and sign-out in all processes.

They use PostgreSQL and Redis if the test run does, otherwise a SQLite file.
"""

import os
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from functools import partial
from urllib.parse import quote

import pytest
import requests
from django.conf import settings
from django.db import connection

from accounts.models import Identity, SignIn, User
from accounts.tokens.storage import open_tokens
from local_pool.testing import LocalPool
from tests.flows.conftest import ENVIRONMENT_NAMES, Visitor
from tests.flows.sessions.conftest import (
    at_once,
    beyond_grace,
    refreshes,
    until_due,
    until_expired,
)
from tests.imports import ROOT
from tools.rehearsal.services import until

pytestmark = pytest.mark.django_db(transaction=True)

PROCESSES = 4
REQUESTS = 50


def database_url():
    """The URL of the test database for another process."""
    config = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{config['NAME']}"
    password = f":{quote(config['PASSWORD'])}" if config["PASSWORD"] else ""
    host = f"{config['HOST'] or '127.0.0.1'}:{config['PORT'] or 5432}"
    return f"postgres://{quote(config['USER'])}{password}@{host}/{config['NAME']}"


@contextmanager
def processes(number, pool, port, *, own=(), **environment):
    """Start servers, and return their URLs. The first one is the registered URL.

    `own` are additional environment variables of single servers, by their number.
    """
    base = {name: os.environ[name] for name in ("PATH", "HOME", "REDIS_URL") if name in os.environ}
    base |= pool.env() | {
        "ENV_FILE": os.devnull,
        "DEBUG": "1",
        "SECRET_KEY": settings.SECRET_KEY,
        "PUBLIC_URL": f"http://localhost:{port}",
        "DATABASE_URL": database_url(),
        "DATABASE_CONN_MAX_AGE": "0",  # each request has its own thread here
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
            stack.callback(process.wait, timeout=60)
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
    """Configure this process for the sign-ins of the servers."""
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
    """Send many concurrent requests to all processes, with one expired access token."""
    until_expired()
    cookies = visitor.http.cookies.get_dict()

    def ask(address):
        return requests.get(
            f"{address}/profile/", cookies=cookies, allow_redirects=False, timeout=60
        ).status_code

    targets = [addresses[number % len(addresses)] for number in range(REQUESTS)]
    return at_once(*[partial(ask, address) for address in targets])


def test_storm_over_four_processes_makes_one_call_and_ends_no_session(pool):
    with processes(PROCESSES, pool, pool.app_port) as addresses:
        visitor = signed_in_visitor(addresses, pool)
        pool.faults.add("token", "slow", seconds=0.2, grant="refresh_token")
        for round_ in (1, 2):
            assert storm(addresses, visitor) == [200] * REQUESTS
            assert refreshes(pool) == round_
        assert SignIn.objects.get().ended_at is None


def test_storm_test_fails_without_the_claim(pool):
    with processes(2, pool, pool.app_port, WITHOUT_CLAIM="1") as addresses:
        visitor = signed_in_visitor(addresses, pool)
        pool.faults.add("token", "slow", seconds=0.2, grant="refresh_token")
        storm(addresses, visitor)
        assert refreshes(pool) > 1


@pytest.mark.parametrize("time_passes", [until_due, until_expired, beyond_grace])
def test_process_that_dies_before_it_stores_the_tokens_signs_no_user_out(pool, time_passes):
    """Its refresh token is used up at the pool, and no sign-in has the successor yet."""
    own = {1: {"DIES_BEFORE_STORING": "1"}}
    with processes(2, pool, pool.app_port, own=own) as (address, mortal):
        visitor = signed_in_visitor([address], pool)
        used = open_tokens(SignIn.objects.get()).refresh_token
        time_passes()
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{mortal}/profile/", cookies=visitor.http.cookies.get_dict(), timeout=60)
        assert open_tokens(SignIn.objects.get()).refresh_token == used
        assert refreshes(pool) == 1
        assert visitor.is_signed_in
        assert refreshes(pool) == 1
        until_expired()
        assert visitor.is_signed_in
        assert refreshes(pool) == 2


def test_sign_out_everywhere_reaches_every_process_within_a_second(pool):
    with processes(PROCESSES, pool, pool.app_port) as addresses:
        visitor = signed_in_visitor(addresses, pool)
        access_token = open_tokens(SignIn.objects.get()).access_token
        direct = pool.tokens_for("ada")["access_token"]  # a token without a session here

        def status(address, token):
            headers = {"Authorization": f"Bearer {token}"}
            return requests.get(f"{address}/api/user", headers=headers, timeout=60).status_code

        everywhere = [(address, token) for address in addresses for token in (access_token, direct)]
        assert {status(*one) for one in everywhere} == {200}
        visitor.get("/profile/")
        visitor.post("/profile/sign-out-everywhere/")
        until(lambda: {status(*one) for one in everywhere} == {401}, "the refusal")
        assert not visitor.is_signed_in


def test_pool_switches_its_issuer_under_load_of_two_differently_configured_servers(pool):
    """Each process prefers another issuer, and the pool uses both in turn."""
    preferred_last = ",".join(reversed(pool.env()["COGNITO_ISSUER"].split(",")))
    own = {1: {"COGNITO_ISSUER": preferred_last}}
    with processes(2, pool, pool.app_port, own=own) as addresses:
        visitor = signed_in_visitor(addresses, pool)
        for command in ("issuer updated", "issuer original", "issuer both"):
            pool.do(command)
            tokens = [pool.tokens_for("ada") for _ in addresses]
            for address in addresses:
                for issued in tokens:
                    authorization = f"Bearer {issued['access_token']}"
                    response = requests.get(
                        f"{address}/api/user", headers={"Authorization": authorization}, timeout=60
                    )
                    assert response.status_code == 200, response.text
            assert storm(addresses, visitor) == [200] * REQUESTS
        assert SignIn.objects.get().ended_at is None
        assert Identity.objects.count() == User.objects.count() == 1
