"""The arrangement of production, started once for these tests.

They need PostgreSQL, Redis and nginx as programs; without one of them they are left out, and that
is said, unless REQUIRE_SERVICES=1 lets them fail.
"""

import pytest

from deploy.rehearsal.site import Site
from local_pool.testing import Seed

from .programs import missing, required


def pytest_collection_modifyitems(config, items):
    wanting = [item for item in items if "site" in getattr(item, "fixturenames", ())]
    wanting = [item for item in wanting if "tests/production" in str(item.path)]
    if not wanting or not missing() or required():
        return
    config.hook.pytest_deselected(items=wanting)
    items[:] = [item for item in items if item not in wanting]


def pytest_terminal_summary(terminalreporter):
    if missing() and not required():
        names = " and ".join(missing())
        terminalreporter.write_line(
            f"tests/production did not run: {names} not installed.", yellow=True
        )


@pytest.fixture(scope="module")
def site():
    """Two instances behind nginx, sharing PostgreSQL and Redis."""
    people = [
        Seed("ada", groups=("admins",)),
        Seed("grace", groups=("editors",)),
        Seed("linus"),
    ]
    with Site(people=people) as running:
        yield running
