#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys

MISSING = (
    "The packages of this project are not installed for this Python ({}).\n"
    "Run `make run` or `make test` once. Then use .venv/bin/python manage.py, or activate .venv."
)


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036, an older Python has to say so
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        sys.exit(f"This project requires Python 3.11 or newer. This is Python {version}.")
    if os.name == "nt" and sys.argv[1:2] == ["dev"]:
        sys.exit("`manage.py dev` requires Linux, macOS, or WSL on Windows.")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sso_project.settings")
    try:
        from django.core.management import execute_from_command_line
        from django.db import Error
    except ModuleNotFoundError as error:
        sys.exit(MISSING.format(error))
    try:
        if sys.argv[1:2] == ["dev"]:  # it starts the processes that load the applications
            from sso_project.management.commands import dev

            return dev.Command().run_from_argv(sys.argv)
        execute_from_command_line(sys.argv)
    except Error as error:
        from accounts.management.base import database_problem

        problem = database_problem(error)
        if problem is None or "--traceback" in sys.argv:
            raise
        sys.exit(f"CommandError: {problem}")


if __name__ == "__main__":
    main()
