"""Tools that `make test-clients` installs; without them, these tests are skipped."""

import os

import pytest

from tests.imports import ROOT

TOOLS = ROOT / ".local/clients"
BIN = TOOLS / "venv/bin"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanting = [item for item in items if item.get_closest_marker("clients")]
    if not wanting or (TOOLS / "installed").exists():
        return
    if os.environ.get("REQUIRE_CLIENTS", "") not in ("", "0"):
        raise pytest.UsageError(f"REQUIRE_CLIENTS is set, and {TOOLS} is not complete.")
    config.hook.pytest_deselected(items=wanting)
    items[:] = [item for item in items if item not in wanting]


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
