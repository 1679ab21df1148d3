"""Schemathesis, with all of its checks, as three callers."""

import subprocess
from pathlib import Path

import pytest

from stats.models import Stat
from tests.flows.clients.conftest import BIN

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clients]
SIGN_OUT = "/api/auth/sign-out"
CONFIG = Path(__file__).with_name("schemathesis.toml")


@pytest.mark.parametrize("username", [None, "ada", "linus"])
def test_api_and_document_agree(site, pool, environment, tmp_path, username):
    Stat.objects.create(kpi="revenue", year=2020, month=1, value=1)
    options = []
    if username:
        token = pool.tokens_for(username)["access_token"]
        # The sign-out would end the token that all other requests need.
        options = ["--header", f"Authorization: Bearer {token}", "--exclude-path", SIGN_OUT]
    command = [BIN / "schemathesis", "--config-file", CONFIG, "run", f"{site}/openapi.json"]
    done = subprocess.run(
        [*command, "--continue-on-failure", "--no-color", *options],
        cwd=tmp_path,
        env=environment | {"SCHEMATHESIS_HOOKS": "tests.flows.clients.hooks"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2_000:]
