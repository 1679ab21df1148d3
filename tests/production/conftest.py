"""The production setup, started once for these tests.

They require PostgreSQL, Redis and nginx, some also PgBouncer. Without these programs they are
skipped, and the summary says so, or fail with REQUIRE_SERVICES=1.
"""

import pytest

from local_pool.testing import Seed
from tools.rehearsal.instances import Site

from .programs import NEEDED, missing, required


def pytest_collection_modifyitems(config, items):
    absent = set() if required() else set(missing())
    wanting = [item for item in items if "tests/production" in str(item.path)]
    wanting = [item for item in wanting if absent & needed_by(getattr(item, "fixturenames", ()))]
    if not wanting:
        return
    config.hook.pytest_deselected(items=wanting)
    items[:] = [item for item in items if item not in wanting]


def needed_by(fixtures):
    programs = {"database": {"initdb"}, "pooled": {"pgbouncer"}, "bouncer": {"pgbouncer"}}
    programs["server"] = {"redis-server"}
    programs["site"] = set(NEEDED) - {"pgbouncer"}
    return set().union(*(programs.get(name, ()) for name in fixtures))


def pytest_terminal_summary(terminalreporter):
    if missing() and not required():
        names = " and ".join(missing())
        terminalreporter.write_line(
            f"Some of tests/production did not run: {names} not installed.", yellow=True
        )


@pytest.fixture(scope="package")
def site():
    """Two instances behind nginx, with PostgreSQL and Redis.

    All tests that use it are in one group of pytest-xdist, because each worker would start its own.
    A test undoes what it breaks.
    """
    people = [
        Seed("ada", groups=("admins",)),
        Seed("grace", groups=("editors",)),
        Seed("linus"),
    ]
    with Site(people=people) as running:
        yield running
