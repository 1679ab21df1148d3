"""Find, download (`python -m tests.browser`) and launch a Chromium for the browser tests.

Chromium's headless shell is preferred: it takes less than half of the processor time. A program on
the PATH is preferred to that of Playwright. If there is neither, `make test` lets Playwright
download one, or installs the Debian package if it runs as root. Without a Chromium, the browser
tests are skipped with a message. With REQUIRE_BROWSER=1 they fail.
"""

import os
import shutil
import subprocess
import sys
from functools import cache

from playwright.sync_api import Browser, Playwright, sync_playwright

NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
MISSING = (
    "The browser tests were skipped: there is no Chromium on the PATH, and the download failed. "
    "Install it (Debian: apt-get install chromium), then run the tests again."
)
MAX_DOWNLOAD_SECONDS = 600
FLAGS = (
    "--no-sandbox",  # Chromium does not start with a sandbox as root
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # No request of a page leaves this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)


@cache
def find() -> str | None:
    """Return the path of a Chromium that starts, or None if there is none."""
    return _on_path() or _playwright_path()


def required() -> bool:
    return os.environ.get("REQUIRE_BROWSER", "") not in ("", "0")


def launch(playwright: Playwright) -> Browser:
    # Without a path, Playwright launches its own headless shell.
    return playwright.chromium.launch(executable_path=_on_path(), args=[*FLAGS])


@cache
def _on_path() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name)) and _starts(path)), None)


def _playwright_path() -> str | None:
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if _starts(path) else None


def _starts(path: str) -> bool:
    """Return True if the program runs. A stub, or one without its libraries, does not."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def download() -> None:
    """Let Playwright download its Chromium. If that fails, install Debian's if this is root."""
    print("There is no Chromium on the PATH. Downloading one for the browser tests …", flush=True)
    _try(sys.executable, "-m", "playwright", "install", "chromium")
    if find() is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print("The download failed. Installing the Debian package …", flush=True)
        _try("apt-get", "update")
        install = ("apt-get", "install", "-y", "--no-install-recommends", "fonts-liberation")
        _try(*install, "chromium-headless-shell")
        if find() is None:  # not in all versions of Debian
            _try(*install, "chromium")


def _try(*command: str) -> None:
    """Run a command that can fail. The caller checks for a Chromium afterwards."""
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(command, env=environ, capture_output=True, timeout=MAX_DOWNLOAD_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"{command[0]}: {error}", file=sys.stderr)
    find.cache_clear()
    _on_path.cache_clear()


def main() -> int:
    if find() is None:
        download()
    if find() is None:
        print(MISSING, file=sys.stderr)
        return 1 if required() else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
