"""The environment of client programs, with the tools that `make test-clients` installs."""

import os

import pytest

from tests.flows.conftest import TOOLS
from tests.imports import ROOT

BIN = TOOLS / "venv/bin"


@pytest.fixture
def environment(site, pool, tmp_path):
    """The environment of a client program of the admin ada."""
    return {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "APP": site,
        "TOKEN": pool.tokens_for("ada")["access_token"],
    }
