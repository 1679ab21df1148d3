"""Fixtures for all tests: no network access, and browsers.

The fixtures of one subject are in its folder.
"""

import gc
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from socketserver import StreamRequestHandler
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.loaders import JSONFileLoader
from django import urls
from django.apps import apps
from django.conf import settings as django_settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management.commands import flush
from django.core.signals import setting_changed
from django.db import connection
from django.utils import translation
from django.utils.translation import trans_null, trans_real
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright
from pytest_django import Settings

from local_pool import passwords
from tests import browser as chromium
from tests import network, services
from tests.garbage import no_garbage_collection  # noqa: F401, a fixture

pytest_plugins = ["local_pool.pytest_plugin"]

RESULTS = Path(__file__).resolve().parent.parent / "test-results"
LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1", None}
KEPT_TABLES = {"django_content_type", "auth_permission"}
OUTCOME = pytest.StashKey[bool]()
PATIENCE_MS = 60_000  # a busy machine can be slow

expect.set_options(timeout=PATIENCE_MS)
# As in `make run`: otherwise each response on a kept connection takes 40 ms longer.
StreamRequestHandler.disable_nagle_algorithm = True
passwords._scrypt = lru_cache(passwords._scrypt)  # all pools have the same declared passwords
# botocore parses megabytes of JSON for each client, because each has its own session.
_load_aws_model = lru_cache(JSONFileLoader().load_file)
JSONFileLoader.load_file = lambda self, file_path: _load_aws_model(file_path)


@pytest.fixture(scope="session", autouse=True)
def kept_resolvers() -> Iterator[None]:
    """Keep the resolver of each URLconf when a test changes ROOT_URLCONF. Building one takes 15 ms.

    Django keeps them by name, and no test changes the patterns of a module.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(urls, "clear_url_caches", lambda: None)
        yield


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Iterator[None]:
    """Run the browser tests of each module in one worker, and all groups first: they take longest.

    Without a Chromium, the browser tests are deselected, unless REQUIRE_BROWSER is set.
    """
    browser_tests = {item for item in items if item.get_closest_marker("browser")}
    for item in browser_tests:
        item.add_marker(pytest.mark.xdist_group(item.path.stem))
    yield
    if browser_tests and not chromium.find() and not chromium.required():
        config.hook.pytest_deselected(items=[item for item in items if item in browser_tests])
        items[:] = [item for item in items if item not in browser_tests]
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """Empty the tables quickly after a test with transactions.

    Content types and permissions stay: no test changes them, and creating them again takes longer
    than most of these tests. On PostgreSQL, Django's TRUNCATE creates new files for each table and
    index, which takes longer than deleting the few rows of a test.
    """
    from stats.groups import create_editors_group  # Django's applications are ready only now

    operations = type(connection.ops)
    django_sql = operations.sql_flush

    def sql_flush(ops: Any, style: object, tables: Sequence[str], **options: bool) -> list[str]:
        tables = [table for table in tables if table not in KEPT_TABLES]
        if not tables or ops.connection.vendor == "sqlite" or any(options.values()):
            return django_sql(ops, style, tables, **options)
        return ["; ".join(f"DELETE FROM {ops.quote_name(table)}" for table in tables)]

    def restore_group(verbosity: int, interactive: bool, db: str, **options: object) -> None:
        create_editors_group(apps.get_app_config("stats"), using=db)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "sql_flush", sql_flush)
        patch.setattr(flush, "emit_post_migrate_signal", restore_group)
        yield


def pytest_collection_finish() -> None:
    """Leave the tests and the modules out of each garbage collection. They stay until the end."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not chromium.find():
        terminalreporter.write_line(chromium.MISSING, yellow=True)


@pytest.fixture(scope="session", autouse=True)
def translations() -> None:
    """Bind Django's translation functions to the real ones.

    Django chooses each one at its first use. After a first use with USE_I18N off, nothing would be
    translated in the rest of the process.
    """
    for name in vars(trans_null):
        if not name.startswith("_") and hasattr(trans_real, name):
            getattr(translation._trans, name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.when == "call":
        item.stash[OUTCOME] = report.failed
    return report


@pytest.fixture(autouse=True)
def no_network() -> Iterator[list[str]]:
    """Fail a test that tries to connect to another machine, even if its code hides the error."""
    network.refused.clear()
    yield network.refused
    if network.refused:
        pytest.fail(f"This test tried to connect to {', '.join(network.refused)}.")


@pytest.fixture(autouse=True)
def documented_responses(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test if the API returned a response that the OpenAPI document does not describe."""
    from tests import api_document  # Django's applications are ready only now

    api_document.faults.clear()
    yield
    if api_document.faults and not request.node.get_closest_marker("undocumented_responses"):
        pytest.fail("The OpenAPI document is wrong:\n" + "\n".join(api_document.faults))


@pytest.fixture(autouse=True)
def own_cache(
    request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Isolate the shared cache: its keys on Redis, and its state in this process.

    Fail a test that uses it without the database and without the marker `services`.
    """
    # Imported here, because Django's applications must be ready.
    from accounts.provider.shared_cache import shared_cache

    shared_cache._is_down, shared_cache._paused_until = False, float("-inf")
    default = settings.CACHES["default"]
    if "LOCATION" in default:
        isolated = {**default, "KEY_PREFIX": str(uuid.uuid4())}
        settings.CACHES = {**settings.CACHES, "default": isolated}
    if services.is_selected(request.node):
        yield
        return
    uses: list[object] = []
    monkeypatch.setattr(shared_cache, "_use", uses.append)
    yield
    assert not uses, "This test uses the shared cache. Give it the marker services."


@pytest.fixture(autouse=True)
def no_script_prefix() -> Iterator[None]:
    """Clear the script prefix that the Lambda handler and other code set, and what it changed.

    Django stores the URL of static files with the prefix of the first request that needs it, also
    if that request is in another thread. Later pages would lead to that URL, and a live server that
    starts later would serve static files below that prefix only.
    """
    yield
    urls.clear_script_prefix()
    if not staticfiles_storage.base_url == django_settings.STATIC_URL == "/static/":
        django_settings.__dict__.pop("STATIC_URL", None)
        url = django_settings.STATIC_URL
        setting_changed.send(sender=None, setting="STATIC_URL", value=url, enter=False)


@pytest.fixture(autouse=True)
def no_language() -> Iterator[None]:
    """Deactivate the language of the test's last request, which stays active in the thread."""
    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def reset_revocations() -> None:
    """Clear the revocations in this process, because each test has its own database."""
    from accounts.tokens import revocation_feed  # Django's applications are ready only now

    revocation_feed.reset()


@pytest.fixture(autouse=True)
def no_kept_lists() -> None:
    """Clear the lists of figures in this process, because each test has its own database."""
    from stats.api import stream  # Django's applications are ready only now

    stream._short_list.cache_clear()


@pytest.fixture
def limit_failed_calls(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """A function that sets the number of failed calls per subnet, in a minute that does not end."""
    from accounts.tokens import call_budget  # Django's applications are ready only now

    def limit(number: int) -> None:
        monkeypatch.setattr(call_budget, "MAX_FAILED_CALLS", number)
        clock = SimpleNamespace(time=lambda: 1_800_000_012.0)
        monkeypatch.setattr(call_budget, "time", clock)

    return limit


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a module.

    It cannot be shared by the session: Playwright's synchronous API runs an event loop in this
    thread, where Django's ORM and `async_to_sync` raise errors. For the tests of the module,
    DJANGO_ALLOW_ASYNC_UNSAFE turns these errors off.
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
    """A function that returns isolated browsers.

    At its end, the test fails if a page had an error, requested a URL on another machine, or
    violated its Content-Security-Policy.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def watch_request(request: Request) -> None:
        if urlsplit(request.url).hostname not in LOCAL_HOSTS:
            faults.append(f"requested {request.url}")

    def watch_page(page: Page) -> None:
        page.on("pageerror", lambda error: faults.append(f"{page.url} had an error: {error}"))
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
        context.set_default_timeout(PATIENCE_MS)
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
    """A page of a new browser without cookies. A failed test stores a screenshot of it."""
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
        # Without animations, a transition between two colors cannot be in the picture.
        page.screenshot(path=file, full_page=True, animations="disabled")
        return file

    return take


@pytest.fixture
def clean_environ() -> dict[str, str]:
    """An environment for subprocesses, without the variables that configure the project."""
    names = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")
    return {name: os.environ[name] for name in names if name in os.environ}
