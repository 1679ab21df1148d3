"""The pool under test, and the checks that it allows.

A check with the fixture `control` (faults, clock, settings, users, mailbox) requires a local pool.
A check with `public_client` or `machine_client` requires such a client. If the pool under test does
not have it, the check is deselected, and the summary reports that.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from local_pool.testing import Clock, LocalPool
from tests import network
from tests.local_pool.contract.browser import Browser
from tests.local_pool.contract.target import PREFIX, Target

LEFT_OUT = pytest.StashKey[Counter[str]]()
REASONS = {
    "control": "need control of the pool (faults, clock, settings, users, mail)",
    "public_client": f"need {PREFIX}PUBLIC_CLIENT_ID",
    "machine_client": f"need {PREFIX}MACHINE_CLIENT_ID",
}


def named_target() -> Target | None:
    try:
        return Target.from_environment(os.environ)
    except KeyError as missing:
        raise pytest.UsageError(f"{PREFIX}URL names a pool, but {missing} is not set.") from None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    target = named_target()
    if target is None:
        return
    lacking = {"control"} | {name for name in REASONS if not getattr(target, f"{name}_id", "x")}
    config.stash[LEFT_OUT] = left_out = Counter()
    selected, dropped = [], []
    for item in items:
        here = "local_pool/contract/" in item.path.as_posix()
        wanting = sorted(lacking & set(getattr(item, "fixturenames", ()))) if here else []
        left_out.update(wanting[:1])
        (dropped if wanting else selected).append(item)
    config.hook.pytest_deselected(items=dropped)
    items[:] = selected


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    target = named_target()
    if target is None:
        return
    counts = config.stash.get(LEFT_OUT, Counter())
    text = "; ".join(f"{number} {REASONS[name]}" for name, number in sorted(counts.items()))
    terminalreporter.write_line(f"Contract at {target.url}, left out: {text or 'nothing'}.")


@pytest.fixture(autouse=True, scope="session")
def reach() -> None:
    """Allow network access to the named pool."""
    network.guarding = named_target() is None


@pytest.fixture
def control(request: pytest.FixtureRequest) -> Iterator[LocalPool]:
    """A local pool, with settings by `@pytest.mark.parametrize("control", …, indirect)`.

    Its clock stands still unless a check moves it, so that a slow machine misses no grace period.
    """
    settings: dict[str, Any] = getattr(request, "param", {})
    now = time.time()
    with LocalPool(clock=Clock(lambda: now), **settings) as pool:
        yield pool


@pytest.fixture(scope="session")
def shared() -> Iterator[LocalPool]:
    """One pool for all checks that do not control it, like a remote pool."""
    with LocalPool() as pool:
        yield pool


@pytest.fixture
def target(request: pytest.FixtureRequest) -> Target:
    own = "control" if "control" in request.fixturenames else "shared"
    return named_target() or Target.of(request.getfixturevalue(own))


@pytest.fixture
def browser(target: Target) -> Browser:
    return Browser(target.url)


@pytest.fixture
def tokens(target: Target) -> dict[str, Any]:
    """The tokens of a new sign-in."""
    return target.tokens()


@pytest.fixture
def public_client(target: Target) -> str:
    return target.public_client_id


@pytest.fixture
def machine_client(target: Target) -> str:
    return target.machine_client_id
