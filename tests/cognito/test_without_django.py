"""The pure layer is imported and tested where Django is not even installed."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
WITHOUT_DJANGO = """
import sys

import pytest

for name in ("django", "rest_framework", "mozilla_django_oidc"):
    sys.modules[name] = None  # importing it fails
sys.exit(pytest.main(sys.argv[1:]))
"""


def test_the_layers_tests_pass_without_django():
    # A conftest.py above this folder may want Django; --confcutdir leaves it out.
    own_options = ["-o", "addopts=", "-p", "no:django", f"--confcutdir={FOLDER}", "-q"]
    files = ["test_verifier.py", "test_authorization.py", "test_transport_errors.py"]
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            WITHOUT_DJANGO,
            *own_options,
            *(str(FOLDER / name) for name in files),
        ],
        capture_output=True,
        text=True,
        cwd=FOLDER.parent.parent,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
