"""Run the doctor as operators do: in a separate process with its own environment."""

import json
import os
from dataclasses import dataclass

import pytest

from local_pool.testing import LocalPool
from tests.processes import run_python


@dataclass(frozen=True)
class Diagnosis:
    status: int
    output: str
    errors: str

    @property
    def findings(self):
        return json.loads(self.output)["findings"]

    @property
    def ids(self):
        return [finding["id"] for finding in self.findings]


@pytest.fixture
def run_command(clean_environ, tmp_path):
    """Run a `manage.py` command with only these environment variables of the project."""

    def run(*arguments, environment, stdin=""):
        process = run_python(
            ["manage.py", *arguments],
            {
                **clean_environ,
                "ENV_FILE": os.devnull,
                "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
                "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                **environment,
            },
            stdin=stdin,
        )
        assert "Traceback" not in process.stderr, process.stderr
        return Diagnosis(process.returncode, process.stdout, process.stderr)

    return run


@pytest.fixture
def doctor(run_command):
    """Run `doctor(pool, "--describe", COGNITO_CLIENT_ID="…")` with the pool's values, changed."""

    def run(pool, *arguments, stdin="", **changes):
        environment = {
            "DEBUG": "1",
            "SECRET_KEY": "tests-only-secret-key-that-signs-nothing-of-worth-0123456789",
            **pool.env(),
            **changes,
        }
        return run_command("cognito_doctor", *arguments, environment=environment, stdin=stdin)

    return run


@pytest.fixture
def pool():
    with LocalPool() as local_pool:
        yield local_pool
