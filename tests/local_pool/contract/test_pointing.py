"""The contract checks against another pool, which COGNITO_CONTRACT_URL names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.imports import ROOT
from tests.local_pool.contract.target import OPTIONAL, PREFIX, REQUIRED, Target

HERE = Path(__file__).resolve().parent


def test_named_pool_is_used_and_skipped_checks_are_reported(control):
    pool = Target.of(control).environment()
    del pool[f"{PREFIX}MACHINE_CLIENT_ID"]
    own = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "COGNITO_"))}
    checks = [str(HERE / name) for name in ("test_discovery_and_keys.py", "test_machine.py")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *checks],
        cwd=ROOT,
        env=own | pool,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert control.counts()["discovery"] > 5
    assert control.counts()["token"] > 0
    line = next(line for line in done.stdout.splitlines() if line.startswith("Contract at"))
    assert line.startswith(f"Contract at {control.url}, left out: ")
    assert "need control of the pool" in line
    assert f"need {PREFIX}MACHINE_CLIENT_ID" in line


@pytest.mark.parametrize("name", [name for name in REQUIRED if name != "URL"])
def test_missing_variable_is_named(name):
    complete = {PREFIX + required: "x" for required in REQUIRED}
    del complete[PREFIX + name]
    with pytest.raises(KeyError, match=PREFIX + name):
        Target.from_environment(complete)


def test_other_pool_is_used_only_if_its_url_is_set():
    assert (
        Target.from_environment({PREFIX + name: "x" for name in REQUIRED if name != "URL"}) is None
    )


def test_variables_and_target_agree(control):
    target = Target.of(control)
    assert Target.from_environment(target.environment()) == target
    assert set(target.environment()) == {PREFIX + name for name in (*REQUIRED, *OPTIONAL)}
