"""Many requests at once with one expired token make one call to Cognito."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import requests
from django.conf import settings as django_settings
from django.db import connection

from tests.imports import ROOT

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("patient_transport"),
]

REQUESTS, PROCESSES = 50, 3


@pytest.fixture
def pool_settings():
    return {"rotate_refresh_tokens": True, "refresh_grace_seconds": 0}


def test_fifty_requests_make_one_call_and_all_are_served(site, pool, expired_tokens):
    tokens = expired_tokens()
    headers = {
        "Authorization": f"Bearer {tokens['access_token']}",
        "x-refresh-token": tokens["refresh_token"],
    }

    def ask(number):
        return requests.get(f"{site}/user", headers=headers, timeout=60)

    with ThreadPoolExecutor(REQUESTS) as threads:
        responses = list(threads.map(ask, range(REQUESTS)))
    assert {response.status_code for response in responses} == {200}
    assert len({response.headers["X-Access-Token"] for response in responses}) == 1
    assert len({response.headers["X-Refresh-Token"] for response in responses}) == 1
    assert pool.counts()["token:refresh_token"] == 1


def database_url():
    """The URL of the test database for another process."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


def test_processes_share_one_call_as_well(site, pool, clean_environ):
    refresh_token = pool.tokens_for("ada")["refresh_token"]
    pool.faults.add("token", "slow", seconds=0.5)
    code = (
        "import sys, django; django.setup()\n"
        "from accounts.tokens.shared_refresh import refresh_once\n"
        "sys.stdin.readline()\n"
        f"print(refresh_once({refresh_token!r}, subnet='192.0.2.1').access_token)\n"
    )
    environ = {
        **clean_environ,
        **pool.env(),
        "DATABASE_URL": database_url(),
        "DEBUG": "1",
        "SECRET_KEY": django_settings.SECRET_KEY,
        "ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "sso_project.settings",
    }
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    outputs = []
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        outputs.append(process.communicate(timeout=60)[0].strip())
    assert len(set(outputs)) == 1
    assert outputs[0].count(".") == 2
    assert pool.counts()["token:refresh_token"] == 1
