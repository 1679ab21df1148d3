"""Take pictures of every page in both themes, at desktop and phone width.

make screenshots
make screenshots ARGS="--only dashboard"

The pictures are in .local/screenshots. Those that the documentation shows are copied to
docs/images. The site and the local pool run on ports of their own, with new data.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Page, sync_playwright

from tests.browser import launch

from .files import ROOT

PASSWORD = "Cognito-demo-1"  # noqa: S105 (of the local pool's users)
FOLDER = ROOT / ".local/screenshots"
IMAGES = ROOT / "docs/images"
THEMES = ("light", "dark")
WIDTHS = {1280: 800, 390: 844}  # CSS pixels, width to height
START_SECONDS = 120
# Name, user ("" for an anonymous visitor) and path. `{pool}` is the origin of the local pool.
PAGES = (
    ("landing", "", "/"),
    ("signed-out", "", "/signout"),
    ("hosted-ui", "", "/accounts/login/"),
    ("console", "", "{pool}/_local/"),
    ("not-found", "", "/no-such-page"),
    ("invalid-callback", "", "/signin?code=x"),
    ("landing-signed-in", "linus", "/"),
    ("forbidden", "linus", "/admin/"),
    ("dashboard", "grace", "/dashboard/"),
    ("dashboard-empty", "grace", "/dashboard/?kpi=none"),
    ("figure-add", "grace", "/dashboard/figures/add/"),
    ("profile", "grace", "/profile/"),
    ("sign-out-everywhere", "grace", "/profile/sign-out-everywhere/"),
    ("server", "grace", "/server/"),
    ("admin", "ada", "/admin/"),
    ("admin-users", "ada", "/admin/accounts/user/"),
    ("admin-user", "ada", "/admin/accounts/user/1/change/"),
    ("admin-sign-ins", "ada", "/admin/accounts/signin/"),
    ("admin-events", "ada", "/admin/accounts/signinevent/"),
    ("admin-event", "ada", "/admin/accounts/signinevent/1/change/"),
    ("admin-group", "ada", "/admin/auth/group/1/change/"),
    ("admin-figures", "ada", "/admin/stats/stat/"),
    ("admin-figure", "ada", "/admin/stats/stat/1/change/"),
    ("admin-import", "ada", "/admin/stats/stat/import/"),
    ("admin-invitations", "ada", "/admin/accounts/user/invitations/"),
    ("swagger", "ada", "/docs"),
    ("browsable-api", "ada", "/api/stats?format=api"),
)
SHOWN = ("dashboard", "hosted-ui", "console")  # in the documentation


def main() -> int:
    parser = argparse.ArgumentParser(prog="make screenshots", description=__doc__)
    parser.add_argument("--only", action="append", help="take this page only")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with _running_site() as (site, pool), sync_playwright() as playwright:
        browser = launch(playwright)
        for theme in THEMES:
            for width, height in WIDTHS.items():
                for user in dict.fromkeys(user for _, user, _ in PAGES):
                    context = browser.new_context(
                        color_scheme=theme,  # type: ignore[arg-type] # a literal of THEMES
                        viewport={"width": width, "height": height},
                        service_workers="block",
                    )
                    page = context.new_page()
                    if user:
                        _sign_in(page, site, user)
                    for name, _, path in (item for item in PAGES if item[1] == user):
                        if options.only and name not in options.only:
                            continue
                        page.goto(path.format(pool=pool) if "{" in path else site + path)
                        page.wait_for_load_state("networkidle" if "{" not in path else "load")
                        file = FOLDER / f"{theme}{width}-{name}.png"
                        page.screenshot(path=file, full_page=width != max(WIDTHS))
                    context.close()
    for theme in THEMES:
        for name in SHOWN:
            picture = FOLDER / f"{theme}{max(WIDTHS)}-{name}.png"
            if picture.exists():
                IMAGES.mkdir(exist_ok=True)
                shutil.copy(picture, IMAGES / f"{name}-{theme}.png")
    print(f"The pictures are in {FOLDER.relative_to(ROOT)}.")
    return 0


@contextmanager
def _running_site() -> Iterator[tuple[str, str]]:
    """Start the site and the local pool with new data, and yield their URLs."""
    state = ROOT / ".local/screenshots-state"
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir(parents=True)
    port, pool_port = _free_port(), _free_port()
    environment = os.environ | {
        "PORT": str(port),
        "POOL_PORT": str(pool_port),
        "LOCAL_POOL_DIR": str(state / "pool"),
        "DATABASE_URL": f"sqlite:///{state}/db.sqlite3",
        "ENV_FILE": os.devnull,
    }
    program = [sys.executable, "manage.py", "dev"]
    output = (state / "output").open("wb")
    process = subprocess.Popen(program, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        _wait_for(f"http://localhost:{port}/healthz", process, Path(output.name))
        yield f"http://localhost:{port}", f"http://localhost:{pool_port}"
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)
        output.close()


def _wait_for(url: str, process: subprocess.Popen[bytes], output: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urlopen(url):  # noqa: S310 (http on this machine)
                return
        except URLError:
            time.sleep(0.1)
    raise SystemExit(f"The site did not start:\n{output.read_text(encoding='utf-8')}")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        return int(free.getsockname()[1])


def _sign_in(page: Page, site: str, user: str) -> None:
    page.goto(f"{site}/accounts/login/")
    page.get_by_label("Username").fill(user)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{site}/**")


if __name__ == "__main__":
    sys.exit(main())
