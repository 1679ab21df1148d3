"""`manage.py test` passes its options to pytest and returns the exit status."""

import subprocess
import sys

import pytest

from sso_project.test_runner import PytestRunner
from tests.imports import ROOT


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, []),
        ({"verbosity": 0}, ["-q"]),
        ({"verbosity": 3}, ["-vv"]),
        ({"failfast": True, "keepdb": True}, ["--exitfirst", "--reuse-db"]),
        ({"parallel": "auto"}, ["-n", "auto"]),
        ({"parallel": "2", "pdb": True}, ["--pdb"]),
        ({"test_name_patterns": ["sign", "out"]}, ["-k", "sign or out"]),
        ({"interactive": False}, []),
    ],
)
def test_options_are_passed_to_pytest(options, expected):
    assert PytestRunner(**{"verbosity": 1} | options).options == expected


@pytest.mark.parametrize(("name", "status"), [("test_loopback", 0), ("test_nothing_of_it", 1)])
def test_exit_status_is_that_of_pytest(clean_environ, name, status):
    done = subprocess.run(
        [sys.executable, "manage.py", "test", "tests/test_network.py", "-k", name],
        cwd=ROOT,
        env=clean_environ,
        capture_output=True,
        text=True,
    )
    assert done.returncode == status, done.stderr
    assert ("1 passed" in done.stdout) is (status == 0)
