"""Run the tests with pytest when `python manage.py test` is called."""

import os
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.conf import settings


class PytestRunner:
    """A Django test runner that calls `python -m pytest` in a new process.

    The new process loads `tests.settings`, not the settings that this command has loaded. Labels
    are those of pytest: a folder, a file or `file::test`.
    """

    def __init__(
        self,
        *,
        verbosity: int = 1,
        failfast: bool = False,
        keepdb: bool = False,
        parallel: int | str = 0,
        test_name_patterns: Sequence[str] | None = None,
        pdb: bool = False,
        **ignored: Any,
    ) -> None:
        self.options: list[str] = []
        if verbosity != 1:
            self.options.append("-q" if verbosity == 0 else "-" + "v" * (verbosity - 1))
        if failfast:
            self.options.append("--exitfirst")
        if keepdb:
            self.options.append("--reuse-db")
        if pdb:
            self.options.append("--pdb")
        elif parallel:
            self.options += ["-n", str(parallel)]
        if test_name_patterns:
            self.options += ["-k", " or ".join(test_name_patterns)]

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        """Add the options of Django's own runner that pytest supports."""
        parser.add_argument("--failfast", action="store_true", help="stop at the first failure")
        parser.add_argument("--keepdb", action="store_true", help="keep the test database")
        parser.add_argument("--pdb", action="store_true", help="debug a failure where it happens")
        parser.add_argument(
            "--parallel", nargs="?", const="auto", default=0, help="run in N processes"
        )
        parser.add_argument(
            "-k", action="append", dest="test_name_patterns", help="only tests that match this name"
        )

    def run_tests(self, test_labels: Sequence[str], **ignored: Any) -> int:
        """Run pytest and return its exit status, 0 if every test passed."""
        environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        return subprocess.run(
            [sys.executable, "-m", "pytest", *self.options, *test_labels],
            cwd=settings.BASE_DIR,
            env=environ,
            check=False,
        ).returncode
