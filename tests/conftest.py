"""Fixtures for every test: no network beyond this machine, and a browser for those that ask.

Those of one subject stand in its own folder.
"""

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from django.urls import clear_script_prefix
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright
from pytest_django import Settings

from tests import browser as chromium
from tests import network

pytest_plugins = ["accounts.testing", "local_pool.pytest_plugin"]

RESULTS = Path(__file__).resolve().parent.parent / "test-results"
LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1", None}
OUTCOME = pytest.StashKey[bool]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without a Chromium the browser tests are left out, unless REQUIRE_BROWSER lets them fail."""
    wanting = [item for item in items if item.get_closest_marker("browser")]
    if not wanting or chromium.find() or chromium.required():
        return
    config.hook.pytest_deselected(items=wanting)
    items[:] = [item for item in items if item not in wanting]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not chromium.find():
        terminalreporter.write_line(chromium.MISSING, yellow=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.when == "call":
        item.stash[OUTCOME] = report.failed
    return report


@pytest.fixture(autouse=True)
def no_network() -> Iterator[list[str]]:
    """Fail a test that reached for another machine, even if its code hid that."""
    network.refused.clear()
    yield network.refused
    if network.refused:
        pytest.fail(f"This test wanted to reach {', '.join(network.refused)}.")


@pytest.fixture(autouse=True)
def own_cache(settings: Settings) -> None:
    """Nothing of another test's cache: what it left on Redis, or that it had lost it."""
    from accounts.provider.shared_cache import (
        accelerator,  # Django's applications are ready only now
    )

    accelerator._away, accelerator._closed_until = False, float("-inf")
    default = settings.CACHES["default"]
    if "LOCATION" in default:
        own = {**default, "KEY_PREFIX": str(uuid.uuid4())}
        settings.CACHES = {**settings.CACHES, "default": own}


@pytest.fixture(autouse=True)
def no_script_prefix() -> Iterator[None]:
    """What serves requests below a path, such as the Lambda handler, leaves that path behind."""
    yield
    clear_script_prefix()


@pytest.fixture(autouse=True)
def forget_revocations() -> None:
    """Each test has a database of its own, so the process must not remember another one's."""
    from accounts.tokens import revocation_feed  # Django's applications are ready only now

    revocation_feed.reset()


@pytest.fixture
def limit_failed_calls(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Set how many calls to Cognito of one subnet may fail, in a minute that does not end."""
    from accounts.tokens import call_budget  # Django's applications are ready only now

    def limit(number: int) -> None:
        monkeypatch.setattr(call_budget, "MAX_FAILED_CALLS", number)
        clock = SimpleNamespace(time=lambda: 1_800_000_012.0)
        monkeypatch.setattr(call_budget, "time", clock)

    return limit


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a module's tests.

    Not for the whole session: Playwright's synchronous interface keeps an event loop running in
    this thread, in which Django's ORM and `async_to_sync` refuse to work for everybody else. For
    the module's own tests Django is told to let the ORM be.
    """
    if chromium.find() is None:
        pytest.fail(chromium.MISSING)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        instance = chromium.launch(playwright)
        yield instance
        instance.close()


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Make browsers that share nothing, like people at different machines.

    At the end it fails the test when a page broke, or asked for anything that is not on this
    machine, or was stopped by its own Content-Security-Policy.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def watch_request(request: Request) -> None:
        if urlsplit(request.url).hostname not in LOCAL_HOSTS:
            faults.append(f"asked for {request.url}")

    def watch_page(page: Page) -> None:
        page.on("pageerror", lambda error: faults.append(f"{page.url} broke: {error}"))
        page.on(
            "console",
            lambda message: (
                faults.append(f"{page.url}: {message.text}")
                if message.type == "error" and "Content Security Policy" in message.text
                else None
            ),
        )

    def make(**options: object) -> BrowserContext:
        context = browser.new_context(
            **{"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce", **options}
        )
        context.on("request", watch_request)
        context.on("page", watch_page)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()
    assert not faults, faults


@pytest.fixture
def page(
    new_context: Callable[..., BrowserContext],
    request: pytest.FixtureRequest,
    screenshot: Callable[[Page, str], Path],
) -> Iterator[Page]:
    """A page of a new browser without cookies; a failed test leaves a picture of it."""
    page = new_context().new_page()
    yield page
    if request.node.stash.get(OUTCOME, False):
        screenshot(page, f"failed-{request.node.name}")


@pytest.fixture(scope="session")
def screenshot() -> Callable[[Page, str], Path]:
    """`screenshot(page, "dashboard")` writes the whole page to test-results/dashboard.png."""

    def take(page: Page, name: str) -> Path:
        RESULTS.mkdir(exist_ok=True)
        file = RESULTS / f"{name}.png"
        page.screenshot(path=file, full_page=True, animations="disabled")  # no colour half-way
        return file

    return take


@pytest.fixture
def clean_environ() -> dict[str, str]:
    """This process's environment without anything that configures the project, for subprocesses."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")
    return {name: os.environ[name] for name in kept if name in os.environ}
