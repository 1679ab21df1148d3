"""Find a Chromium for the browser tests, fetch one (`python -m tests.browser`), launch it.

First what is on the PATH, then what Playwright fetched; `make test` lets Playwright fetch one when
there is neither, and as root on Debian installs its package. REQUIRE_BROWSER=1 makes absence an
error, else the browser tests do not run and the run says so.
"""

import os
import shutil
import subprocess
import sys
from functools import cache

from playwright.sync_api import Browser, Playwright, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MISSING = (
    "The browser tests do not run: there is no Chromium on the PATH, and none could be fetched. "
    "Install one (Debian: apt-get install chromium) and run again."
)
FETCH_SECONDS = 600
FLAGS = (
    "--no-sandbox",  # as root, Chromium refuses to start with it
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Whatever a page asks for, nothing leaves this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)


@cache
def find() -> str | None:
    """The path of a Chromium that starts, None when there is none."""
    on_path = next((path for name in NAMES if (path := shutil.which(name)) and _starts(path)), None)
    return on_path or _playwrights()


def required() -> bool:
    return os.environ.get("REQUIRE_BROWSER", "") not in ("", "0")


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=find(), args=[*FLAGS])


def _playwrights() -> str | None:
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if _starts(path) else None


def _starts(path: str) -> bool:
    """Whether it runs at all: a stub of another package system, or missing libraries, do not."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def fetch() -> None:
    """Let Playwright download its Chromium, else install Debian's when we are root."""
    print("No Chromium on the PATH: fetching one for the browser tests (once) …", flush=True)
    _try(sys.executable, "-m", "playwright", "install", "chromium")
    if find() is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print("Playwright could not fetch one: installing Debian's …", flush=True)
        _try("apt-get", "update")
        _try("apt-get", "install", "-y", "--no-install-recommends", "chromium", "fonts-liberation")


def _try(*command: str) -> None:
    """Run a command that may fail; what counts is whether a Chromium is there afterwards."""
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(command, env=environ, capture_output=True, timeout=FETCH_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"{command[0]}: {error}", file=sys.stderr)
    find.cache_clear()


def main() -> int:
    if find() is None:
        fetch()
    if find() is None:
        print(MISSING, file=sys.stderr)
        return 1 if required() else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
