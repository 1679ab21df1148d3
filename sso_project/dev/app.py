"""The app's process under `manage.py dev`: migrate the database, then run Django's server.

The server is Django's development server without its startup messages, because `manage.py dev`
prints the URLs.
"""

import logging
import os
import sys
import time
from contextlib import suppress
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.core.management.commands import runserver
from django.core.servers.basehttp import WSGIRequestHandler
from django.db import DatabaseError, connections
from django.utils import autoreload

from .processes import RELOAD_STATUS, RESTARTED


class QuietServer(runserver.Command):
    """`runserver` without output, except for errors."""

    def inner_run(self, *args: Any, **options: Any) -> None:
        autoreload.raise_last_exception()
        if not options["skip_checks"]:
            self.check()
        super().inner_run(*args, **{**options, "skip_checks": True})

    def on_bind(self, server_port: int) -> None:
        """Do not print the URL."""


def quiet_logs() -> None:
    """Drop the log lines of each start and of each request.

    The server's line for a callback would show the authorization code.
    """
    logging.getLogger("django.utils.autoreload").addFilter(
        lambda record: not record.getMessage().startswith("Watching for file changes")
    )
    logging.getLogger("django.server").addFilter(lambda record: record.msg != '"%s" %s %s')


def prepare() -> int:
    """Check the project, migrate and seed the database. Return 0, or 1 after printing an error.

    If DEBUG is off, collect the static files too, because pages need their hashed names.
    """
    django.setup()
    try:
        QuietServer().check()
        call_command("migrate", verbosity=0, interactive=False)
        call_command("seed_stats", verbosity=0)  # example
        if not settings.DEBUG:
            call_command("collectstatic", verbosity=0, interactive=False)
    except SystemCheckError as error:
        sys.stderr.write(f"{error}\n")
    except DatabaseError as error:
        engine = settings.DATABASES["default"]["ENGINE"].rpartition(".")[2]
        sys.stderr.write(f"The {engine} database returned an error. Check DATABASE_URL: {error}")
    else:
        return 0
    finally:
        connections.close_all()
    return 1


def main(port: str, *flags: str) -> int:
    """Serve on `port` of the loopback interface until stopped.

    When a file has changed, the process ends with the status 3, and `manage.py dev` starts it again
    with the flag RESTARTED.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sso_project.settings")
    os.environ[autoreload.DJANGO_AUTORELOAD_ENV] = "true"  # this process serves
    if RESTARTED not in flags:
        started = time.time()
        status = prepare()
        if status:
            return status
        files = autoreload.iter_all_python_module_files()
        if any(file.stat().st_mtime > started for file in files):
            return RELOAD_STATUS  # the server would watch changes only from now on
    else:
        # A syntax error must not end the run. As `manage.py runserver` does, store the error, so
        # that the server shows it and restarts after the next change.
        try:
            autoreload.check_errors(django.setup)()
        except Exception:
            apps.all_models.clear()
            apps.app_configs.clear()
            apps.apps_ready = apps.models_ready = apps.ready = True
    quiet_logs()
    # Headers and body are sent separately. On a kept connection, the body would wait 40 ms until
    # the browser acknowledges the headers.
    WSGIRequestHandler.disable_nagle_algorithm = True
    with suppress(KeyboardInterrupt):
        is_checked = RESTARTED not in flags
        call_command(QuietServer(), f"127.0.0.1:{port}", skip_checks=is_checked)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
