"""`manage.py dev`: the app and a local user pool, ready to sign in to, with one command.

`make run` calls it once everything is installed. It imports `local_pool`, which only the run
commands and tests may.
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
from sso_project.dev.environment import Development, plan, secret_key
from sso_project.dev.processes import Children, stop_requests

START_SECONDS = 90.0  # a first migration on a slow disk; after this something is stuck


class CannotRun(Exception):
    """What keeps the command from running, or from going on, in a sentence."""


class Command(BaseCommand):
    help = "Start the app and a local user pool for development, and tell where they are."
    requires_system_checks = ()  # the settings are read again, with development values, by the app

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "command",
            nargs=REMAINDER,
            help="instead of starting anything, run this manage.py command in the same environment",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        try:
            development = plan(os.environ)
            if not options["command"]:
                ports.require_free(development.ports)
            variables = development.variables
            if not variables.get("SECRET_KEY", "").strip():
                variables["SECRET_KEY"] = secret_key(settings.LOCAL_DIR)
            if options["command"]:
                command = [sys.executable, sys.argv[0], *options["command"]]
                os.execve(sys.executable, command, variables)
            self.run(development, started)
        except (ports.PortProblem, ConfigError, CannotRun) as problem:
            self.stderr.write(str(problem))
            sys.exit(1)

    def run(self, development: Development, started: float) -> None:
        """Start the children, print the card, wait until we are stopped or one of them ends."""
        waiting_for = {f"{development.variables['PUBLIC_URL']}/": "the app"}
        children = Children(development.variables)
        with stop_requests() as stop:
            try:
                if development.pool:
                    children.start("the local pool", "local_pool")
                    waiting_for[f"{development.pool.domain}/_local/health"] = "the local pool"
                children.start("the app", "sso_project.dev.app", str(development.ports["PORT"]))
                self._wait_until_ready(waiting_for, children, stop)
                if not stop.is_set():
                    self.stdout.write(str(self._card(development, time.monotonic() - started)))
                    self.stdout.flush()
                while not stop.wait(0.2):
                    _require_running(children, stop)
            finally:
                children.stop()

    def _card(self, development: Development, seconds: float) -> card.Card:
        return card.Card(
            seconds=seconds,
            app_url=development.variables["PUBLIC_URL"],
            pool_id=development.variables["COGNITO_POOL_ID"],
            pool=development.pool,
            makefile=Path(settings.BASE_DIR) / "Makefile",
        )

    def _wait_until_ready(
        self, waiting_for: dict[str, str], children: Children, stop: threading.Event
    ) -> None:
        deadline = time.monotonic() + START_SECONDS
        while waiting_for and not stop.wait(0.05):
            _require_running(children, stop)
            if time.monotonic() > deadline:
                late = " and ".join(waiting_for.values())
                raise CannotRun(f"After {START_SECONDS:.0f} seconds {late} did not answer.")
            for address in list(waiting_for):
                if card.status_of(address) is not None:
                    del waiting_for[address]


def _require_running(children: Children, stop: threading.Event) -> None:
    ended = children.ended()
    # A Ctrl-C or a closing terminal reaches the children too, perhaps before it reaches us.
    if ended and not stop.wait(0.5):
        raise CannotRun(f"{ended.capitalize()} ended by itself, so everything was stopped.")
