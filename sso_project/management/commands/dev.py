"""`manage.py dev`: start the app and a local user pool for development.

`make run` calls it after it has installed the requirements. Only this command, the modules of
`sso_project.dev` and tests may import `local_pool`.
"""

import os
import sys
import threading
import time
from argparse import REMAINDER, ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from local_pool.errors import ConfigError
from sso_project.dev import card, ports
from sso_project.dev.environment import Development, load_secret_key, plan
from sso_project.dev.processes import Children, stop_requests

MAX_START_SECONDS = 90.0  # long enough for the first migration on a slow disk


class CannotRun(Exception):
    """An error that ends the command; the message is for the user."""


class Command(BaseCommand):
    help = "Start the app and a local user pool for development, and print their URLs."
    requires_system_checks = ()  # the app checks its own settings, which have development values

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "command",
            nargs=REMAINDER,
            help="instead of starting anything, run this manage.py command in the same environment",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        local_dir = Path(settings.LOCAL_DIR)  # first, because settings put .env into os.environ
        try:
            _create(local_dir)
            development = plan(os.environ)
            if not options["command"]:
                ports.require_free(development.ports)
            variables = development.variables
            if not variables.get("SECRET_KEY", "").strip():
                variables["SECRET_KEY"] = load_secret_key(local_dir)
            if options["command"]:
                command = [sys.executable, sys.argv[0], *options["command"]]
                os.execve(sys.executable, command, variables)
            self.run(development, started)
        except (ports.PortError, ConfigError, CannotRun) as error:
            self.stderr.write(str(error))
            sys.exit(1)

    def run(self, development: Development, started: float) -> None:
        """Start the children, print the card, and wait until a signal or the end of a child."""
        names_by_url = {f"{development.variables['PUBLIC_URL']}/": "the app"}
        children = Children(development.variables)
        # `make reset` refuses to delete the data of a running process.
        process_file = Path(settings.LOCAL_DIR) / "dev.pid"
        with stop_requests() as stop:
            try:
                process_file.write_text(str(os.getpid()))
                if development.pool:
                    children.start("the local pool", "local_pool")
                    names_by_url[f"{development.pool.domain}/_local/health"] = "the local pool"
                port = str(development.ports["PORT"])
                children.start("the app", "sso_project.dev.app", port, reloads=True)
                self._wait_until_ready(names_by_url, children, stop)
                if not stop.is_set():
                    self.stdout.write(str(self._card(development, time.monotonic() - started)))
                    self.stdout.flush()
                while not stop.wait(0.2):
                    _require_running(children, stop)
            finally:
                children.stop()
                process_file.unlink(missing_ok=True)

    def _card(self, development: Development, seconds: float) -> card.Card:
        return card.Card(
            seconds=seconds,
            app_url=development.variables["PUBLIC_URL"],
            pool_id=development.variables["COGNITO_POOL_ID"],
            pool=development.pool,
            makefile=settings.BASE_DIR / "Makefile",
            replaced=development.replaced,
        )

    def _wait_until_ready(
        self, names_by_url: dict[str, str], children: Children, stop: threading.Event
    ) -> None:
        deadline = time.monotonic() + MAX_START_SECONDS
        while names_by_url and not stop.wait(0.05):
            _require_running(children, stop)
            if time.monotonic() > deadline:
                names = " and ".join(names_by_url.values())
                raise CannotRun(
                    f"{names.capitalize()} did not respond within {MAX_START_SECONDS:.0f} seconds."
                )
            for url in list(names_by_url):
                if card.get_status(url) is not None:
                    del names_by_url[url]


def _create(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise CannotRun(f"The folder {folder} cannot be created: {error}") from None


def _require_running(children: Children, stop: threading.Event) -> None:
    name = children.find_exited()
    # Ctrl-C and a closing terminal also signal the children, possibly before this process.
    if name and not stop.wait(0.5):
        raise CannotRun(f"{name.capitalize()} exited unexpectedly, so everything was stopped.")
